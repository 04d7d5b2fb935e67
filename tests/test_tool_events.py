"""``tool_called``: once a call, with the result that a later request brought back."""

import json

import pytest

from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, Message, ToolCall, ToolResult
from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._runs import RunRegistry

from .records import NEW_YEAR, call, exchange, kinds, only

PARIS = ToolCall("get_weather", "call-1", {"city": "Paris"})
ROME = ToolCall("get_weather", "call-2", {"city": "Rome"})
ASSISTANT = Message("assistant", "")


def asked(*tools):
    """A call that asks for tools."""
    return call("Weather?", tool_calls=tools, answer=None, finish_reason="tool_calls")


def brought(*results):
    """A call that brings their results."""
    return call("Weather?", ASSISTANT, *(Message("tool", "") for _ in results), tool_results=results)


def test_a_tool_is_told_with_its_result(book):
    """Name, parameters as JSON, result, and the time between the two requests, in ms."""
    binding = Binding()
    assert "tool_called" not in kinds(book.record(asked(PARIS), exchange(binding=binding)))
    events = book.record(brought(ToolResult("call-1", "18 degrees")), exchange(600, binding=binding))
    said = only(events, "tool_called")
    assert (said["tool_name"], said["tool_call_id"], said["tool_type"]) == ("get_weather", "call-1", "function")
    assert said["tool_parameters"] == '{"city":"Paris"}'
    assert said["tool_result"] == "18 degrees"
    assert said["latency_ms"] == 500
    assert kinds(events).index("tool_called") < kinds(events).index("llm_message")


@pytest.mark.parametrize(("at", "latency"), [(101, 1), (100, 0), (99, None)])
def test_how_long_a_tool_took(book, at, latency):
    """From the answer's end to the request with the result; unknown where a stream was still read meanwhile."""
    binding = Binding()
    book.record(asked(PARIS), exchange(binding=binding, latency_ms=100))
    events = book.record(brought(ToolResult("call-1", "18 degrees")), exchange(at, binding=binding))
    assert only(events, "tool_called").get("latency_ms") == latency


def test_parallel_tools_meet_their_own_results(book):
    """Results are matched by id, whatever their order."""
    binding = Binding()
    book.record(asked(PARIS, ROME), exchange(binding=binding))
    results = brought(ToolResult("call-2", "rain"), ToolResult("call-1", "sun"))
    events = book.record(results, exchange(600, binding=binding))
    told = {e.properties["tool_call_id"]: e.properties["tool_result"] for e in events if e.event_type == "tool_called"}
    assert told == {"call-1": "sun", "call-2": "rain"}


def test_without_ids_names_match(book):
    """Gemini's results may name only the function."""
    binding = Binding()
    book.record(asked(ToolCall("get_weather", None, {})), exchange(binding=binding))
    events = book.record(brought(ToolResult(None, {"t": 18}, "get_weather")), exchange(1, binding=binding))
    assert only(events, "tool_called")["tool_result"] == '{"t":18}'


def test_a_failed_tool(book):
    """``is_error`` of a result is the tool's own failure, not the model's."""
    binding = Binding()
    book.record(asked(PARIS), exchange(binding=binding))
    events = book.record(brought(ToolResult("call-1", "no such city", success=False)), exchange(1, binding=binding))
    assert only(events, "tool_called")["success"] is False
    assert only(events, "llm_message")["success"] is True


def test_history_sent_again_tells_no_tool_twice(book):
    """Each later request carries the result again."""
    binding = Binding()
    book.record(asked(PARIS), exchange(binding=binding))
    again = brought(ToolResult("call-1", "18"))
    book.record(again, exchange(600, binding=binding))
    assert "tool_called" not in kinds(book.record(again, exchange(700, binding=binding, body=b"other")))


def test_a_tool_the_provider_ran_is_told_at_once(book):
    """Its result is in the answer itself."""
    ran = ToolCall(
        "web_search", "srv-1", {"query": "x"}, type="web_search", executed=True, result="found", success=True
    )
    said = only(book.record(asked(ran), exchange()), "tool_called")
    assert (said["tool_type"], said["tool_result"], said["success"]) == ("web_search", "found", True)
    assert said["tool_result_length"] == 5


PROGRAM = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "await look()"}}
LOOK = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": 1}}
RAN = {
    "type": "code_execution_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": {"type": "code_execution_result", "stdout": "18", "return_code": 0},
}
REFUSED = {**RAN, "content": {"type": "code_execution_tool_result_error", "error_code": "unavailable"}}


