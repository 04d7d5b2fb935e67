"""Stored responses and runs can be fetched again and again: each is told once, with its tokens."""

import httpx2
import pytest

import amplitude_ai
from amplitude_ai._models import Usage
from amplitude_ai.sessions import _duplicates
from amplitude_ai.testing import EventList

from .records import call, exchange

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5",
    "status": "completed",
    "output": [],
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
}
QUEUED = {**RESPONSE, "status": "queued", "usage": None}


def records(steps):
    """The records of requests (method, path, answer), one after the other."""
    events = EventList()
    answers = iter(steps)

    def answer(request):
        return httpx2.Response(200, json=next(answers)[2])

    with amplitude_ai.instrumented_httpx(transport=httpx2.MockTransport(answer), amplitude_client=events) as client:
        for method, path, _ in steps:
            body = {"json": {"model": "gpt-5", "input": "Hi"}} if method == "POST" else {}
            client.request(method, f"https://api.openai.com/v1{path}", **body)
    assert amplitude_ai.flush()
    return events.of_type("llm_message")


def test_a_stored_response_is_told_once():
    """Reading it back costs nothing, and is no call of a model."""
    steps = [
        ("POST", "/responses", RESPONSE),
        ("GET", "/responses/resp_1", RESPONSE),
        ("GET", "/responses/resp_1", RESPONSE),
    ]
    assert [one["total_tokens"] for one in records(steps)] == [5]


def test_a_response_in_the_background():
    """Its request tells no tokens; the first reading of its end does; polls before and after tell nothing."""
    path = "/responses/resp_2"
    queued, done = {**QUEUED, "id": "resp_2"}, {**RESPONSE, "id": "resp_2"}
    steps = [("POST", "/responses", queued), ("GET", path, queued), ("GET", path, done), ("GET", path, done)]
    assert [one.get("total_tokens") for one in records(steps)] == [None, 5]


def test_an_interaction_in_the_background():
    """Gemini's are asked after in the same way; one that cannot be read is a failure."""
    host, events = "https://generativelanguage.googleapis.com/v1beta", EventList()
    begun = {"id": "v1_1", "status": "in_progress", "agent": "deep-research"}
    usage = {"total_input_tokens": 3, "total_output_tokens": 2, "total_tokens": 5}
    done = {**begun, "status": "completed", "usage": usage, "outputs": [{"type": "text", "text": "Hello!"}]}
    missing = {"error": {"code": "invalid_request", "message": "No."}}
    steps = iter([(200, begun), (200, begun), (200, done), (200, done), (404, missing)])

    def answer(request):
        status, body = next(steps)
        return httpx2.Response(status, json=body)

    with amplitude_ai.instrumented_httpx(transport=httpx2.MockTransport(answer), amplitude_client=events) as client:
        client.post(f"{host}/interactions", json={"agent": "deep-research", "input": "Hi", "background": True})
        for _ in range(4):
            client.get(f"{host}/interactions/v1_1")
    assert amplitude_ai.flush()
    told = events.of_type("llm_message")
    assert [(one.get("total_tokens"), one.get("output_content"), one.get("error_type")) for one in told] == [
        (None, None, None),
        (5, "Hello!", None),
        (None, None, "invalid_request"),
    ]


def test_a_run_that_is_polled():
    """An assistant's run is told at its start and, with its tokens, at its end."""
    path = "/threads/thread_1/runs"
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    done = {"id": "run_1", "object": "thread.run", "model": "gpt-4o", "status": "completed", "usage": usage}
    waiting = {**done, "status": "in_progress", "usage": None}
    steps = [("POST", path, waiting), *[("GET", f"{path}/run_1", one) for one in (waiting, done, done)]]
    assert [one.get("total_tokens") for one in records(steps)] == [None, 5]


def test_a_run_that_waits_for_its_tools():
    """However often it is polled, the tools it asks for are told once; then its tokens."""
    path = "/threads/thread_1/runs"
    tools = [{"id": "call_1", "function": {"name": "look", "arguments": "{}"}}]
    run = {"id": "run_2", "object": "thread.run", "model": "gpt-4o", "usage": None}
    waiting = {**run, "status": "requires_action", "required_action": {"submit_tool_outputs": {"tool_calls": tools}}}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    polls = [{**run, "status": "in_progress"}, waiting, waiting, {**run, "status": "completed", "usage": usage}]
    steps = [("POST", path, {**run, "status": "queued"}), *[("GET", f"{path}/run_2", one) for one in polls]]
    assert [(one["tool_call_count"], one.get("total_tokens")) for one in records(steps)] == [
        (0, None),
        (1, None),
        (0, 5),
    ]


@pytest.mark.parametrize("operation", ["chat", "embeddings"])
def test_other_calls_are_never_repeats(operation):
    """Two answers of a server that numbers them alike are two calls."""
    repeats = _duplicates.DuplicateFilter()
    one = call("Hi", operation=operation, response_id="same", usage=Usage(1, 1))
    assert not any(repeats.is_duplicate(one, exchange()) for _ in range(2))


def test_memory_is_bounded(monkeypatch):
    """Of many answers the oldest is forgotten."""
    monkeypatch.setattr(_duplicates, "_MAX", 2)
    repeats = _duplicates.DuplicateFilter()
    for number in range(3):
        repeats.is_duplicate(call("Hi", operation="responses", response_id=f"resp_{number}"), exchange())
    fetched = exchange(method="GET")
    again = [repeats.is_duplicate(call(operation="responses", response_id=f"resp_{n}"), fetched) for n in (2, 1, 0)]
    assert again == [True, True, False]
