"""How calls of one run are told apart and joined: attempts, endings, results of tools, models; and where that stops."""

import pytest

from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, CallError, Message, Outcome, Scope, ToolCall, ToolResult, Usage
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions._tool_errors import tool_success
from amplitude_ai.sessions._totals import RunStats

from .records import NEW_YEAR, call, exchange, kinds, only

FAILED = {"answer": None, "usage": Usage(), "error": CallError("overloaded"), "finish_reason": None}
MINUTE = 60_000


@pytest.fixture
def ask():
    """Makes a call of one run; its answer's properties."""
    book, binding = RunRegistry(), Binding()

    def record(at, body=b"same", fails=False, where=None, **changes):
        facts = {**(FAILED if fails else {}), **changes}
        found = exchange(at, binding=binding, body=body, **{"status": 529 if fails else 200, **(where or {})})
        return only(book.record(call("Hello", **facts), found), "llm_message")

    return record


# Attempts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pause_ms", "attempt"), [(0, 1), (2 * MINUTE, 1), (2 * MINUTE + 1, 0), (-1, 0)])
def test_how_long_a_failure_waits_for_its_retry(ask, pause_ms, attempt):
    """Two minutes from its end; what began before that runs beside it."""
    first = ask(0, fails=True)
    second = ask(100 + pause_ms)
    assert second["attempt"] == attempt
    assert (first["call_id"] == second["call_id"]) is bool(attempt)


def test_failures_of_one_request_are_bounded(ask):
    """Of ten parallel failures the last eight are known."""
    for number in range(10):
        ask(number, fails=True)
    attempts = [ask(1000 + number)["attempt"] for number in range(10)]
    assert attempts == [1] * 8 + [0] * 2


def test_requests_that_failed_are_bounded(ask):
    """Of 65 the one that failed longest ago is forgotten; one that failed again is young."""
    for number in range(64):
        ask(number, body=b"%d" % number, fails=True)
    ask(100, body=b"0", fails=True, where={"latency_ms": 1}, retry_count=0)
    ask(200, body=b"64", fails=True)
    assert [ask(500, body=b"%d" % number)["attempt"] for number in (0, 1, 2, 64)] == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("where", "changes", "final"),
    [
        ({}, {}, True),
        *(({"status": status}, FAILED, True) for status in (400, 401, 403, 404, 422)),
        *(({"status": status}, FAILED, None) for status in (408, 409, 425, 429, 500, 503, 529)),
        ({"status": 400, "response_headers": {"x-should-retry": "true"}}, FAILED, None),
        ({"status": 503, "response_headers": {"x-should-retry": "false"}}, FAILED, True),
        ({"status": None, "outcome": Outcome.ERROR}, FAILED, None),
        ({"status": None, "outcome": Outcome.CANCELLED}, FAILED, True),
        ({"status": 200}, FAILED, True),
    ],
)
def test_which_attempt_is_the_last(ask, where, changes, final):
    """A success, a refusal that no SDK repeats, a cancellation, an answer that broke off; of others nobody knows."""
    assert ask(0, where=where, **changes).get("is_final_attempt") is final


# How a call ended ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        *("content_filter", "content_filtered", "guardrail_intervened", "SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT"),
        *("SPII", "IMAGE_SAFETY", "RECITATION", "MODEL_ARMOR", "JAILBREAK"),
    ],
)
def test_what_was_blocked_before_a_word_came(ask, reason):
    """OpenAI's, Azure's, Bedrock's and Gemini's words for it; with a word it is an answer."""
    assert ask(0, answer=None, finish_reason=reason)["error_type"] == "content_blocked"
    assert ask(1, finish_reason=reason)["success"] is True


