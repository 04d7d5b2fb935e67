"""Tools that are asked for by what a model writes, and answered in a later request's text."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplitude_ai._models import Message, ToolCall
from amplitude_ai.sessions._scripted import spoken
from amplitude_ai.sessions.written._formats import FORMATS, written_calls, written_results

from .records import call, exchange


def tools(events):
    """(name, parameters, result, success) of the tools."""
    found = [event.properties for event in events if event.event_type == "tool_called"]
    return [(one["tool_name"], one.get("tool_parameters"), one.get("tool_result"), one.get("success")) for one in found]


def said(events):
    """The contents of the user messages."""
    return [event.properties["content"] for event in events if event.event_type == "user_message"]


# DSPy -----------------------------------------------------------------------------------------------------------

DSPY = Message(
    "system",
    "Your output fields are:\n1. `next_thought` (str): \n2. `next_tool_name` (Literal['look', 'finish']): \n"
    "3. `next_tool_args` (dict[str, Any]): \nWhen selecting the next_tool_name and its next_tool_args, the tool must "
    "be one of:\n\n(1) look, whose description is <desc>Look.</desc>. It takes arguments {}.\n(2) finish, whose "
    "description is <desc>Marks the task as complete.</desc>. It takes arguments {}.",
)
TAILS = {
    "chat": "Respond with the corresponding output fields, starting with the field `[[ ## next_thought ## ]]`, then "
    "`[[ ## next_tool_name ## ]]` (must be formatted as a valid Python Literal['look', 'finish']), then "
    "`[[ ## next_tool_args ## ]]` (must be formatted as a valid Python dict[str, Any]), and then ending with the "
    "marker for `[[ ## completed ## ]]`.",
    "json": "Respond with a JSON object in the following order of fields: `next_thought`, then `next_tool_name` (must "
    "be formatted as a valid Python Literal['look', 'finish']), then `next_tool_args` (must be formatted as a valid "
    "Python dict[str, Any]).",
    "xml": "Respond with the corresponding output fields wrapped in XML tags `<next_thought>`, then "
    "`<next_tool_name>`, then `<next_tool_args>`. Use this nested XML structure: <next_tool_args>...</next_tool_args>",
}
EXTRACT = "Respond with the corresponding output fields, starting with the field `[[ ## answer ## ]]`."


def field(name, value, adapter="chat"):
    """A field as DSPy writes it."""
    return f"<{name}>\n{value}\n</{name}>" if adapter == "xml" else f"[[ ## {name} ## ]]\n{value}"


def request(*steps, adapter="chat", tail=None, question="Where is A1?"):
    """The user turn of a step, after ``steps``: (name, arguments, observation)."""
    done = "\n\n".join(
        field(f"{name}_{number}", value, adapter)
        for number, step in enumerate(steps)
        for name, value in zip(("thought", "tool_name", "tool_args", "observation"), ("Look.", *step), strict=True)
    )
    fields = (field("question", question, adapter), field("trajectory", done, adapter))
    return "\n\n".join((*fields, tail or TAILS[adapter]))


def answer(name, arguments, adapter="chat"):
    """What a model answers."""
    given = {"next_thought": "Look.", "next_tool_name": name, "next_tool_args": arguments}
    if adapter == "json":
        return json.dumps(given)
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return "\n\n".join(field(key, value, adapter) for key, value in texts.items())


@pytest.mark.parametrize("adapter", TAILS)
def test_an_agent_of_dspy_has_its_tools(book, binding, adapter):
    """Each with arguments and result, one that failed too; none for `finish`; and one question is asked."""
    shipped, failed = ("look", '{"order": "A1"}', "shipped"), ("look", '{"order": "B2"}', "Execution error in look: no")
    talks = [
        (request(adapter=adapter), answer("look", {"order": "A1"}, adapter)),
        (request(shipped, adapter=adapter), answer("look", {"order": "B2"}, adapter)),
        (request(shipped, failed, adapter=adapter), answer("finish", {}, adapter)),
        (request(shipped, failed, ("finish", "{}", "Completed."), adapter=adapter, tail=EXTRACT), "[[ ## answer ## ]]"),
    ]
    events = [
        book.record(call(DSPY, text, answer=told), exchange(number * 200, binding=binding, body=b"%d" % number))
        for number, (text, told) in enumerate(talks)
    ]
    assert [tools(some) for some in events] == [
        [],
        [("look", '{"order":"A1"}', "shipped", True)],
        [("look", '{"order":"B2"}', "Execution error in look: no", False)],
        [],
    ]
    assert book.release_tools(10_000) == []
    counts = [
        event.properties.get("tool_call_count")
        for some in events
        for event in some
        if "output_content" in event.properties
    ]
    assert counts == [1, 1, 0, 0]


def test_the_same_call_again_has_its_own_result(book, binding):
    """In a loop each observation is the next step's; what an observation says is no step."""
    first = ("look", "{}", "nothing\n\n[[ ## tool_name_1 ## ]]\nlook\n\n[[ ## observation_1 ## ]]\nfalse")
    texts = [request(), request(first), request(first, ("look", "{}", "something"))]
    found = [
        tools(book.record(call(DSPY, text, answer=answer("look", {})), exchange(number * 200, binding=binding)))
        for number, text in enumerate(texts)
    ]
    assert [[one[2] for one in some] for some in found] == [[], [first[2]], ["something"]]


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ('{"order": "A1", "n": 2}', {"order": "A1", "n": 2}),
        ("{'order': 'A1', 'all': True}", {"order": "A1", "all": True}),
        ("<order>A1</order>\n<n>2</n>", {"order": "A1", "n": "2"}),
        ("{order: A1", "{order: A1"),
        ("", ""),
    ],
)
def test_arguments_in_the_forms_dspy_reads(written, arguments):
    """JSON, Python's, elements; what cannot be read is told as it stands."""
    (one,) = written_calls(call(DSPY, request(), answer=answer("look", written)))
    assert one.tool == ToolCall("look", arguments=arguments)


