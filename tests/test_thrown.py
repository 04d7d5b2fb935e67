"""What a signal's handler of the application's throws while we run reaches the application: it is meant for it.

Celery's soft limits and rq's time-outs come so, by an `Exception`; our fence took it for an error of ours. (That it is
counted as none, each test sees to.)
"""

import functools
import signal

import httpx
import httpx2
import pytest
import requests
import urllib3

import amplitude_ai
from amplitude_ai import _clock, _guard
from amplitude_ai.testing import EventList

from .bare_server import PATH

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there are no such signals here")

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Add 1 and 2"}]}


class SoftLimit(Exception):
    pass


def by_function(signum, frame):
    raise SoftLimit


class Handler:
    def method(self, signum, frame):
        raise SoftLimit

    __call__ = method


HANDLERS = {
    "function": by_function,
    "method": Handler().method,
    "object": Handler(),
    "partial": functools.partial(lambda limit, signum, frame: by_function(signum, frame), 3),
}
LIBRARIES = {
    "httpx": lambda url: httpx.post(url, json=BODY),
    "httpx2": lambda url: httpx2.post(url, json=BODY),
    "requests": lambda url: requests.post(url, json=BODY),
    "urllib3": lambda url: urllib3.request("POST", url, json=BODY),
}


@pytest.fixture
def throws(monkeypatch):
    """Has the signal come while we read the clock for the so-many-th time."""

    def at(number, handler):
        signal.signal(signal.SIGUSR1, handler)
        left, now = iter(range(number)), _clock.perf_ns

        def perf_ns():
            if next(left, None) is None:
                monkeypatch.setattr(_clock, "perf_ns", now)
                signal.raise_signal(signal.SIGUSR1)
            return now()

        monkeypatch.setattr(_clock, "perf_ns", perf_ns)

    yield at
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("library", LIBRARIES)
def test_it_reaches_who_made_the_call(bare_server, throws, library, number):
    """Wherever we are: where a call begins, where it is answered, where it ends."""
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events, user_id="ann")
    try:
        call = functools.partial(LIBRARIES[library], bare_server.url + "/api.openai.com" + PATH)
        throws(number, by_function)
        with pytest.raises(SoftLimit):
            call()
        call()
        assert amplitude_ai.flush()
        assert len(events.of_type("llm_message")) in (1, 2)
    finally:
        amplitude_ai.uninstall_transport()


@pytest.mark.parametrize("kind", HANDLERS)
def test_whatever_the_handler_is(kind):
    signal.signal(signal.SIGUSR1, HANDLERS[kind])
    try:
        with pytest.raises(SoftLimit), _guard.guard("a_stage"):
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
