"""The process's own Amplitude client: to Amplitude where there is a key, to the local store where there is none.

`Sender` takes the place of the client's own threads. Those may keep a process from ending for ten seconds, wait
ten seconds with the first event, and forget events without a word when the connection is reset or the API key is
wrong. Imports amplitude: import this module from the worker only.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import math
from pathlib import Path
from typing import Any

import orjson
from amplitude import Amplitude, Config
from amplitude.constants import SERVER_URL, PluginType
from amplitude.exception import InvalidAPIKeyError
from amplitude.http_client import JSON_HEADER, HttpClient, HttpStatus, Response
from amplitude.plugin import AmplitudeDestinationPlugin
from amplitude.worker import Workers

from .. import _clock, _threads
from .._config import env_api_key, env_server_url, env_server_zone
from .._guard import count, fence, guard, log_once
from .._harmless import harmless_record
from ._store_destination import LocalStoreDestination, OwnTimeline

#: Most events of one request; Amplitude takes 2,000. A 413 halves the number further.
BATCH_EVENTS = 500
#: Most bytes of one request's events: Amplitude's documentation gives 1 MB for one of its endpoints.
BATCH_BYTES = 900_000
#: Most bytes of one event; of a larger one the properties that come first, which are the user's own, are left out.
EVENT_BYTES = 500_000
#: Requests that may be under way at once, where more waits than one takes: with one alone and answers that take 200 ms
#: no more than 2,500 events/s would be sent.
REQUESTS = 3
#: Amplitude's own endpoints take gzip, as its Swift, Kotlin and TypeScript SDKs send it there, and to no other unasked.
ZIPPING = frozenset(url for urls in SERVER_URL.values() for url in urls.values())
#: How hard to zip: the least halves the time of the most, and a body of texts shrinks to a fifth all the same.
_ZIP_LEVEL, _ZIP_BYTES = 1, 2000
#: How long a fork waits for a thread that sends nothing to end, at most and from look to look, in seconds.
LEAVE_SECONDS, _LOOK_SECONDS = 0.1, 0.002
#: How long an event waits for others to share its request.
INTERVAL_MILLIS = 1000
#: How often it is tried, again after 0.1 s at first and after 102 s at last: 5 minutes in all.
RETRIES = 22


class Sender(Workers):  # type: ignore[misc]  # amplitude-analytics has no types
    """Sends from a daemon thread, and two more where much waits. An event given up has its callback called."""

    def __init__(self) -> None:
        super().__init__()
        self.after_fork()

    def after_fork(self) -> None:
        """Start anew: there are no threads in a forked child."""
        self._is_running = False
        self._is_sending = False
        self._helpers = 0
        self._is_leaving = False
        self._thread: _threads.Started | None = None
        self._zips = True
        self._start_lock = _threads.Lock()
        self._waiting = _threads.Event()  # something is in the storage
        self._woken = _threads.Event()  # do not wait for more to come

    def start(self) -> None:
        """Called by the storage after each event, and by `flush`: see to it that somebody sends it."""
        with self._start_lock:
            if not self._is_running and not self._is_leaving:
                # Where the interpreter is ending and starts no thread, `flush` sends.
                with contextlib.suppress(RuntimeError):
                    self._thread = _threads.start(self._run, "amplitude-ai-sender")
                    self._is_running = True
        if self._has_batch():
            self._woken.set()
            if self._is_sending:
                self._get_help()
        self._waiting.set()

    def flush(self) -> None:
        """Send now what is due. Does not wait, but where no thread can be started any more."""
        self._woken.set()
        self.start()
        if not self._is_running:
            self._send_due()

    def stop(self) -> None:
        """Part of ``Amplitude.shutdown``; a daemon thread needs no stopping."""
        self.flush()

    def before_fork(self) -> None:
        """Have the thread end, where it only waits: who forks is warned of a second one."""
        thread = self._thread
        if thread is None or self._is_sending:
            return
        self._is_leaving = True
        self._waiting.set()
        self._woken.set()
        deadline = _clock.monotonic_s() + LEAVE_SECONDS
        while not thread.ends(_LOOK_SECONDS) and not self._is_sending and _clock.monotonic_s() < deadline:
            pass

    def after_fork_in_parent(self) -> None:
        """Go on, where something waits to be sent."""
        with self._start_lock:
            self._is_leaving = False
        if self.storage.total_events:
            self.start()

    def _leaves(self) -> bool:
        with self._start_lock:
            if self._is_leaving:
                self._is_running, self._thread = False, None
                self._woken.clear()
            return self._is_leaving

    def _run(self) -> None:
        while not self._leaves():
            self._waiting.wait(math.inf)
            if self._leaves():
                return
            self._waiting.clear()
            interval = self.configuration.flush_interval_millis
            # The storage's wait_time is 0 as soon as something is due, when a little patience makes fuller batches.
            delay = interval if self.storage.ready_queue else max(self.storage.wait_time, 1)
            self._woken.wait(min(delay, interval) / 1000)
            if self._leaves():
                return
            self._woken.clear()
            self._send_due()
            if self.storage.total_events:
                self._waiting.set()  # held back for a later try

    def _send_due(self) -> None:
        self._is_sending = True
        try:
            with fence("send"):
                while self._send_batch():
                    pass
        finally:
            self._is_sending = False

    def _send_batch(self) -> bool:
        """Send what one request takes; False when nothing is due."""
        batch = self.storage.pull(self.configuration.flush_queue_size)
        if self._has_batch():
            self._get_help()
        if batch:
            self.send(batch)
        return bool(batch)

    def _has_batch(self) -> bool:
        return bool(len(self.storage.ready_queue) >= self.configuration.flush_queue_size)

    def _get_help(self) -> None:
        with self._start_lock:
            if self._helpers < REQUESTS - 1:
                with contextlib.suppress(RuntimeError):  # the interpreter is ending and starts no thread
                    _threads.start(self._help, "amplitude-ai-sender")
                    self._helpers += 1

    def _help(self) -> None:
        try:
            while self._has_batch():
                with fence("send") as sending:
                    self._send_batch()
                if sending.failed:
                    return
        finally:
            with self._start_lock:
                self._helpers -= 1

    def send(self, events: list[Any]) -> None:
        """Send events, in requests of a size that is taken, and handle the answers."""
        part: list[tuple[Any, bytes]] = []
        size = 0
        for event in events:
            with guard("send_body") as writing:
                body = _body(event)
            if writing.failed:
                self.response_processor.callback([event], 400, "the event could not be written as JSON")
                continue
            if part and size + len(body) > BATCH_BYTES:
                self._send_part(part)
                part, size = [], 0
            part.append((event, body))
            size += len(body)
        if part:
            self._send_part(part)

    def _send_part(self, part: list[tuple[Any, bytes]]) -> None:
        events = [event for event, _ in part]
        about = {"api_key": self.configuration.api_key}
        if self.configuration.options:
            about["options"] = self.configuration.options
        payload = orjson.dumps(about)[:-1] + b',"events":[' + b",".join(body for _, body in part) + b"]}"
        response = self._post(payload)
        if _blames_nobody(response):
            if len(part) == 1:
                self.response_processor.callback(events, response.code, str(response.error))
                return
            half = len(part) // 2
            self._send_part(part[:half])
            self._send_part(part[half:])
            return
        try:
            self.response_processor.process_response(response, events)
        except InvalidAPIKeyError:
            log_once("api_key", logging.ERROR, "amplitude_ai: Amplitude does not know this AMPLITUDE_API_KEY")
            self.response_processor.callback(events, response.code, "Invalid API key")

    def _post(self, payload: bytes) -> Response:
        url = self.configuration.server_url
        zipped = self._zips and url in ZIPPING and len(payload) >= _ZIP_BYTES
        try:
            if not zipped:
                return HttpClient.post(url, payload)
            header = {**JSON_HEADER, "Content-Encoding": "gzip"}
            response = HttpClient.post(url, gzip.compress(payload, _ZIP_LEVEL, mtime=0), header)
        except Exception as exc:
            # A reset connection or an answer that is no JSON: the client lets these through, and loses the events.
            return Response(body={"error": type(exc).__name__})
        if _blames_nobody(response):
            self._zips = False  # a proxy in between may not know it
            return self._post(payload)
        return response


def _body(event: Any) -> bytes:
    """One event as JSON, of a size that is taken."""
    body: dict[str, Any] = event.get_event_body()
    data = orjson.dumps(body)
    if len(data) > EVENT_BYTES:
        count("events_cut")
        kept: dict[str, Any] = {}
        left = EVENT_BYTES
        for name, value in reversed(body.pop("event_properties", {}).items()):
            left -= len(orjson.dumps(value)) + len(name) + 4
            if left > 0:
                kept[name] = value
        data = orjson.dumps({**body, "event_properties": dict(reversed(kept.items()))})
    return data


def _blames_nobody(response: Response) -> bool:
    """A 400 that names no event: one of them may be bad, and the others are to arrive."""
    return (
        response.status is HttpStatus.INVALID_REQUEST
        and not response.invalid_or_silenced_index()
        and not str(response.error).startswith("Invalid API key:")
    )


class DefaultClient(Amplitude):  # type: ignore[misc]
    """An Amplitude client that `Delivery` ends itself: its own exit hook would run before the last events come."""

    def _register_on_exit(self) -> None:
        pass


def make_default_client() -> Amplitude:
    """The client for everything that names none.

    With ``AMPLITUDE_API_KEY`` it sends to Amplitude, by the batch endpoint, which takes more events of one user or
    device a second than the plain one, or to ``AMPLITUDE_SERVER_URL``. Without, it keeps events in the local store.
    """
    return _make(env_api_key(), None)


def make_store_client(path: Path) -> Amplitude:
    """A client that keeps its events in the store at ``path``, whatever the environment says."""
    return _make(None, path)


def _make(key: str | None, path: Path | None) -> Amplitude:
    quiet = logging.getLogger("amplitude.ai.client")
    quiet.setLevel(logging.WARNING)  # at INFO it hands every event, content included, to the logger
    quiet.addFilter(harmless_record)
    client = DefaultClient(
        key or "local",
        Config(
            flush_queue_size=BATCH_EVENTS,
            flush_interval_millis=INTERVAL_MILLIS,
            flush_max_retries=RETRIES,
            logger=quiet,
            min_id_length=1,
            server_zone=env_server_zone() or "US",
            server_url=env_server_url(),
            use_batch=True,
        ),
    )
    for destination in [each for each in destinations_of(client) if isinstance(each, AmplitudeDestinationPlugin)]:
        if key is None:
            client.remove(destination)
        else:
            destination.workers = Sender()
            destination.timeline = OwnTimeline()
            destination.setup(client)
    if key is None:
        client.add(LocalStoreDestination(path))
    return client


def destinations_of(client: Amplitude) -> list[Any]:
    """Where a client's events go; empty when another version keeps its plugins elsewhere."""
    timeline = getattr(client, "_Amplitude__timeline", None)
    return [] if timeline is None else list(timeline.plugins[PluginType.DESTINATION])