@pytest.mark.parametrize(
    "reason",
    ["length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_length", "model_context_window_exceeded"],
)
def test_what_spent_its_limit_before_a_word_came(ask, reason):
    """Thoughts took all of it; a tool call is a word, and so is a text."""
    said = ask(0, answer=None, finish_reason=reason)
    assert (said["success"], said["error_type"]) == (False, "max_tokens_without_content")
    assert ask(1, finish_reason=reason)["success"] is True
    assert ask(2, answer=None, finish_reason=reason, tool_calls=(ToolCall("look"),))["success"] is True


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"finish_reason": "stop"}, {}),
        ({"finish_reason": None}, {}),
        ({"finish_reason": "length", "operation": "embeddings"}, {}),
        ({"finish_reason": "length", "parse_error": "Truncated"}, {}),
        ({"finish_reason": "length"}, {"response_truncated": True}),
    ],
)
def test_an_answer_without_a_word_that_is_none_of_these(ask, changes, where):
    """An empty answer is one; what could not be read says nothing."""
    assert ask(0, answer=None, where=where, **changes)["success"] is True


# How a tool ended ----------------------------------------------------------------------------------------------------

FAILURES = [
    "Error: boom",
    "  Error: boom",
    *(
        f"Error {doing} {what} look: no"
        for doing in ("executing", "invoking", "calling", "running")
        for what in ("tool", "task")
    ),
    "KeyError: 'a'",
    "Error executing tool. coworker mentioned not found, it must be one of: a",
    "Error: ToolException('x')\n Please fix your mistakes.",
    "KeyError",
    "httpx.ConnectError: no route",
    "ToolException('no')",
    "my.own.CustomException: no",
    "Traceback (most recent call last):\n  File",
    *(f"An error occurred while {doing} the tool. No." for doing in ("running", "executing", "calling")),
    "I encountered an error while trying",
    "Encountered error: no",
    "Validation Error found:\nno",
    "Validation Errors(s) found:\nno",
    "1 validation error for Weather",
    "12 validation errors: no",
    "<error>no</error>",
    "<tool_use_error>no</tool_use_error>",
    "Execution error in look: no",
    "Error executing tool 'look' with arguments {}: ValueError: no",
    "An error occurred while invoking the function Shop-look: no",
    "Failed to invoke Tool `look` with parameters {}. Error: no",
    "Tool 'look' failed after 3 attempts with ValueError: no",
    "Tool execution failed: no",
    "The tool has failed; the error log is shown below. If the tool cannot accomplish what you want,",
    "The function has failed; the error log is shown below.",
    "Activity input JSON validation error: Missing key: 'order'",
    'Error calling function "look": no',
    "No such city.\nFix the errors and try again.",
    "No such city.\n Please fix your mistakes. \n",
    *({name: True} for name in ("isError", "is_error", "error", "failed")),
    *({name: False} for name in ("success", "ok", "succeeded")),
    *({"status": word} for word in ("error", "FAILED", "failure")),
    {"error": "no"},
    {"exception": "no"},
    {"error": ["no"]},
    {"result": "Error: no"},
    {"output": "Error: no"},
    '{"error": "no"}',
    ' {"status": "error"}',
    '"Error: no"',
]
DOUBTFUL = [
    "Error handling guide: use try",
    *("error in your favour", "Exception handling", "failed", "failure is an option", "fatal", "Unable to say"),
    *("couldn't", "could not", "cannot", "can't", "time out", "timed out", "timeout", "invalid", "not found"),
    *("no such", "denied", "permission denied", "unauthorized", "Forbidden", "[error] no", "❌ no", "⚠ no"),
]
FINE = [
    *("Sunny", "", "Terror: a film", "An Errors-and-omissions policy", "The error: none"),
    *({"error": value} for value in (None, False, "", [], {}, 0)),
    *({"success": True}, {"status": "ok"}, {"status": 500}, {"result": "Sunny"}, {"result": 1}, [], 7),
    {"result": "Error: no", "n": 1},
    '{"error": null, "t": 1}',
    '{"a": 1}',
    '{"broken": ',
    '"Sunny"',
    '"broken',
    "[1, 2]",
]


@pytest.mark.parametrize(
    ("content", "expected"),
    [*((one, False) for one in FAILURES), *((one, None) for one in DOUBTFUL), *((one, True) for one in FINE)],
    ids=repr,
)
def test_how_a_tool_ended(content, expected):
    """Known wordings and an exception's text are failures; what only reads like one is unknown."""
    assert tool_success(content, None) is expected