NOT_OFFERED = {
    "no system prompt": call(request(), answer=answer("look", {})),
    "a system prompt of something else": call(Message("system", "Be kind."), request(), answer=answer("look", {})),
    "a question about DSPy": call(DSPY, "What is next_tool_name?", answer=answer("look", {})),
    "another step of the program": call(DSPY, request(tail=EXTRACT), answer=answer("look", {})),
    "a tool that is not there": call(DSPY, request(), answer=answer("delete_all", {})),
    "no arguments": call(DSPY, request(), answer="[[ ## next_tool_name ## ]]\nlook"),
    "a name that is none": call(DSPY, request(adapter="json"), answer='{"next_tool_name": 1, "next_tool_args": {}}'),
    "no JSON": call(DSPY, request(adapter="json"), answer="{next_tool_name"),
    "a list": call(DSPY, request(adapter="json"), answer='["next_tool_name {", "}"]'),
    "an open element": call(DSPY, request(adapter="xml"), answer="<next_tool_name>look"),
    "an essay": call(DSPY, request(), answer=answer("look", {}) + "x" * 300_000),
    "a call of its own": call(DSPY, request(), answer=answer("look", {}), tool_calls=(ToolCall("look"),)),
}


@pytest.mark.parametrize("one", NOT_OFFERED.values(), ids=NOT_OFFERED)
def test_what_no_program_asked_for_is_no_tool(one):
    """A text that only looks like it."""
    assert written_calls(one) == []