@pytest.mark.parametrize(("ran", "success", "result"), [(RAN, True, '"stdout":"18"'), (REFUSED, False, "unavailable")])
@pytest.mark.parametrize("reason", ["tool_use", "pause_turn"])
def test_a_provider_s_tool_that_waits_for_the_callers(book, ran, success, result, reason):
    """It is told once, when a later answer has its result; how long it took nobody can tell."""
    where = {"binding": Binding(), "url": "https://api.anthropic.com/v1/messages"}
    user, asked = {"role": "user", "content": "Weather?"}, [{"type": "text", "text": "I look."}, PROGRAM, LOOK]
    brought = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "18 degrees"}]}
    steps = [
        ([user], asked, reason),
        ([user, {"role": "assistant", "content": asked}, brought], [ran, {"type": "text", "text": "18."}], "end_turn"),
    ]
    events = []
    for at, (messages, content, stop_reason) in enumerate(steps):
        answer = {"type": "message", "model": "claude-m", "content": content, "stop_reason": stop_reason}
        body = json.dumps({"model": "claude-m", "max_tokens": 9, "messages": messages}).encode()
        one = exchange(at * 600, body=body, response_chunks=(json.dumps(answer).encode(),), **where)
        events += book.record(read(one), one)
    told = {e.properties["tool_name"]: e.properties for e in events if e.event_type == "tool_called"}
    assert len(told) == kinds(events).count("tool_called") == 2
    assert told["look"]["tool_result"] == "18 degrees"
    assert told["code_execution"]["success"] is success
    assert result in told["code_execution"]["tool_result"]
    assert "latency_ms" not in told["code_execution"]


def test_a_result_that_never_comes(book):
    """After a minute, at a flush, or at the run's end the call is told without a result; never twice."""
    binding = Binding()
    book.record(asked(PARIS, ROME), exchange(binding=binding))
    assert book.tick(NEW_YEAR + 59_000) == []
    late = book.tick(NEW_YEAR + 60_200)
    assert kinds(late) == ["tool_called", "tool_called"]
    assert not {"tool_result", "success", "latency_ms"} & late[0].properties.keys()
    assert kinds(book.end_all(NEW_YEAR + 61_000, "exit")) == ["llm_run_finished"]


def test_the_wait_is_configured():
    """``tool_result_timeout_ms`` is how long a call waits."""
    book = RunRegistry(AIConfig(tool_result_timeout_ms=1000))
    book.record(asked(PARIS), exchange())
    assert kinds(book.tick(NEW_YEAR + 1200)) == ["tool_called"]


def test_waiting_calls_are_bounded():
    """The oldest is told without its result when too many wait."""
    book = RunRegistry(max_pending=1)
    assert kinds(book.record(asked(PARIS, ROME), exchange()))[-1] == "tool_called"


@pytest.mark.parametrize(
    ("option", "gone", "kept"),
    [
        ("exclude_tool_parameters", "tool_parameters", "tool_result"),
        ("exclude_tool_results", "tool_result", "tool_parameters"),
    ],
)
def test_privacy_of_tools(option, gone, kept):
    """Each side can be left out alone."""
    book = RunRegistry(AIConfig(**{option: True}))
    binding = Binding()
    book.record(asked(PARIS), exchange(binding=binding))
    said = only(book.record(brought(ToolResult("call-1", "18")), exchange(1, binding=binding)), "tool_called")
    assert gone not in said
    assert kept in said


@pytest.mark.parametrize(
    ("tool", "result", "expected"),
    [
        (ToolCall("transfer_to_billing", "call-1", {}), None, "billing"),  # LangGraph's and AutoGen's swarms
        (ToolCall("transfer_to_billing_agent", "call-1", {}), '{"assistant": "Billing agent"}', "Billing agent"),
        (ToolCall("escalate", "call-1", {}), '{"assistant": "Billing agent"}', "Billing agent"),  # openai-agents
        (ToolCall("transfer_to_agent", "call-1", {"agent_name": "billing"}), None, "billing"),  # google-adk
        (ToolCall("handoff_to_agent", "call-1", {"agent_name": "billing", "message": "m"}), None, "billing"),  # Strands
        (ToolCall("Handoff-transfer_to_billing", "call-1", {}), None, "billing"),  # Semantic Kernel
        (ToolCall("transfer_to_agent", "call-1", "broken"), None, None),
        (ToolCall("get_weather", "call-1", {"agent_name": "billing"}), '{"assistant": 1}', None),
        (ToolCall("get_weather", "call-1", {}), '{"assistant": "a", "more": 1}', None),
        (ToolCall("get_weather", "call-1", {}), '{"assistant": broken', None),
    ],
)
def test_handoffs(book, tool, result, expected):
    """By the tool's name, by its argument where one tool hands over to any, by the result in its own spelling."""
    binding = Binding()
    events = book.record(asked(tool), exchange(binding=binding))
    events = book.record(brought(ToolResult("call-1", result)), exchange(600, binding=binding))
    assert only(events, "tool_called").get("handoff_to") == expected


def test_a_handoff_that_privacy_keeps_to_itself(book):
    """What only arguments or results say is left out with them; a tool's name is none."""
    for config in (AIConfig(privacy_mode=True), AIConfig(exclude_tool_parameters=True, exclude_tool_results=True)):
        binding = Binding(config=config)
        tools = (
            ToolCall("transfer_to_agent", "call-1", {"agent_name": "billing"}),
            ToolCall("escalate", "call-2", {}),
            ToolCall("transfer_to_sales", "call-3", {}),
        )
        told = book.record(asked(*tools), exchange(binding=binding))
        results = brought(ToolResult("call-2", '{"assistant": "billing"}'), ToolResult("call-1", "ok"))
        told += book.record(results, exchange(600, binding=binding))
        told += book.end_all(NEW_YEAR + 10_000, "exit")
        named = [e.properties.get("handoff_to") for e in told if e.event_type == "tool_called"]
        assert named == [None, None, "sales"]
