"""A small world whose every figure is known: two people, three sessions, agents, tools, retries, loops, a cache."""

import json
import sqlite3

from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, CallError, Message, Scope, ToolCall, ToolResult, Usage
from amplitude_ai.delivery._store_schema import EVENTS, migrate
from amplitude_ai.sessions import _events
from amplitude_ai.sessions._runs import RunRegistry

from .records import NEW_YEAR, call, exchange

#: USD a token.
PRICES = {
    "small": {"input": 0.001, "output": 0.002, "cached_input": 0.0001},
    "big": {"input": 0.01, "output": 0.02},
    "embed": {"input": 0.0001, "output": 0.0},
}
FINE = Message("assistant", "")
RESULT = Message("tool", "")


def made():
    """The events of the world."""
    book = RunRegistry(AIConfig(prices=PRICES))
    binding = Binding()
    events = []

    def say(at_s, user, session, feature, *said, model="small", body=None, latency_ms=100, status=200, **changes):
        agents = {name: changes.pop(name) for name in ("agent", "parent_agent") if name in changes}
        context = Scope(binding, user, session, properties={"feature": feature, **agents})
        body = (body or f"{at_s}").encode()
        where = exchange(round(at_s * 1000), context=context, body=body, latency_ms=latency_ms, status=status)
        facts = {"requested_model": model, "model": model if status == 200 else None, **changes}
        events.extend(book.record(call(*said, **facts), where))

    def weather(city, number):
        return {"tool_calls": (ToolCall("get_weather", f"c{number}", {"city": city}),), "answer": None}

    def failed(kind):
        return {"answer": None, "usage": Usage(), "error": CallError(kind), "finish_reason": None}

    ann = ("ann", "s1", "chat")
    paris = ["Weather in Paris?"]
    say(0, *ann, *paris, usage=Usage(100, 10), agent="triage", **weather("Paris", 1))
    paris += [FINE, RESULT]
    streamed = {"streaming": True, "time_to_first_token_ms": 50.0, "latency_ms": 250}
    told = (ToolResult("c1", "18 degrees"),)
    say(1, *ann, *paris, usage=Usage(200, 20, cached_input_tokens=100), agent="triage", tool_results=told,
        response_id="r1", **streamed)  # fmt: skip
    rome = [*paris, FINE, "And Rome?"]
    say(10, *ann, *rome, status=500, body="rome", agent="triage", **failed("server_error"))
    say(11, *ann, *rome, body="rome", usage=Usage(300, 30), agent="triage", **weather("Rome", 2))
    told = (ToolResult("c2", "Error: no such city"),)
    say(12, *ann, *rome, FINE, RESULT, usage=Usage(400, 40), agent="triage", tool_results=told, response_id="r2")

    bob = ("bob", "s2", "search")
    embedding = {"operation": "embeddings", "answer": None, "model": "embed"}
    say(3600, *bob, "Find papers", usage=Usage(50, 0), **embedding)
    expert = {"tool_calls": (ToolCall("expert", "c3", {"input": "Ask the expert"}),), "answer": None}
    say(3601, *bob, "Find papers", usage=Usage(100, 100), agent="researcher", requested_model="big", **expert)
    sub = {"agent": "expert", "parent_agent": "researcher", "model": "big"}
    say(3602, *bob, "Ask the expert", usage=Usage(1000, 100), answer="42", latency_ms=900, **sub)
    told = (ToolResult("c3", "42"),)
    papers = ["Find papers", FINE, RESULT]
    say(3603, *bob, *papers, usage=Usage(1100, 50), agent="researcher", model="big", tool_results=told,
        finish_reason="length", response_id="r3")  # fmt: skip
    say(3610, *bob, *papers, FINE, "Summarise", status=400, agent="researcher", model="big",
        **failed("invalid_request_error"))  # fmt: skip
    loop = [*papers, FINE, "Go on"]
    for number in range(3):
        search = (ToolCall("search", f"x{number}", {"q": "x"}),)
        told = (ToolResult(f"x{number - 1}", "nothing"),) if number else ()
        instructed = [Message("system", "Hurry.")] if number == 2 else []
        say(3620 + number, *bob, *instructed, *loop, usage=Usage(100, 10), agent="researcher",
            model="big", tool_calls=search, tool_results=told)  # fmt: skip
        loop += [FINE, RESULT]

    for number in range(2):
        say(86_400 + number, "ann", "s3", "chat", "Hello", usage=Usage(100, 10), body="hello")
    for number, (response_id, score, label) in enumerate((("r1", 1, "good"), ("r2", -1, "wrong"), ("r3", 1, "good"))):
        origin, message_id = book.answer(response_id)
        at_ms = NEW_YEAR + 4_000_000 + number
        events.append(_events.feedback(origin, at_ms, response_id, response_id, message_id, score, label, None))
    return events + book.end_all(NEW_YEAR + 100_000_000, "exit")


def store():
    """The world in the local store."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    for event in made():
        facts = json.dumps(event.properties)
        row = (event.insert_id, event.event_type, event.time_ms, event.user_id, event.device_id, facts, "{}", 0)
        connection.execute(EVENTS.single, row)
    return connection
