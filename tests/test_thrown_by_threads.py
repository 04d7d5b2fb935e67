"""What another thread throws into the one that makes a call reaches it, wherever we are: stopit's time-outs come so.

``PyThreadState_SetAsyncExc`` gives a thread a class to raise as soon as it can. It is thrown at each line of ours that
a call runs through, in turn; and the next call is recorded as if nothing had been.
"""

import ctypes
import functools
import http.client
import sys
import threading
from pathlib import Path

import httpx
import httpx2
import pytest
import requests
import urllib3

import amplitude_ai
from amplitude_ai import _guard
from amplitude_ai.testing import EventList

from .bare_server import PATH

OURS = str(Path(amplitude_ai.__file__).parent)
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Add 1 and 2"}]}
CLOSE = {"connection": "close"}


class Limit(Exception):
    pass


def by_http_client(url):
    connection = http.client.HTTPConnection(url.split("/")[2])
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Add 1 and 2"}]}'
    connection.request(
        "POST", "/" + url.split("/", 3)[3], body=body, headers={"content-type": "application/json", **CLOSE}
    )
    connection.getresponse().read()
    connection.close()


def by_client(client):
    return lambda url: client.post(url, json=BODY, headers=CLOSE)


#: Makers of clients: a client is made where it is watched.
CALLS = {
    "httpx": lambda: by_client(httpx.Client()),
    "httpx2": lambda: by_client(httpx2.Client()),
    "requests": lambda: lambda url: by_client(requests.Session())(url),
    "urllib3": lambda: lambda url: urllib3.PoolManager().request("POST", url, json=BODY, headers=CLOSE),
    "http.client": lambda: by_http_client,
}


def throw(ident, kind=Limit):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(kind))


def throw_here(kind):
    throw(threading.get_ident(), kind)
    for _ in range(10):  # where it is raised at the latest
        pass


class Thrower:
    """Throws at the so-many-th line of ours that this thread comes to."""

    def __init__(self, number):
        self.left = number
        self.hit = None

    def __call__(self, frame, event, arg):
        code = frame.f_code
        # What finalizers run into is lost with and without us; where we set back a variable nothing can be thrown.
        if self.hit is None and code.co_filename.startswith(OURS) and code.co_name != "__del__":
            return self.line
        return None

    def line(self, frame, event, arg):
        if event == "line" and self.hit is None:
            self.left -= 1
            if self.left < 0:
                self.hit = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}", frame.f_code
                throw(threading.get_ident())
        return self.line


def is_last_word(hit):
    """Whether a line of a ``finally`` was hit: between the end of the block and it nothing is looked for, untraced."""
    place, code = hit
    line = Path(code.co_filename).read_text().splitlines()[int(place.split(":")[1]) - 1]
    return ".set(around)" in line or ".set(call.around)" in line


@pytest.mark.parametrize("library", CALLS)
def test_it_reaches_who_made_the_call(bare_server, library, monkeypatch):
    """At every line; none is an error of ours, and none keeps the next call from being recorded."""
    events, ignored = EventList(), []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    amplitude_ai.install_transport(amplitude_client=events, user_id="ann")
    call = functools.partial(CALLS[library](), bare_server.url + "/api.openai.com" + PATH)
    tracer, lost, lines = sys.gettrace(), [], 0
    try:
        call()
        assert amplitude_ai.flush()  # CPython gives it to a thread that is just being born
        while True:
            thrower, reached = Thrower(lines), False
            try:
                sys.settrace(thrower)
                try:
                    call()
                finally:
                    sys.settrace(tracer)
                for _ in range(10):  # where it is raised at the latest
                    pass
            except Limit:
                reached = True
            if thrower.hit is None:
                break
            # A response of http.client's that is collected is closed by C, which forgets what comes of it.
            if not (reached or ignored or thrower.hit[0].startswith("_standing.py")):
                lost.append(thrower.hit[0])
            ignored.clear()
            if is_last_word(thrower.hit):
                from amplitude_ai.transports._watch import inside

                inside.set(False)
            lines += 1
            before = _guard.counted("captured")
            call()
            assert _guard.counted("captured") > before, thrower.hit[0]
        assert lines > 80
        assert not lost, lost
        assert amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()


@pytest.mark.swallows
@pytest.mark.parametrize("kind", [Limit, ValueError, TimeoutError])
def test_an_error_that_is_raised_is_an_error(kind):
    """Without a word too: of ours, or of a hook of the application's."""
    before = _guard.counted("internal_errors")
    with _guard.guard("a_stage") as fence:
        raise kind
    assert fence.failed
    assert _guard.counted("internal_errors") == before + 1


@pytest.mark.swallows
@pytest.mark.parametrize("kind", [Limit, TimeoutError])
def test_our_own_threads_go_on(kind):
    """Nobody of the application's waits for what is thrown there: it is counted."""
    with pytest.raises(kind), _guard.guard("a_stage"):
        throw_here(kind)
    with _guard.fence("a_stage") as fence:
        throw_here(kind)
    assert fence.failed