def test_what_only_looks_like_a_step_is_no_result(book, binding):
    """Another question's steps, another tool's, a step without an observation: the call waits on."""
    shipped = ("look", "{}", "shipped")
    book.record(call(DSPY, request(), answer=answer("look", {})), exchange(0, binding=binding))
    others = [
        request(shipped, question="Where is A2?"),
        request(("other", "{}", "shipped")),
        request() + "\n\nThat is all.",
        request(shipped).replace("observation_0", "observed"),
        request(shipped).replace("thought_0", "thought"),
        "shipped",
    ]
    for number, text in enumerate(others):
        events = book.record(call(DSPY, text), exchange(number * 200 + 200, binding=binding, body=b"%d" % number))
        assert tools(events) == [], text
    assert tools(book.release_tools(10_000)) == [("look", "{}", None, None)]


def test_the_template_of_the_xml_adapter_is_no_persons():
    """What the fields say is; what only begins like it stays whole."""
    assert spoken(request(adapter="xml")) == "Where is A1?"
    two = "<sky>\nblue\n</sky>\n\n<tone>\nkind\n</tone>\n\n" + TAILS["xml"]
    assert spoken(two) == "sky: blue\ntone: kind"
    for text in ("<b>\nbold\n</b>\n\nRespond with care.", "<b>\nbold\n\n" + TAILS["xml"], "x\n\n" + TAILS["xml"]):
        assert spoken(text) == text


# ReAct ----------------------------------------------------------------------------------------------------------

ONE_PROMPT = (
    "Answer the following questions as best you can. You have access to the following tools:\n\nlook(order) - Look.\n\n"
    "Use the following format:\n\nQuestion: the input question you must answer\nThought: you should always think\n"
    "Action: the action to take, should be one of [look, other]\nAction Input: the input to the action\n"
    "Observation: the result of the action\n\nBegin!\n\nQuestion: Where is A1?\nThought:"
)
CREW = Message(
    "system",
    "You are Billing. Kind.\n\n```\nAction: the action to take, only one name of [look, other], just the name, "
    "exactly as it's written.\nAction Input: the input to the action, just a simple JSON object.\n```",
)
LLAMA = Message(
    "system",
    "```\nThought: I need a tool.\nAction: tool name (one of look, other) if using a tool.\nAction Input: the input to "
    "the tool, in a JSON format representing the kwargs\n```",
)
BLOB = Message("system", 'Use a json blob.\n\nValid "action" values: "Final Answer" or look, other\n\nProvide one.')
LINES = 'I look.\nAction: look\nAction Input: {"order": "A1"}'
OBJECT = 'Action:\n```\n{"action": "look", "action_input": {"order": "A1"}}\n```'
WORK = "\n\nThis was your previous work (but I haven't seen any of it! I only see what you return as final answer):\n"
REPLY = (
    "TOOL RESPONSE: \n---------------------\nshipped\n\nUSER'S INPUT\n--------------------\n\nOkay, so what is the "
    "response to my last comment? Remember to respond with a markdown code snippet."
)
TALK = (
    "TOOLS\n------\nAssistant can ask the user to use tools to look things up.\n\n> look: Look.\n\n```json\n{\n"
    '    "action": string, \\\\ The action to take. Must be one of look, other\n    "action_input": string\n}\n```\n\n'
    "USER'S INPUT\n----\nHere is the user's input (remember to respond with a markdown code snippet of a json blob "
    "with a single action, and NOTHING else):\n\nWhere is A1?"
)
#: What is asked first, what the model answers, and what is asked then.
REACT = {
    "langchain, one prompt": (
        (ONE_PROMPT,),
        LINES,
        (f"{ONE_PROMPT} {LINES}\nObservation: shipped\nThought: ",),
    ),
    "langchain, an object": (
        (BLOB, "Where is A1?"),
        OBJECT,
        (BLOB, f"Where is A1?{WORK}{OBJECT}\nObservation: shipped\nThought:"),
    ),
    "langchain, a conversation": ((TALK,), OBJECT, (TALK, Message("assistant", OBJECT), REPLY)),
    "llama-index": (
        (LLAMA, "Where is A1?"),
        f"Thought: {LINES}",
        (LLAMA, "Where is A1?", Message("assistant", LINES.replace('"', "'")), "Observation: shipped"),
    ),
    "crewai": (
        (CREW, "Where is A1?"),
        f"Thought: {LINES}\nObservation: made up",
        (
            CREW,
            "Where is A1?",
            Message("assistant", f"Thought: {LINES}\nObservation: shipped"),
            "Analyze the tool result. If requirements are met, provide the Final Answer.",
        ),
    ),
}