@pytest.mark.parametrize("content", ["Sunny", "Error: no", {"error": "no"}])
def test_the_wires_own_word_wins(content):
    """Where the format says how the tool ended."""
    assert (tool_success(content, True), tool_success(content, False)) == (True, False)


# Tools offered, models, sessions by hand -----------------------------------------------------------------------------


def test_names_of_the_tools_offered(ask):
    """In every format's shape; what is no definition is passed over, and long lists and names are cut."""
    offered = (
        "no definition",
        {"functionDeclarations": [{"name": "a"}, {"name": "b"}]},
        {"function_declarations": [{"name": "c"}]},
        {"type": "function", "function": {"name": "d"}},
        {"toolSpec": {"name": "e"}},
        {"name": "f", "input_schema": {}},
        {"type": "web_search"},
        {"description": "nameless"},
    )
    assert ask(0, tool_definitions=offered)["tool_names"] == "a, b, c, d, e, f, web_search"
    many = tuple({"name": f"t{number}"} for number in range(120))
    assert ask(1, tool_definitions=many)["tool_names"].split(", ") == [f"t{number}" for number in range(100)]
    assert ask(2, tool_definitions=({"name": "x" * 300},))["tool_names"] == "x" * 200


def test_models_of_a_run():
    """Twenty that answered, in their order; one that failed answered nothing."""
    book, binding = RunRegistry(), Binding()
    book.record(
        call("Hello", model="broken", **{**FAILED, "usage": Usage(1, 1)}), exchange(binding=binding, status=500)
    )
    for number in range(25):
        book.record(call(f"Hello {number}", model=f"m{number % 22}"), exchange(number, binding=binding))
    (finished,) = (one.properties for one in book.end_all(NEW_YEAR, "exit") if one.event_type == "llm_run_finished")
    assert finished["model_names"].split(", ") == [f"m{number}" for number in range(20)]


def test_a_session_by_hand_ends_alone():
    """Of two at once, only the one that is over reports the tools that wait."""
    book, ours, theirs = RunRegistry(), RunStats(), RunStats()
    for name, totals in (("ours", ours), ("theirs", theirs)):
        where = exchange(context=Scope(Binding(), session_id=name, managed_session=True, totals=totals))
        book.record(call("Hello", tool_calls=(ToolCall(name, "c1", {}),), answer=None), where)
    book.take_tool(theirs, "theirs", "another")
    assert [one.properties["tool_name"] for one in book.end_managed(ours, NEW_YEAR)] == ["ours"]
    book.take_tool(theirs, "theirs", None)
    assert book.end_managed(theirs, NEW_YEAR) == []


def test_an_answer_is_found_by_its_id():
    """For feedback: the last 4,096 of them, whose ids are no longer than 512 characters."""
    book, binding = RunRegistry(), Binding()
    for number in range(4097):
        book.record(call("Hello", response_id=f"r{number}"), exchange(number, binding=binding, user_id="ann"))
    for long in (512, 513):
        book.record(call("Hello", response_id="x" * long), exchange(5000 + long, binding=binding))
    origin, message_id = book.answer("r2")
    assert (origin.scope.user_id, bool(message_id)) == ("ann", True)
    assert [book.answer(name) is None for name in ("r0", "r1", "r4096", "x" * 512, "x" * 513)] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_a_result_without_an_id_finds_its_call_by_name():
    """The other one goes on waiting."""
    book, binding = RunRegistry(), Binding()
    asks = (ToolCall("a", None, {"q": 1}), ToolCall("b", None, {"q": 2}))
    book.record(call("Go", tool_calls=asks, answer=None), exchange(binding=binding))
    told = book.record(
        call("Go", Message("assistant", ""), Message("tool", ""), tool_results=(ToolResult(None, "x", "a"),)),
        exchange(500, binding=binding),
    )
    assert [one.properties["tool_name"] for one in told if one.event_type == "tool_called"] == ["a"]
    assert "tool_called" in kinds(book.release_tools(0))


