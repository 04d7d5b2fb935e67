"""What an answer of OpenAI's Responses may say besides its text: items of every kind, whole and in pieces."""

import pytest

from .answers import DATA, OPENAI, answered, facts, tools

ITEMS = {
    "function": ({"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"q": 1}'},
                 ("look", {"q": 1}, "function", False, None, None, None)),
    "a function that failed half-way": (
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"q": '},
        ("look", '{"q": ', "function", False, None, None, None)),
    "custom": ({"type": "custom_tool_call", "call_id": "c1", "name": "run", "input": '{"is": "text"}'},
               ("run", '{"is": "text"}', "function", False, None, None, None)),
    "web search": ({"type": "web_search_call", "id": "w1", "status": "completed", "action": {"query": "x"}},
                   ("web_search", {"query": "x"}, "web_search", True, None, True, None)),
    "file search": ({"type": "file_search_call", "id": "f1", "status": "incomplete", "queries": ["x"], "results": [1]},
                    ("file_search", {"queries": ["x"]}, "file_search", True, [1], False, None)),
    "code": ({"type": "code_interpreter_call", "id": "i1", "code": "1+1", "status": "failed",
              "outputs": [{"type": "logs", "logs": "2"}, {"type": "image", "url": "x"}]},
             ("code_interpreter", {"code": "1+1"}, "code_interpreter", True, [{"logs": "2"}, "[image]"], False, None)),
    "an image": ({"type": "image_generation_call", "id": "g1", "status": "completed", "result": DATA,
                  "output_format": "webp", "revised_prompt": "A cat."},
                 ("image_generation", {"prompt": "A cat."}, "image_generation", True, "[image image/webp 2 KB]", True,
                   None)),
    "an image of no format": ({"type": "image_generation_call", "id": "g1", "result": DATA},
                              ("image_generation", None, "image_generation", True, "[image image/png 2 KB]", None,
                                None)),
    "an image that never came": ({"type": "image_generation_call", "id": "g1", "status": "generating"},
                                 ("image_generation", None, "image_generation", True, None, None, None)),
    "MCP": ({"type": "mcp_call", "id": "m1", "name": "ask", "arguments": '{"q": 1}', "output": "Yes",
        "status": "completed"},
            ("ask", {"q": 1}, "mcp", True, "Yes", True, None)),
    "MCP that failed": ({"type": "mcp_call", "id": "m1", "name": "ask", "arguments": "{}", "error": "No"},
                        ("ask", {}, "mcp", True, None, False, "No")),
    "MCP that failed, in an object": (
        {"type": "mcp_call", "id": "m1", "name": "ask", "arguments": "{}", "error": {"message": "No"},
          "status": "completed"},
        ("ask", {}, "mcp", True, None, False, "No")),
    "MCP that failed, in parts": (
        {"type": "mcp_call", "id": "m1", "name": "ask", "arguments": "{}", "error": {"type": "text", "text": "No"}},
        ("ask", {}, "mcp", True, None, False, "No")),
    "a computer": ({"type": "computer_call", "call_id": "c1", "actions": [{"type": "click"}]},
                   ("computer", [{"type": "click"}], "computer", False, None, None, None)),
    "a patch": ({"type": "apply_patch_call", "call_id": "c1", "operation": {"type": "update"}, "status": "completed"},
                ("apply_patch", {"type": "update"}, "apply_patch", False, None, None, None)),
    "tool search by the server": ({"type": "tool_search_call", "call_id": None, "id": "t1", "arguments": {"q": "x"}},
                                  ("tool_search", {"q": "x"}, "tool_search", True, None, None, None)),
    "xAI's own": ({"type": "x_search_call", "id": "x1", "input": '{"q": 1}', "status": "completed"},
                  ("x_search", {"q": 1}, "x_search", True, None, True, None)),
    "OpenRouter's own": ({"type": "openrouter:web_search_call", "id": "o1", "status": "completed"},
                         ("web_search", None, "web_search", True, None, True, None)),
}  # fmt: skip


@pytest.mark.parametrize("name", ITEMS)
def test_items_of_a_response(name):
    """openai ``types/responses/response_output_item.py``; an item that awaits a result has a ``call_id``."""
    item, expected = ITEMS[name]
    assert tools(answered(f"{OPENAI}/responses", {"output": [item], "status": "completed"})) == [expected]


@pytest.mark.parametrize("kind", ["mcp_approval_request", "mcp_list_tools", "reasoning", "message"])
def test_items_that_call_nothing(kind):
    """Requests for leave, lists and thoughts."""
    assert tools(answered(f"{OPENAI}/responses", {"output": [{"type": kind, "name": "x"}]})) == []


def test_a_result_among_the_items():
    """A hosted shell's output stands beside its call, and belongs to it."""
    output = [
        {"type": "shell_call", "call_id": "s1", "action": {"commands": ["ls"]}, "status": "completed"},
        {"type": "shell_call", "call_id": "s2", "action": {"commands": ["pwd"]}},
        {"type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "a"}]},
        {"type": "tool_search_call", "call_id": "t1", "execution": "server", "arguments": {}},
        {"type": "tool_search_output", "call_id": "t1", "tools": ["look"]},
    ]
    assert tools(answered(f"{OPENAI}/responses", {"output": output})) == [
        ("shell", {"commands": ["ls"]}, "shell", True, [{"stdout": "a"}], True, None),
        ("shell", {"commands": ["pwd"]}, "shell", False, None, None, None),
        ("tool_search", {}, "tool_search", True, ["look"], None, None),
    ]


def test_searches_of_a_response():
    """Billed by the request, and counted beside the tokens."""
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    body = {"output": [], "usage": usage, "tool_usage": {"web_search": {"num_requests": 2}}}
    assert answered(f"{OPENAI}/responses", body).usage.extra == {"web_searches": 2}


def test_texts_of_a_response():
    """Those of all messages; a refusal where there is none; an empty text is one."""
    said = {
        "type": "message",
        "content": [{"type": "output_text", "text": "Yes"}, {"type": "output_text", "text": "."}],
    }
    refused = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    empty = {"type": "message", "content": [{"type": "output_text", "text": ""}]}
    texts = [
        answered(f"{OPENAI}/responses", {"output": output}).output_text
        for output in ([said, said], [refused], [said, refused], [empty], [empty, refused], [{"type": "reasoning"}], [])
    ]
    assert texts == ["Yes.Yes.", "No.", "Yes.", "", "No.", None, None]


def event(kind, **more):
    """An event of a Responses stream."""
    return (kind, {"type": kind, **more})


def item(index, **more):
    """An item that begins."""
    return event("response.output_item.added", output_index=index, item=more)


FUNCTION = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": ""}
STARTED = event("response.created", response={"id": "r1", "model": "m-1", "status": "in_progress", "output": []})
CUT = {
    "a text": (
        [
            event("response.output_text.delta", output_index=0, content_index=0, delta="Yes"),
            event("response.output_text.delta", output_index=0, content_index=0, delta="."),
        ],
        {"output_text": "Yes.", "finish_reason": None, "response_id": "r1", "model": "m-1", "complete": False},
    ),
    "two parts, out of order": (
        [
            event("response.output_text.delta", output_index=0, content_index=1, delta="two"),
            event("response.output_text.delta", output_index=0, content_index=0, delta="one "),
        ],
        {"output_text": "one two"},
    ),
    "two items, out of order": (
        [
            event("response.output_text.delta", output_index=1, delta="two"),
            event("response.output_text.delta", output_index=0, delta="one "),
        ],
        {"output_text": "one two"},
    ),
    "items without a number": (
        [
            event(
                "response.output_item.done", item={"type": "message", "content": [{"type": "output_text", "text": "a"}]}
            ),
            event(
                "response.output_item.done", item={"type": "message", "content": [{"type": "output_text", "text": "b"}]}
            ),
        ],
        {"output_text": "ab"},
    ),
    "the finished text in place of its pieces": (
        [
            event("response.output_text.delta", output_index=0, delta="lost"),
            event("response.output_text.done", output_index=0, text="Whole."),
        ],
        {"output_text": "Whole."},
    ),
    "a refusal": (
        [
            event("response.refusal.delta", output_index=0, delta="N"),
            event("response.refusal.done", output_index=0, refusal="No."),
        ],
        {"output_text": "No."},
    ),
    "arguments in pieces": (
        [
            item(0, **FUNCTION),
            event("response.function_call_arguments.delta", output_index=0, delta='{"q"'),
            event("response.function_call_arguments.delta", output_index=0, delta=": 1}"),
        ],
        {"tools": [("look", "c1", {"q": 1})]},
    ),
    "arguments at the end": (
        [item(0, **FUNCTION), event("response.function_call_arguments.done", output_index=0, arguments='{"q": 1}')],
        {"tools": [("look", "c1", {"q": 1})]},
    ),
    "a custom tool's input": (
        [
            item(0, type="custom_tool_call", call_id="c1", name="run", input=""),
            event("response.custom_tool_call_input.delta", output_index=0, delta="ls"),
        ],
        {"tools": [("run", "c1", "ls")]},
    ),
    "MCP's arguments": (
        [
            item(0, type="mcp_call", id="m1", name="ask", arguments=""),
            event("response.mcp_call_arguments.done", output_index=0, arguments='{"q": 1}'),
        ],
        {"tools": [("ask", "m1", {"q": 1})], "executed": [True]},
    ),
    "code": (
        [
            item(0, type="code_interpreter_call", id="i1", code=""),
            event("response.code_interpreter_call_code.delta", output_index=0, delta="1+1"),
        ],
        {"tools": [("code_interpreter", "i1", {"code": "1+1"})]},
    ),
    "an item that is done": (
        [
            item(0, **FUNCTION),
            event("response.function_call_arguments.delta", output_index=0, delta='{"q"'),
            event("response.output_item.done", output_index=0, item={**FUNCTION, "arguments": '{"q": 2}'}),
        ],
        {"tools": [("look", "c1", {"q": 2})]},
    ),
}


@pytest.mark.parametrize("end", ["cut", "empty"])
@pytest.mark.parametrize("name", CUT)
def test_pieces_of_a_response(name, end):
    """What came stands, where the stream was cut and where the terminal event leaves ``output`` out."""
    frames, expected = CUT[name]
    last = [] if end == "cut" else [event("response.completed", response={"id": "r1", "output": []})]
    call = answered(f"{OPENAI}/responses", [STARTED, *frames, *last], kind="sse")
    if end != "cut":
        expected = {**expected, "complete": True, "finish_reason": "in_progress"}
    assert facts(call, expected) == expected


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_the_end_of_a_response(status):
    """Any terminal event makes it complete; the response it carries wins over all that came in pieces."""
    said = [{"type": "message", "content": [{"type": "output_text", "text": "Whole."}]}]
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    ended = event(f"response.{status}", response={"id": "r1", "status": status, "output": said, "usage": usage})
    call = answered(f"{OPENAI}/responses", [STARTED, *CUT["a text"][0], ended], kind="sse")
    assert (call.complete, call.output_text, call.finish_reason) == (True, "Whole.", status)
    assert (call.usage.input_tokens, call.usage.output_tokens) == (7, 3)
    assert (call.error is not None) is (status == "failed")


def test_an_error_event_without_words():
    """Is an error all the same."""
    call = answered(f"{OPENAI}/responses", [STARTED, event("error")], kind="sse")
    assert call.error.message == "an error event without a message"