@pytest.mark.parametrize(("first", "told", "then"), REACT.values(), ids=REACT)
def test_an_agent_that_writes_its_actions_has_its_tools(book, binding, first, told, then):
    """With what came of it, wherever that stands; the question is asked once, without its template."""
    asked = book.record(call(*first, answer=told), exchange(0, binding=binding))
    later = book.record(call(*then, answer="Final Answer: Shipped."), exchange(200, binding=binding, body=b"2"))
    assert said(asked + later) == ["Where is A1?"]
    assert tools(asked) == []
    assert tools(later) == [("look", '{"order":"A1"}', "shipped", True)]
    assert book.release_tools(10_000) == []


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("Action: look\nAction Input: A1", ("look", "A1")),
        ('Action: look\nAction Input: "A1"', ("look", "A1")),
        ("Action 1: look\nAction Input 1: {'order': 'A1'}", ("look", {"order": "A1"})),
        ("**Thought**\nAction: `look`\n\nAction Input: ```json\n{}\n```", ("look", {})),
        ("Action: look\nAction Input: {order", ("look", "{order")),
        ('{"action": "look", "action_input": ["A1"]}', ("look", ["A1"])),
        ("Action: delete_all\nAction Input: {}", None),
        ("Action: look\nAction Input: {}\nFinal Answer: Shipped.", None),
        ("Answer: I would say\nAction: look\nAction Input: {}", None),
        ('{"action": "Final Answer", "action_input": "Shipped."}', None),
        ('{"action": "look"} "action_input"', None),
        ('["action_input"]', None),
        ('{"action_input": ', None),
        ("An Action Input is a field.", None),
    ],
)
def test_actions_as_the_frameworks_read_them(told, found):
    """Numbered, quoted, in a fence; what is an answer, or no tool of theirs, is none."""
    made = [(one.tool.name, one.tool.arguments) for one in written_calls(call(CREW, "Where is A1?", answer=told))]
    assert made == ([] if found is None else [found])


def test_an_action_that_a_person_quotes_is_none():
    """Without a program that offers it: the format in a person's own words, or in a model's."""
    quoted = ONE_PROMPT.removesuffix("Thought:") + "What does this prompt do?"
    assert written_calls(call(quoted, answer=LINES)) == []
    assert written_calls(call("How?", Message("assistant", ONE_PROMPT), "So?", answer=LINES)) == []
    assert written_calls(call(Message("system", "Be kind."), "Where is A1?", answer=LINES)) == []


REMINDER = "\n (reminder to respond in a JSON blob no matter what)"
CHAT = "Assistant is a large language model.\nAction Input: the input to the action\n\nBegin!\n\nNew input: "
TEMPLATES = {
    ONE_PROMPT: "Where is A1?",
    f"{ONE_PROMPT} I look.\nAction: look\nAction Input: A1\nObservation: x\nThought:": "Where is A1?",
    TALK: "Where is A1?",
    f"Where is A1?{WORK}{OBJECT}\nObservation: x\nThought:": "Where is A1?",
    f"Where is A1?{REMINDER}": "Where is A1?",
    f"Where is A1?\n\nThought: x\nObservation: y\nThought:{REMINDER}": "Where is A1?",
    f"{CHAT}Where?\n": "Where?",
    f"{CHAT}Where?\nThought: x\nAction: look\nAction Input: y\nObservation: z\nThought:": "Where?",
}


