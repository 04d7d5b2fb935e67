"""What the tests of ``amplitude_ai.clients`` share: who was recorded, and the HTTP library an SDK runs on."""

import dataclasses
import importlib

import pytest

from amplitude_ai.clients import _settings


class Seen:
    """What reached the queue: finished captures, and the keys of bindings whose clients were closed."""

    def __init__(self):
        self.captures = []
        self.closed = []

    @property
    def last(self):
        """The context of the last call."""
        return self.captures[-1].context

    @property
    def users(self):
        """The user of each call, in order."""
        return [capture.context.user_id for capture in self.captures]


@pytest.fixture
def seen(monkeypatch):
    """Keeps what the instrumented clients record, instead of the worker."""
    seen = Seen()
    observer = dataclasses.replace(
        _settings.client_observer,
        sink=seen.captures.append,
        client_closed=lambda binding: seen.closed.append(binding.key),
    )
    monkeypatch.setattr(_settings, "client_observer", observer)
    return seen


def http_library(client):
    """httpx or httpx2: what this version of the SDK runs on."""
    modules = [base.__module__.partition(".")[0] for base in type(client._client).__mro__]
    return importlib.import_module(next(name for name in modules if name in ("httpx", "httpx2")))
