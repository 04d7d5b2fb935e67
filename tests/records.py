"""Calls and exchanges made by hand, for tests of what comes after the wire."""

import itertools

import pytest

from amplitude_ai._models import Binding, Exchange, LLMCall, Message, Outcome, Scope, Usage
from amplitude_ai.sessions._runs import RunRegistry

_numbers = itertools.count()
#: 2026-01-01, in ms.
NEW_YEAR = 1_767_225_600_000


def exchange(at=0, *, binding=None, user_id=None, session_id=None, latency_ms=100, body=b"{}", **changes):
    """An exchange that began ``at`` ms after the new year."""
    facts = {
        "id": f"exchange-{next(_numbers)}",
        "method": "POST",
        "url": "https://api.openai.com/v1/chat/completions",
        "request_headers": {},
        "request_body": body,
        "status": 200,
        "response_headers": {},
        "response_chunks": (),
        "chunk_times_ns": (),
        "outcome": Outcome.EXHAUSTED,
        "error": None,
        "started_ns": at * 1_000_000,
        "started_at_ms": NEW_YEAR + at,
        "headers_ns": at * 1_000_000,
        "finished_ns": (at + latency_ms) * 1_000_000,
        "context": Scope(binding or Binding(), user_id, session_id),
    }
    return Exchange(**{**facts, **changes})


def call(*said, answer="Fine.", **changes):
    """A call whose turns are ``said`` (text of a user, or a `Message`), and its answer."""
    turns = tuple(Message("user", turn) if isinstance(turn, str) else turn for turn in said)
    facts = {
        "provider": "openai",
        "operation": "chat",
        "requested_model": "gpt-4o-mini",
        "model": "gpt-4o-mini-2024-07-18",
        "usage": Usage(100, 20),
        "messages": turns,
        "output_text": answer,
        "finish_reason": "stop",
        "price_provider": "openai",
    }
    return LLMCall(**{**facts, **changes})


class Book(RunRegistry):
    """A session book that hands out (event type, properties) pairs."""

    def take(self, one, where):
        """The events of a call."""
        return [(event.event_type, event.properties) for event in self.record(one, where)]


def kinds(events):
    """The event types, in order."""
    return [event.event_type for event in events]


def only(events, event_type):
    """The properties of the one event of a type."""
    (found,) = (event.properties for event in events if event.event_type == event_type)
    return found


@pytest.fixture
def book():
    """An empty book."""
    return RunRegistry()


@pytest.fixture
def binding():
    """One client, without a user: all calls are one run."""
    return Binding()