@pytest.mark.parametrize(("text", "question"), TEMPLATES.items())
def test_the_templates_of_langchain_are_no_persons(text, question):
    """What was asked is."""
    assert spoken(text) == question


DIARY = "Put my diary into better words:\nThought: I am tired\nAction: sleep"
DIARIES = {
    "one prompt": f"{ONE_PROMPT.partition('Question: Where')[0]}Question: {DIARY}\nThought:",
    "an object": f"{DIARY}{REMINDER}",
    "a conversation": f"{CHAT}{DIARY}\n",
}


@pytest.mark.parametrize("text", DIARIES.values(), ids=DIARIES)
def test_a_persons_lines_may_begin_like_work(book, binding, text):
    """Before anything was done they are told whole; and once."""
    done = (
        text.removesuffix(REMINDER).rstrip() + "\nThought: x\nAction: look\nAction Input: y\nObservation: z\nThought:"
    )
    events = book.record(call(BLOB, text), exchange(0, binding=binding))
    events += book.record(call(BLOB, done + REMINDER * (REMINDER in text)), exchange(200, binding=binding, body=b"2"))
    assert said(events) == [DIARY]


@pytest.mark.parametrize(
    "text",
    [
        "Thought:",
        "A Question: Why?\nThought:",
        "TOOLS\n------\nHammers",
        "Assistant is a large language model?",
        "Begin!\n",
    ],
)
def test_what_only_looks_like_a_template_is_a_persons(text):
    """And stays whole."""
    assert spoken(text) == text


# Programs -------------------------------------------------------------------------------------------------------

CODER = Message("system", "A list of tools: these tools are basically Python functions which you can call with code.")


@pytest.mark.parametrize("told", ["Thought: x\n<code>\nlook('A1')\n", '{"thought": "x", "code": "look(\'A1\')"}'])
def test_a_program_that_a_model_writes_is_one_call(book, binding, told):
    """With what it printed, or why it failed."""
    calling = "Calling tools:\n[{'id': 'call_1', 'type': 'function'}]"
    asked = [CODER, "New task:\nWhere is A1?"]
    events = book.record(call(*asked, answer=told), exchange(0, binding=binding))
    asked += [Message("assistant", f"{told.strip()}</code>\n{calling}"), "Observation:\nExecution logs:\nshipped"]
    events += book.record(call(*asked, answer=told + " "), exchange(200, binding=binding, body=b"2"))
    failed = "Call id: call_2\nError:\nCode execution failed\nNow let's retry: take care"
    asked += [Message("assistant", f"{told.strip()}\n{calling}"), failed]
    events += book.record(call(*asked, answer="Done."), exchange(400, binding=binding, body=b"3"))
    first, second = tools(events)
    assert first == ("python_interpreter", "look('A1')", "Execution logs:\nshipped", True)
    assert second == ("python_interpreter", "look('A1')", "Code execution failed", False)
    assert said(events) == ["Where is A1?"]


@pytest.mark.parametrize(
    "one",
    [
        call("How do I print?", answer="```python\nprint()\n```"),
        call(CODER, "How?", answer='{"code": 1}'),
        call(CODER, "How?", answer='{"code": '),
        call(CODER, "How?", answer="<code></code>"),
    ],
)
def test_code_that_nobody_runs_is_no_tool(one):
    """A model that answers with code, and what is no program."""
    assert written_calls(one) == []


# Whatever stands there --------------------------------------------------------------------------------------------