@pytest.mark.swallows
def test_a_tool_that_cannot_be_made_safe_takes_no_other_with_it():
    """Of three calls the hook fails for one: the two others are told."""

    def refuse(text):
        if "secret" in text:
            raise ValueError
        return text

    book, binding = RunRegistry(AIConfig(redact=refuse)), Binding()
    asks = tuple(ToolCall(name, name, {"q": q}) for name, q in (("a", "x"), ("b", "secret"), ("c", "y")))
    book.record(call("Go", tool_calls=asks, answer=None), exchange(binding=binding))
    assert [one.properties["tool_name"] for one in book.release_tools(0)] == ["a", "c"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"error": "no such city"}, '{"error": "no such city"}'),
        ("ValueError: bad", "ValueError: bad"),
        ({"status": "error", "é": 1}, '{"status": "error", "é": 1}'),
    ],
)
def test_what_a_failed_tool_says(content, error):
    """Its text, or its value as one."""
    book, binding = RunRegistry(), Binding()
    book.record(call("Go", tool_calls=(ToolCall("a", "c1", {}),), answer=None), exchange(binding=binding))
    brought = call("Go", Message("assistant", ""), Message("tool", ""), tool_results=(ToolResult("c1", content),))
    said = only(book.record(brought, exchange(300, binding=binding)), "tool_called")
    assert (said["success"], said["error_message"]) == (False, error)
    ran = ToolCall("b", "c2", {}, executed=True, result=content)
    said = only(book.record(call("Go", tool_calls=(ran,)), exchange(600, binding=binding)), "tool_called")
    assert (said["success"], said["error_message"]) == (False, error)


def test_a_tool_that_a_framework_ran():
    """It is the one that waits, in its own words, with what the framework knows beside what the call had."""
    book, binding = RunRegistry(), Binding()
    asked = Scope(binding, user_id="ann", session_id="s", properties={"tier": "pro", "step": "ask"})
    book.record(call("Go", tool_calls=(ToolCall("a", "c1", {"q": 1}),), answer=None), exchange(context=asked))
    ran = Scope(binding, user_id="ann", session_id="s", properties={"step": "run", "node": "tools"})
    (event,) = book.record_tool(ToolCall("a", "c1", {"q": 1}, result="Sunny"), exchange(200, context=ran))
    said = event.properties
    assert (event.scope.user_id, said["session_id"], said["tool_result"]) == ("ann", "s", "Sunny")
    assert (said["tier"], said["step"], said["node"]) == ("pro", "run", "tools")
    assert book.release_tools(0) == []
    (other,) = book.record_tool(ToolCall("b", None, {}), exchange(400, context=ran))
    assert (other.properties["tool_name"], "tier" in other.properties) == ("b", False)


def test_agents_of_a_run_are_bounded():
    """Of 33 the one that spoke longest ago has no last prompt any more; the others have."""
    book, binding = RunRegistry(), Binding()

    def prompt(at, agent, model):
        where = exchange(at, context=Scope(binding, session_id="s", properties={"agent": agent}), body=b"%d" % at)
        return only(book.record(call("Hello", requested_model=model), where), "llm_message").get("cache_break")

    for number in range(33):
        prompt(number * 1000, f"agent {number}", "gpt-4o")
    assert [prompt(99_000 + n, f"agent {n}", "o3") for n in (0, 2, 32)] == [None, "model", "model"]


@pytest.mark.swallows
def test_an_answer_that_cannot_be_made_safe_is_counted():
    """Its event is lost, the run's totals still know of it and of how it ended."""

    def refuse(text):
        raise ValueError

    book, binding = RunRegistry(AIConfig(redact=refuse)), Binding()
    told = book.record(call("Hello"), exchange(binding=binding, body=b"1"))
    told += book.record(call("Hello", **FAILED), exchange(500, binding=binding, status=400, body=b"2"))
    assert kinds(told) == ["llm_run_started"]
    finished = only(book.end_all(NEW_YEAR + 999, "exit"), "llm_run_finished")
    assert (finished["total_messages"], finished["total_errors"], finished["success"]) == (2, 1, False)