PIECES = [
    "[[ ## ", " ## ]]", "\n", "\n\n", " " * 50, "<", ">", "</", "next_tool_name", "next_tool_args", "trajectory",
    "thought_0", "tool_name_0", "observation_0", "observation_1", "look", "{", "}", '"', "'", ":", "\\", "[",
    "Respond with ", "`", TAILS["chat"], TAILS["json"], TAILS["xml"], answer("look", {}), request(),
    "\nAction: ", "\nAction Input: ", "\nObservation:", "\nThought:", "Begin!\n", "Question: ", LINES, OBJECT,
    ONE_PROMPT, TALK, REPLY, WORK,
    "<code>", "```py\n", "Calling tools:\n", "Observation:\n", "Error:\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)


OFFER_ALL = (DSPY, CREW, BLOB, CODER)


@settings(max_examples=300, deadline=None)
@given(question=TEXTS, told=TEXTS, later=TEXTS)
def test_any_text_is_read(question, told, later):
    """None raises; a result is part of the request it came with."""
    waiting = [Waits(one) for one in written_calls(call(*OFFER_ALL, question, answer=told))]
    for one, result in written_results(
        waiting, call(DSPY, later, Message("assistant", told + later), question + later)
    ):
        assert one in waiting
        assert result.content in question + later or result.content in told + later


class Waits:
    """A call that waits, as `_tools.Pending`."""

    def __init__(self, written):
        self.name, self.mark = written.tool.name, written.mark


SIGNS = [sign for one in FORMATS for sign in one.signs]
LONG = [
    "[[ ## next_tool_name ## ]]\n", "<next_tool_name>", "</next_tool_args>",
    "<a>", "<a></a>", "\n", "\n ", " ", "{", "'",
    "{'a': '", "\n\n[[ ## thought_0 ## ]]\n", "\n\n[[ ## observation_0 ## ]]\n", "\n\nRespond with ", "<thought_0>\n",
    "\nAction: look", "\nAction: look\nAction Input: ", "\nObservation:", "\nObservation: \n", "\nThought:",
    "\nQuestion: ", "<code>", "```py\n",
    "\nAction: tool name (one of ", 'Valid "action" values: "Final Answer" or ', "Calling tools:\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", LONG)
def test_long_texts_take_no_time(piece):
    """A quarter of a million characters of what a pattern may stumble on, in each place: below a second each."""
    flood = piece * (250_000 // len(piece))
    started = time.process_time()
    for adapter in TAILS:
        for told in ("".join(SIGNS) + flood, answer("look", flood, adapter), flood + answer("look", {}, adapter)):
            asks = call(*OFFER_ALL, request(question=flood, adapter=adapter), answer=told[:262_144])
            waiting = [Waits(one) for one in written_calls(asks)]
            text = asks.messages[-1].text
            at = text.rfind("\n\nRespond with ")
            written_results(waiting, call(DSPY, text[:at] + flood + text[at:], Message("assistant", told), told))
            spoken(text)
    for told in (LINES, OBJECT, f"<code>{LINES}"):
        for asked in (f"{ONE_PROMPT}{flood}", f"{flood}{ONE_PROMPT}", f"{flood}{TALK}", f"{TALK}{flood}{WORK}Thought:"):
            waiting = [Waits(one) for one in written_calls(call(*OFFER_ALL, asked, answer=told + flood[:200_000]))]
            again = f"{asked}{told}{flood[:200_000]}\nObservation: {flood}\nThought:"
            written_results(waiting, call(*OFFER_ALL, again, Message("assistant", again), again))
            spoken(asked), spoken(again)
    assert time.process_time() - started < 9


@pytest.mark.parametrize("blank", [" ", "\n", "\t"])
@pytest.mark.parametrize(
    "text",
    [
        "Action{}x Action Input",
        "Action 1{}x Action Input",
        "Action: look\nAction Input{}x",
        "Action: look\n{}x Action Input",
        "<code>x{}x",
        "```py {}x",
    ],
)
def test_blanks_between_take_no_time(text, blank):
    """Where a pattern may try each of them as an end."""
    flood = text.format(blank * 250_000)
    started = time.process_time()
    written_calls(call(*OFFER_ALL, "Where?", answer=flood))
    assert time.process_time() - started < 1
