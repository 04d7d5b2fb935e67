"""A user message is what a user said; a tool's result is the tool's, whoever's role it travels in."""

import time
from dataclasses import replace

import pytest

from amplitude_ai._models import Binding, CallError, Message, Scope, ToolCall, ToolResult, Usage
from amplitude_ai.parsers import _google, ollama
from amplitude_ai.sessions._prompted_names import prompted_name
from amplitude_ai.sessions._scripted import identity, scripted, spoken

from .records import NEW_YEAR, call, exchange, only


def said(events):
    """The contents of the user messages."""
    return [event.properties["content"] for event in events if event.event_type == "user_message"]


def tools(events):
    """(name, result, success) of the tools."""
    found = [event.properties for event in events if event.event_type == "tool_called"]
    return [(one["tool_name"], one.get("tool_result"), one.get("success")) for one in found]


def model(text):
    return Message("assistant", text)


# An agent used as a tool --------------------------------------------------------------------------------------


ARGUMENTS = [
    ({"input": "Translate to Spanish: good morning"}, "Translate to Spanish: good morning"),
    ({"task": {"description": "Find three cafes in Lyon"}}, "Current Task: Find three cafes in Lyon\n\nBegin!"),
    ({"queries": ["first question to ask", "second question to ask"]}, "second question to ask"),
    ({"city": "Paris", "days": 3}, '{"days": 3, "city": "Paris"}'),
    ({"q": "one line\nand another"}, "You are asked:\n---\none line\nand another\n---"),
    ("no JSON at all, but text", "no JSON at all, but text"),
]


@pytest.mark.parametrize(("arguments", "text"), ARGUMENTS)
def test_what_an_agent_asks_its_sub_agent_is_no_user_message(book, binding, arguments, text):
    """The sub-agent's user text is what the waiting tool call's arguments say, alone or in a template."""
    asked = call("Help me", tool_calls=(ToolCall("expert", "call-1", arguments),), answer=None)
    assert said(book.record(asked, exchange(binding=binding))) == ["Help me"]
    assert said(book.record(call(text), exchange(200, binding=binding))) == []
    again = call(text, model("..."), Message("tool", "x"))
    assert said(book.record(again, exchange(400, binding=binding))) == []


@pytest.mark.parametrize(
    "text", ["Why did you look for three cafes in Lyon", "Lyon, please", "Find three cafes in Lyon, or four"]
)
def test_a_person_may_use_words_of_the_arguments(book, binding, text):
    """A sentence that holds some of them is a person's."""
    asked = call("Help me", tool_calls=(ToolCall("expert", "call-1", {"q": "three cafes in Lyon"}),), answer=None)
    book.record(asked, exchange(binding=binding))
    assert said(book.record(call(text), exchange(200, binding=binding))) == [text]


def test_a_person_may_answer_with_a_word_that_a_tool_is_asked_with(book, binding):
    """Of another conversation of the run; a sub-agent that remembers is asked with one too."""
    ask = call("Weather?", tool_calls=(ToolCall("weather", "call-1", {"city": "Paris"}),), answer=None)
    book.record(ask, exchange(binding=binding, body=b"0"))
    told = book.record(call("Book it", model("Where to?"), "Paris"), exchange(200, binding=binding, body=b"1"))
    assert said(told) == ["Paris"]
    again = call(
        "Help me", tool_calls=(ToolCall("expert", "call-2", {"input": "What of card payments?"}),), answer=None
    )
    book.record(again, exchange(400, binding=binding, body=b"2"))
    book.record(call("What of card payments?"), exchange(600, binding=binding, body=b"3"))
    further = call("Help me", tool_calls=(ToolCall("expert", "call-3", {"input": "By cash?"}),), answer=None)
    book.record(further, exchange(800, binding=binding, body=b"4"))
    sub = call("What of card payments?", model("Fine."), "By cash?")
    assert said(book.record(sub, exchange(1000, binding=binding, body=b"5"))) == []


def test_a_person_who_answers_in_the_same_conversation_is_heard(book, binding):
    """The tool was never run: the next turn of that very conversation is a person's, whatever its words."""
    asked = call("Where to?", tool_calls=(ToolCall("fly", "call-1", {"to": "Paris"}),), answer="Shall I?")
    book.record(asked, exchange(binding=binding))
    next_turn = call("Where to?", model("Shall I?"), "Paris")
    assert said(book.record(next_turn, exchange(200, binding=binding))) == ["Paris"]


# What models say to each other --------------------------------------------------------------------------------


def test_an_agents_answer_passed_on_is_no_user_message(book, binding):
    """The writer's answer is the critic's user text."""
    book.record(call("Write a poem", answer="Roses are red."), exchange(binding=binding))
    assert said(book.record(call("Roses are red."), exchange(200, binding=binding))) == []


def test_a_person_may_repeat_what_the_model_said_to_them(book, binding):
    """In the conversation that has the answer, the same words are the person's own."""
    book.record(call("Hi", answer="Hello!"), exchange(binding=binding))
    assert said(book.record(call("Hi", model("Hello!"), "Hello!"), exchange(200, binding=binding))) == ["Hello!"]


def system(text):
    return Message("system", text)


SHALL_I = ("I want a refund", model("Shall I refund it?"))
MORE = "How long does a refund take?"
#: What another model answered to what, and what a person says then.
ALIKE = {
    "a guard": ((system("Is it about refunds?"), "I want a refund"), "yes", (*SHALL_I, "yes")),
    "a judge of the answer": (("Is this polite? Shall I refund it?",), "Yes", (*SHALL_I, "Yes")),
    "a classifier": ((system("Which team?"), "I want a refund"), "billing", (*SHALL_I, "billing")),
    "a question that was offered": (
        (system("Offer questions."), "Shall I refund it?"),
        f'{{"questions": ["{MORE}", "Is it safe to pay by card?"]}}',
        (*SHALL_I, MORE),
    ),
    "a history that is not known": (("Be brief.",), "By card", ("Hello", model("How?"), "By card")),
}


@pytest.mark.parametrize(("asked", "answered", "then"), ALIKE.values(), ids=ALIKE)
def test_a_person_may_say_what_another_model_said(book, binding, asked, answered, then):
    """Where a person talks, a word is theirs, and so is a question that they chose."""
    book.record(call("I want a refund", answer="Shall I refund it?"), exchange(0, binding=binding, body=b"0"))
    book.record(call(*asked, answer=answered), exchange(500, binding=binding, body=b"1"))
    assert said(book.record(call(*then), exchange(1000, binding=binding, body=b"2"))) == [then[-1]]


def test_a_short_answer_of_an_agent_is_passed_on(book, binding):
    """The critic's to the writer's draft, in the writer's conversation; a plan's step after the first."""
    book.record(call("Write a poem", answer="Roses are red."), exchange(0, binding=binding, body=b"0"))
    book.record(call("Write a poem", "Roses are red.", answer="APPROVE"), exchange(200, binding=binding, body=b"1"))
    told = call("Write a poem", model("Roses are red."), "APPROVE", answer="Done")
    assert said(book.record(told, exchange(400, binding=binding, body=b"2"))) == []
    plan = '{"steps": ["look the order up in the shop", "write to the customer"]}'
    book.record(call("Plan it", answer=plan), exchange(600, binding=binding, body=b"3"))
    first = ("look the order up in the shop",)
    assert said(book.record(call(*first), exchange(800, binding=binding, body=b"4"))) == []
    second = call(*first, model("Fine."), "write to the customer")
    assert said(book.record(second, exchange(1000, binding=binding, body=b"5"))) == []


def test_a_tools_result_passed_on_is_no_user_message(book, binding):
    """Neither is what a tool brought."""
    book.record(call("Sum up", tool_calls=(ToolCall("read", "c1", {}),), answer=None), exchange(binding=binding))
    brought = call("Sum up", model(""), Message("tool", ""), tool_results=(ToolResult("c1", "A long page."),))
    book.record(brought, exchange(200, binding=binding))
    assert said(book.record(call("A long page."), exchange(400, binding=binding))) == []


# Calls beside each other, and again ---------------------------------------------------------------------------


def test_parallel_calls_hear_one_user(book, binding):
    """A guardrail beside the answer, branches of a graph: the same words at the same time are one message."""
    first = book.record(
        call(Message("system", "Is it safe?"), "Tell me"), exchange(0, binding=binding, latency_ms=500, body=b"1")
    )
    second = book.record(
        call(Message("system", "Answer."), "Before", model("."), "Tell me"),
        exchange(10, binding=binding, latency_ms=2000, body=b"2"),
    )
    third = book.record(call("Tell me"), exchange(1500, binding=binding, latency_ms=900, body=b"3"))
    assert [*said(first), *said(second), *said(third)] == ["Tell me"]


def test_a_router_and_the_answer_hear_one_user(book, binding):
    """One after the other, with other instructions and another model."""
    first = book.record(call(Message("system", "Route."), "Tell me"), exchange(0, binding=binding, body=b"1"))
    second = book.record(call(Message("system", "Do."), "Tell me"), exchange(500, binding=binding, body=b"2"))
    assert [*said(first), *said(second)] == ["Tell me"]


def test_a_person_who_says_it_twice_is_heard_twice(book, binding):
    """In a conversation that has it already; by the very same request; after something else; much later."""
    assert said(book.record(call("continue"), exchange(0, binding=binding))) == ["continue"]
    assert said(book.record(call("continue", model("."), "continue"), exchange(500, binding=binding))) == ["continue"]
    assert said(book.record(call("continue"), exchange(800, binding=binding))) == ["continue"]
    assert said(book.record(call("stop"), exchange(1000, binding=binding))) == ["stop"]
    assert said(book.record(call("continue"), exchange(1500, binding=binding))) == ["continue"]
    assert said(book.record(call("continue"), exchange(900_000, binding=binding))) == ["continue"]


def test_the_same_words_of_two_runs_are_two_messages(book):
    """What is known is known run by run."""
    for user in ("ann", "bob"):
        assert said(book.record(call("Tell me"), exchange(user_id=user, session_id=user))) == ["Tell me"]


# What frameworks write in a user's role -----------------------------------------------------------------------


CALLING = "Calling tools:\n[{'id': 'c1', 'type': 'function'}]"
PLAN = "Here are the facts I know and the plan of action that I will follow to solve the task:\n```\n1. Look\n```"
RETRY = (
    "Your previous response failed the application's validation (this is automated feedback, not a message from the "
)
FENCE = "<<<BEGIN_QUOTED_AGENT_CONTENT>>>"
MEMORIES = "You are a Personal Information Organizer, specialized in accurately storing facts."
VOICE = (
    "Mid-conversation system messages arrive inside user turns wrapped in <system> tags, because this channel has none."
)
FRAMEWORKS = {
    "smolagents observation": "Observation:\n18 degrees",
    "smolagents error": "Call id: c1\nError:\nboom\nNow let's retry: take care not to repeat previous errors!\n",
    "smolagents plan": "Now proceed and carry out this plan.",
    "instructor JSON": "Correct your JSON ONLY RESPONSE, based on the following errors:\n1 validation error",
    "instructor": "Validation Errors found:\nx\nRecall the function correctly, fix the errors found in the following",
    "instructor, Gemini": "Recall the function arguments correctly and fix the errors",
    "crewai force": "Now it's time you MUST give your absolute best final answer. You'll ignore all previous",
    "crewai tool": "Analyze the tool result. If requirements are met, provide the Final Answer. Otherwise,",
    "crewai error": "I encountered an error while trying to use the tool. This was the error: x.\n Tool t accepts "
    "these inputs: y",
    "crewai format": "I did it wrong. Invalid Format: I missed the 'Action:' after 'Thought:'. I will do right next,",
    "crewai plan": "Create a focused execution plan for the following task:\n\n## Task\nFind it\n\nAfter your plan, "
    'state:\n- "READY: I am ready to execute the task." if the plan is complete',
    "mem0 update": "You are a smart memory manager which controls the memory of a system.\nYou can perform four "
    "operations: (1) add",
    "mem0 extract": "## Summary\nnone\n\n## Last k Messages\n[]\n\n## Recently Extracted Memories\n[]\n\n"
    "## New Messages\n[user] hi\n\n# Output:",
    "mem0 facts": "Input:\nuser: I like tea\nassistant: Noted",
    "pydantic-ai": "Validation feedback:\nToo short\n\nFix the errors and try again.",
    "pydantic-ai counted": "2 validation errors:\n```json\n[]\n```\n\nFix the errors and try again.",
    "pydantic-ai fence": f"{RETRY}user):\n<retry_feedback>\nToo short\n</retry_feedback>",
    "pydantic-ai voice": "<system>Please return text.</system>",
    "pydantic-ai file": '<tool_result tool_name="draw" tool_call_id="c1">\n</tool_result>',
    "google-adk": "For context:\n[triage] said: I hand over to billing.",
    "google-adk fence": f"For context: below is a transcript of what another agent did, quoted between {FENCE} and",
    "hermes": "<tool_response>\n18 degrees\n</tool_response>",
    "langchain fix": "Prompt:\nx\nCompletion:\ny\n\nAbove, the Completion did not satisfy the constraints given in the",
    "langgraph": "Error: no such tool\n Please fix your mistakes.",
    "ag2": "Your previous response could not be validated by schema.\n\nPlease try again.\n\n== Validation Error ==\n",
    "camel": "Now start to give me instructions one by one. Only reply with Instruction and Input.",
}
#: What stands before it, where that tells.
BEFORE = {
    "smolagents observation": (model(CALLING),),
    "smolagents plan": (model(PLAN),),
    "mem0 facts": (Message("system", MEMORIES),),
    "pydantic-ai voice": (Message("system", VOICE), model("")),
}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_frameworks_own_text_is_no_user_message(book, binding, name):
    """Results, retries and templates of frameworks travel in a user's role; nobody said them."""
    assert said(book.record(call("Weather?"), exchange(binding=binding))) == ["Weather?"]
    asked = call("Weather?", *BEFORE.get(name, (model("Hm"),)), FRAMEWORKS[name])
    assert [text for text in said(book.record(asked, exchange(200, binding=binding))) if text != "Weather?"] == []


@pytest.mark.parametrize(
    "text",
    [
        "Observations about this text?",
        "Observation: the patient is pale. What now?",
        "Observation:\nThe sky is blue\nHypothesis: why?",
        "Error: my build fails, why?",
        "Error:\nno such file\nNow let's retry: how?",
        "The tests fail:\n\n1 error\n\nFix the errors and try again.",
        "2 validation errors:\n- name\n- email\nHow do I show these in Django?",
        "That is not what I asked for. Please fix your mistakes.",
        "I encountered an error while installing numpy. What do I do?",
        "I encountered an error: ModuleNotFoundError",
        "I did it wrong, can I redo the last step?",
        "I tried reusing the same input and it hangs",
        "What does 'Observation:' mean in ReAct?",
        "Now it's time to go",
        "Now proceed and carry out this plan.",
        "Validation of my form fails",
        "Validation Errors found: my form rejects the address",
        "For context, I live in Rome.",
        "For context:\n[1] Smith (2020) says so. Is it true?",
        "Input: 3, output: 4. Explain.",
        "Input:\nuser: name of the user\nWrite a parser for this.",
        "Here is a summary of my day",
        "## Summary\nWe met.\n\n## New Messages\nTwo. Put it into better words.",
        "Instructions:\n---\nDo it\nCompletion:\n---\nWhat is this format?",
        "<tool_response>\n{}\n</tool_response>\nWhose format is this?",
        "<system>What does this tag do?</system>",
        "TOOL RESPONSE:\n----\nsunny\nWhat is this?",
        "You are a world expert at analyzing a situation. What do you make of this?",
        "You are my coach. My primary goal is: to run.",
        "Plain text responses are not permitted by our gateway. How do I set it up?",
        "[[ ## answer ## ]]\nWhat does this header in my logs mean?",
    ],
)
def test_a_person_may_begin_alike(text):
    """What only resembles a framework's text is a person's, first and behind an answer, and stays whole."""
    for before in ((), (model("Here is what to do.\n\n**Action items**: none."),)):
        assert scripted(text, before) is None
    assert spoken(text) == text


def test_a_persons_text_that_names_its_tasks_is_read():
    """smolagents' prefix, twice and with nothing behind it."""
    assert spoken("New task:\nNew task:\nError:\nx\nNow let's retry: y").endswith("y")


def test_a_task_is_told_without_its_frame(book, binding):
    """smolagents writes ``New task:`` before what its user said."""
    assert said(book.record(call("New task:\nFind the weather"), exchange(binding=binding))) == ["Find the weather"]


def test_dspy_asks_the_same_question_in_many_forms(book, binding):
    """The fallback to another adapter, and each step of an agent with a longer trajectory, repeat one question."""
    question = "[[ ## question ## ]]\nWhy is the sky blue?\n\n"
    chat = question + "Respond with the corresponding output fields, starting with the field `[[ ## answer ## ]]`."
    fallback = question + "Respond with a JSON object in the following order of fields: `answer`."
    step = question + "[[ ## trajectory ## ]]\n[[ ## thought_0 ## ]]\nx\n\n" + "Respond with the corresponding output"
    heard = [
        said(book.record(call(text), exchange(number * 200, binding=binding, body=b"%d" % number)))
        for number, text in enumerate((chat, fallback, step))
    ]
    assert heard == [["Why is the sky blue?"], [], []]


def test_what_one_predictor_gives_the_next_is_no_user_message(book, binding):
    """DSPy's output fields, a JSON object's strings; what a person adds is said."""
    asked = (
        "[[ ## question ## ]]\nWhy?\n\nRespond with the corresponding output fields, starting with `[[ ## query ## ]]`."
    )
    answer = "[[ ## query ## ]]\nsky\n\n[[ ## completed ## ]]"
    assert said(book.record(call(asked, answer=answer), exchange(0, binding=binding))) == ["Why?"]
    later = (
        "[[ ## query ## ]]\nsky\n\nRespond with the corresponding output fields, starting with `[[ ## answer ## ]]`."
    )
    assert said(book.record(call(later), exchange(200, binding=binding, body=b"1"))) == []
    both = "[[ ## query ## ]]\nsky\n\n[[ ## tone ## ]]\nkind\n\nRespond with the corresponding output fields."
    assert said(book.record(call(both), exchange(400, binding=binding, body=b"2"))) == ["query: sky\ntone: kind"]
    plan = '{"steps": ["look the order up in the shop", "yes"]}'
    book.record(call("Plan it", answer=plan), exchange(600, binding=binding, body=b"3"))
    assert said(book.record(call("look the order up in the shop"), exchange(800, binding=binding, body=b"4"))) == []
    assert said(book.record(call("yes"), exchange(900, binding=binding, body=b"5"))) == ["yes"]


SWARM = "Context:\n{}User Request: A refund?\n\n{}Other agents available for collaboration:\nAgent name: b.\n"
GRAPH = "Original Task: A refund?\n\nInputs from previous nodes:\n\nFrom a:\n  - Agent: Yes."


def test_an_agent_of_a_swarm_or_a_graph_is_asked_what_was_asked(book, binding):
    """Strands: the same request to each, in its own words."""
    second = SWARM.format("Handoff Message: Go on.\n\n", "Previous agents who worked on this: a\n\n")
    texts = SWARM.format("", ""), second, GRAPH
    heard = [
        said(book.record(call(text), exchange(number * 200, binding=binding, body=b"%d" % number)))
        for number, text in enumerate(texts)
    ]
    assert heard == [["A refund?"], [], []]


def test_a_turn_that_is_composed(book, binding):
    """smolagents: a task and what failed, or what a tool gave and the next task, in one turn."""
    ask = call("New task:\nWeather?", tool_calls=(ToolCall("weather", "c1", {"city": "Paris"}),), answer=None)
    book.record(ask, exchange(binding=binding))
    error = "Error executing tool 'weather' with arguments {'city': 'Paris'}: ValueError: no\nPlease try again"
    failed = f"New task:\nWeather?\nError:\n{error}\nNow let's retry: take care"
    last = call(failed, tool_calls=(ToolCall("final_answer", "c2", {"answer": "18"}),), answer=None)
    events = book.record(last, exchange(200, binding=binding, body=b"1"))
    assert (tools(events), said(events)) == ([("weather", error, False)], [])
    events = book.record(
        call(failed, model("Calling tools:\n[]"), "Observation:\n18\nNew task:\nAnd tomorrow?"),
        exchange(400, binding=binding, body=b"2"),
    )
    assert (tools(events), said(events)) == ([("final_answer", "18", True)], ["And tomorrow?"])


def test_what_the_program_says_is_its_own(book, binding):
    """``context(from_user=False)``: no user message, on the turn that goes on; a person may say the same later."""
    own = Scope(binding, from_user=False)
    before = book.record(call("Warm up"), exchange(context=own, body=b"0"))
    asked = book.record(call("Hello"), exchange(200, binding=binding, body=b"1"))
    title = book.record(call("A title?"), exchange(400, context=own, body=b"2"))
    assert (said(before), said(asked), said(title)) == ([], ["Hello"], [])
    assert "turn_id" not in message(before)
    assert message(title)["turn_id"] == message(asked)["turn_id"]
    assert said(book.record(call("A title?"), exchange(600, binding=binding, body=b"3"))) == ["A title?"]


# Results in a user's role, and without ids --------------------------------------------------------------------


def test_an_observation_closes_its_tool(book, binding):
    """smolagents: the result of the one call that waits."""
    ask = call("New task:\nWeather?", tool_calls=(ToolCall("weather", "c1", {"city": "Paris"}),), answer=None)
    book.record(ask, exchange(binding=binding))
    events = book.record(
        call("New task:\nWeather?", model("Calling tools:\n[]"), "Observation:\n18 degrees"),
        exchange(300, binding=binding),
    )
    assert tools(events) == [("weather", "18 degrees", True)]
    assert said(events) == []


def test_observations_of_parallel_tools(book, binding):
    """A line each, in their order; where the lines are not as many as the calls, nobody can tell whose is whose."""
    ask = call("Go", tool_calls=(ToolCall("a", "c1", {}), ToolCall("b", "c2", {})), answer=None)
    book.record(ask, exchange(binding=binding))
    assert tools(book.record(call("Go", model(""), "Observation:\n1\n2\n3"), exchange(300, binding=binding))) == []
    events = book.record(call("Go", model(""), "Observation:\n1\n2"), exchange(600, binding=binding, body=b"2"))
    assert tools(events) == [("a", "1", True), ("b", "2", True)]


def test_results_in_tags(book, binding):
    """Hermes' and Qwen's templates: several in one text, each in tags of its own."""
    ask = call("Go", tool_calls=(ToolCall("a", "c1", {}), ToolCall("b", "c2", {})), answer=None)
    book.record(ask, exchange(binding=binding))
    text = "<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response>"
    events = book.record(call("Go", model(""), text), exchange(600, binding=binding, body=b"2"))
    assert [(name, result.strip()) for name, result, _ in tools(events)] == [("a", "one"), ("b", "two")]


def test_a_failed_step_closes_its_tool_as_failed(book, binding):
    """smolagents names the call."""
    ask = call("Go", tool_calls=(ToolCall("a", "c1", {}), ToolCall("b", "c2", {})), answer=None)
    book.record(ask, exchange(binding=binding))
    text = "Call id: c2\nError:\nno such city\nNow let's retry: take care not to repeat previous errors!"
    events = book.record(call("Go", model(""), text), exchange(300, binding=binding))
    assert tools(events) == [("b", "no such city", False)]
    assert only(events, "tool_called")["error_message"] == "no such city"


CITIES = ("Paris", "Rome")


def weather(city, results=(), question=None):
    """A call about a city, by a model whose tool calls have no ids; with results, the one that brings them."""
    question = question or f"Weather in {city}?"
    if results:
        return call(question, model(""), Message("tool", ""), tool_results=results)
    return call(question, tool_calls=(ToolCall("weather", None, {"city": city}),), answer=None)


@pytest.mark.parametrize("order", [("Paris", "Rome"), ("Rome", "Paris")])
@pytest.mark.parametrize("question", [None, "Weather here?"])
def test_results_without_ids_stay_in_their_conversation(book, binding, order, question):
    """Anonymous calls of one client: Paris gets the weather of Paris, by its history and the arguments in it."""
    for number, city in enumerate(CITIES):
        book.record(weather(city, question=question), exchange(number, binding=binding, body=city.encode()))
    found = {}
    for number, city in enumerate(order):
        result = ToolResult(None, f"{city}'s", "weather", arguments={"city": city})
        events = book.record(weather(city, (result,), question), exchange(500 + number, binding=binding))
        found[only(events, "tool_called")["tool_parameters"]] = only(events, "tool_called")["tool_result"]
    assert found == {f'{{"city":"{city}"}}': f"{city}'s" for city in CITIES}


def test_a_result_of_another_conversation_closes_nothing(book, binding):
    """Its own call was never seen: it is not given to somebody else's."""
    book.record(weather("Paris"), exchange(binding=binding))
    other = weather("Rome", (ToolResult(None, "rain", "weather"),))
    assert tools(book.record(other, exchange(500, binding=binding))) == []


def test_twins_are_left_open(book, binding):
    """The same question asked twice for the same: whose the result is, nobody can tell."""
    for number in range(2):
        book.record(weather("Paris"), exchange(number, binding=binding))
    result = weather("Paris", (ToolResult(None, "rain", "weather", arguments={"city": "Paris"}),))
    assert tools(book.record(result, exchange(500, binding=binding))) == []


def test_ids_that_every_conversation_has(book, binding):
    """Some servers number their calls anew in every answer: the conversation decides."""
    for number, city in enumerate(CITIES):
        ask = call(f"{city}?", tool_calls=(ToolCall("weather", "call_0", {"city": city}),), answer=None)
        book.record(ask, exchange(number, binding=binding))
    brought = call("Rome?", model(""), Message("tool", ""), tool_results=(ToolResult("call_0", "rain"),))
    events = book.record(brought, exchange(500, binding=binding))
    assert only(events, "tool_called")["tool_parameters"] == '{"city":"Rome"}'


def test_histories_tell_the_arguments_of_calls_without_ids():
    """Gemini's and Ollama's requests carry the calls beside their results."""
    gemini = {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "w", "args": {"c": x}}} for x in CITIES]},
            {"role": "user", "parts": [{"functionResponse": {"name": "w", "response": {"t": x}}} for x in CITIES]},
        ]
    }
    assert [one.arguments for one in _google.tool_results(gemini)] == [{"c": x} for x in CITIES]
    chat = [
        {"role": "assistant", "tool_calls": [{"function": {"name": "w", "arguments": {"c": x}}} for x in CITIES]},
        *({"role": "tool", "content": x} for x in CITIES),
    ]
    assert [(one.name, one.arguments) for one in ollama._tool_results(chat)] == [("w", {"c": x}) for x in CITIES]


# How a tool ended ---------------------------------------------------------------------------------------------


def test_an_error_in_a_result_is_told(book, binding):
    """On the event: ``success`` false, and the text as its error."""
    book.record(call("Go", tool_calls=(ToolCall("a", "c1", {}),), answer=None), exchange(binding=binding))
    events = book.record(
        call("Go", model(""), Message("tool", ""), tool_results=(ToolResult("c1", "ValueError: bad"),)),
        exchange(200, binding=binding),
    )
    told = only(events, "tool_called")
    assert (told["success"], told["error_message"]) == (False, "ValueError: bad")


# Attempts, turns, operations ----------------------------------------------------------------------------------


def message(events):
    """The properties of the one answer."""
    return only(events, "llm_message")


FAILED = {"answer": None, "usage": Usage(), "error": CallError("overloaded"), "finish_reason": None}


def test_attempts_of_one_call_share_its_id(book, binding):
    """By the same request after its failure; with the time between, and what is known to be the last."""
    bad = exchange(0, binding=binding, status=529, body=b"same")
    first = message(book.record(call("Hello", **FAILED), bad))
    second = message(book.record(call("Hello"), exchange(400, binding=binding, body=b"same")))
    assert (first["attempt"], second["attempt"]) == (0, 1)
    assert first["call_id"] == second["call_id"]
    assert (first.get("retry_delay_ms"), second["retry_delay_ms"]) == (None, 300)
    assert (first.get("is_final_attempt"), second["is_final_attempt"]) == (None, True)
    third = message(book.record(call("Hello"), exchange(900, binding=binding, body=b"same")))
    assert third["call_id"] != second["call_id"]


def test_the_sdks_header_joins_too(book, binding):
    """The header says which attempt; the same request says of which call. 0 begins another one."""
    ids = []
    for number, (count, ok) in enumerate([(0, False), (1, False), (2, True), (0, False), (0, True)]):
        where = exchange(number * 500, binding=binding, status=200 if ok else 500, body=b"same")
        one = message(book.record(call("Hello", retry_count=count, **({} if ok else FAILED)), where))
        ids.append(one["call_id"])
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 3


def test_parallel_calls_that_say_the_same_are_retried_each_on_its_own(book, binding):
    """Two calls of one body fail at once: each retry is joined with one of them, none with both."""
    for number in range(2):
        book.record(call("Hello", **FAILED), exchange(number, binding=binding, status=500, body=b"same"))
    retries = [message(book.record(call("Hello"), exchange(500 + n, binding=binding, body=b"same"))) for n in range(2)]
    assert [one["attempt"] for one in retries] == [1, 1]
    assert retries[0]["call_id"] != retries[1]["call_id"]


def test_a_turn_is_carried_by_all_that_follows(book, binding):
    """The message that opened it, each call of its tool loop, the tools and the sub-agents; the next has its own."""
    told = []
    ask = call("Weather?", tool_calls=(ToolCall("expert", "c1", {"q": "Paris, please"}),), answer=None)
    told += book.record(ask, exchange(0, binding=binding, body=b"1"))
    told += book.record(call("Paris, please", answer="18"), exchange(200, binding=binding, body=b"2"))
    brought = call("Weather?", model(""), Message("tool", ""), tool_results=(ToolResult("c1", "18"),))
    told += book.record(brought, exchange(400, binding=binding, body=b"3"))
    turns = [event.properties.get("turn_index") for event in told if event.event_type != "llm_run_started"]
    assert turns == [0] * 5
    assert len({event.properties.get("turn_id") for event in told}) == 2  # and the run's begin has none
    parents = [e.properties.get("parent_tool_call_id") for e in told if e.event_type == "llm_message"]
    assert parents == [None, "c1", None]
    later = book.record(
        call("Weather?", model(""), Message("tool", ""), model("18"), "And Rome?"),
        exchange(900, binding=binding, body=b"4"),
    )
    assert {event.properties["turn_index"] for event in later} == {1}


ASKED = ToolCall("expert", "c1", {"q": "What is our policy?"})


def test_an_agent_with_a_client_of_its_own(book):
    """A tool call of the same user waits for it, in the run of another client: its question is no user's."""
    ours, experts = Binding(user_id="ann-1"), Binding(user_id="ann-1")
    with_agent = replace(ours.plain, properties={"agent": "billing"})
    asked = call("I was charged twice", tool_calls=(ASKED,), answer=None)
    first = message(book.record(asked, exchange(0, context=with_agent, body=b"1")))
    told = book.record(call("What is our policy?"), exchange(200, context=experts.plain, body=b"2"))
    told += book.record(
        call("What is our policy?", model(""), Message("tool", "")), exchange(400, context=experts.plain)
    )
    assert not [event for event in told if event.event_type == "user_message"]
    for event in [event.properties for event in told if event.event_type == "llm_message"]:
        assert (event["parent_tool_call_id"], event["parent_agent"]) == ("c1", "billing")
        assert event["turn_id"] == first["turn_id"]


@pytest.mark.parametrize(
    ("other", "text", "at"),
    [
        (Binding(user_id="bob-1"), "What is our policy?", 200),
        (Binding(user_id="ann-1", session_id="own"), "What is our policy?", 200),
        (Binding(user_id="ann-1", amplitude_client=[]), "What is our policy?", 200),
        (Binding(user_id="ann-1"), "What else?", 200),
        (Binding(user_id="ann-1"), "What is our policy?", -200),  # it was said before the tool was asked for
    ],
)
def test_a_question_of_somebody_else(book, other, text, at):
    """Another user's, another session's, another project's: a person said it."""
    asked = call("I was charged twice", tool_calls=(ASKED,), answer=None)
    book.record(asked, exchange(0, context=Binding(user_id="ann-1").plain, body=b"1"))
    told = book.record(call(text), exchange(at, context=other.plain, body=b"2"))
    assert [event.properties["content"] for event in told if event.event_type == "user_message"] == [text]
    assert "parent_tool_call_id" not in message(told)


def test_a_late_call_belongs_to_its_own_turn(book, binding):
    """Another conversation of the run has moved on meanwhile."""
    for number, text in enumerate(("One", "Two")):
        book.record(call(text), exchange(number * 200, binding=binding, body=b"%d" % number))
    again = message(book.record(call("One", model("."), Message("tool", "")), exchange(600, binding=binding)))
    assert again["turn_index"] == 0


OPERATIONS = [
    ("chat", "/v1/chat/completions", "chat", True),
    ("responses", "/v1/responses", "chat", True),
    ("chat", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "generate_content", True),
    ("completion", "/v1/completions", "text_completion", True),
    ("embeddings", "/v1/embeddings", "embeddings", False),
    ("image", "/v1/images/generations", "image_generation", False),
    ("audio", "/v1/audio/speech", "text_to_speech", False),
    ("audio", "/v1/audio/transcriptions", "speech_to_text", False),
    ("moderation", "/v1/moderations", "moderation", False),
    ("rerank", "/v2/rerank", "rerank", False),
]


@pytest.mark.parametrize(("operation", "endpoint", "name", "counted"), OPERATIONS)
def test_what_a_call_did(book, operation, endpoint, name, counted):
    """``operation`` in OpenTelemetry's words; what is no message has totals of its own, inside the run's."""
    events = book.record(call("Hello", operation=operation, endpoint=endpoint), exchange())
    assert message(events)["operation"] == name
    totals = only(book.end_all(NEW_YEAR + 999, "exit"), "llm_run_finished")
    assert (totals["total_messages"], totals["total_other_calls"]) == ((1, 0) if counted else (0, 1))
    assert totals["run_total_tokens"] == totals["total_tokens"] == 120
    assert totals.get("total_other_tokens") == (None if counted else 120)


def test_a_run_of_several_models_names_them(book, binding):
    """No single ``model_name`` stands for them; of one model it does. What failed is not among them."""
    book.record(call("Hello"), exchange(binding=binding))
    book.record(call("Hello", model("."), "More", model="o3"), exchange(200, binding=binding))
    book.record(call("No", model="gpt-9", **FAILED), exchange(400, binding=binding, status=404))
    totals = only(book.end_all(NEW_YEAR + 999, "exit"), "llm_run_finished")
    assert totals["model_names"] == "gpt-4o-mini-2024-07-18, o3"
    assert "model_name" not in totals
    book.record(call("Hello"), exchange(2000, binding=binding))
    assert only(book.end_all(NEW_YEAR + 999, "exit"), "llm_run_finished")["model_name"] == "gpt-4o-mini-2024-07-18"


# What is a success --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"answer": None, "finish_reason": "PROHIBITED_CONTENT"}, (False, "content_blocked")),
        ({"answer": None, "finish_reason": "SAFETY"}, (False, "content_blocked")),
        ({"answer": "", "finish_reason": "content_filter"}, (False, "content_blocked")),
        ({"answer": "So far", "finish_reason": "content_filter"}, (True, None)),
        ({"answer": None, "finish_reason": "refusal"}, (True, None)),
        ({"answer": "I can't help with that.", "finish_reason": "stop"}, (True, None)),
        ({"answer": None, "finish_reason": "max_tokens"}, (False, "max_tokens_without_content")),
        ({"answer": "", "finish_reason": "length"}, (False, "max_tokens_without_content")),
        ({"answer": "So f", "finish_reason": "length"}, (True, None)),
        ({"answer": None, "finish_reason": "length", "tool_calls": (ToolCall("a", "1", {}),)}, (True, None)),
        ({"answer": None, "finish_reason": "length", "parse_error": "Truncated"}, (True, None)),
        ({"answer": None, "finish_reason": "stop"}, (True, None)),
    ],
)
def test_what_is_a_success(book, changes, expected):
    """Blocked or spent before a word came: a failure. A refusal, and what was cut in the middle: an answer."""
    told = message(book.record(call("Hello", **changes), exchange()))
    assert (told["success"], told.get("error_type")) == expected
    assert told["finish_reason"] == changes["finish_reason"]


def test_a_client_for_each_call(book):
    """A framework that closes its client after a call: the next one brings the tools' results, in the same run."""
    first, second, third = (Binding(user_id="ann-1") for _ in range(3))
    ask = call("Weather?", tool_calls=(ToolCall("get_weather", "c1", {"city": "Rome"}),), answer=None)
    told = book.record(ask, exchange(0, context=first.plain, body=b"1"))
    told += book.end_client(first.key, NEW_YEAR + 150)
    brought = call("Weather?", model(""), Message("tool", ""), tool_results=(ToolResult("c1", "18"),))
    told += book.record(brought, exchange(200, context=second.plain, body=b"2"))
    told += book.end_client(second.key, NEW_YEAR + 400)
    kinds = [event.event_type for event in told]
    assert kinds == ["llm_run_started", "user_message", "llm_message", "tool_called", "llm_message", "llm_run_finished"]
    assert [one[:2] for one in tools(told)] == [("get_weather", "18")]
    assert told[-1].properties["end_reason"] == "closed"
    assert len({event.properties["session_id"] for event in told}) == 1
    again = book.record(brought, exchange(900, context=third.plain, body=b"3"))  # nothing waits any more
    assert again[0].event_type == "llm_run_started"


@pytest.mark.parametrize(
    ("binding", "tick_ms", "reason"),
    [(Binding(), 70_000, "closed"), (Binding(explicit=True), None, "closed"), (Binding(), 0, "closed")],
)
def test_a_run_that_closed_with_tools_at_work_ends(book, binding, tick_ms, reason):
    """When nobody brings their results in time, or somebody flushes; at once where the client was made by hand."""
    asked = call("Weather?", tool_calls=(ASKED,), answer=None)
    book.record(asked, exchange(0, context=binding.plain))
    told = book.end_client(binding.key, NEW_YEAR + 150)
    if tick_ms is not None:
        assert not told
        assert not book.tick(NEW_YEAR + 1000)
        told = book.tick(NEW_YEAR + tick_ms) if tick_ms else book.release_tools(NEW_YEAR + 500)
    assert [event.event_type for event in told] == ["tool_called", "llm_run_finished"]
    assert told[-1].properties["end_reason"] == reason
    assert told[-1].properties["total_tool_calls"] == 1


def test_another_users_result_adopts_nothing(book):
    """However much the conversations are alike."""
    first, other = Binding(user_id="ann-1"), Binding(user_id="bob-1")
    book.record(call("Weather?", tool_calls=(ASKED,), answer=None), exchange(0, context=first.plain, body=b"1"))
    book.end_client(first.key, NEW_YEAR + 150)
    brought = call("Weather?", model(""), Message("tool", ""), tool_results=(ToolResult("c1", "18"),))
    told = book.record(brought, exchange(200, context=other.plain, body=b"2"))
    assert [event.event_type for event in told] == ["llm_run_started", "llm_message"]


def test_a_handoff_to_an_agent_with_a_client_of_its_own(book):
    """It reads what the person said (google-adk): that was said already."""
    first, second = Binding(user_id="ann-1"), Binding(user_id="ann-1")
    handoff = (ToolCall("transfer_to_agent", "c1", {"agent_name": "billing"}),)
    opened = book.record(call("I was charged twice", tool_calls=handoff, answer=None), exchange(0, context=first.plain))
    transcript = f"For context: below is a transcript of what another agent did, quoted between {FENCE} and"
    told = book.record(call("I was charged twice", transcript), exchange(200, context=second.plain, body=b"2"))
    assert said(told) == []
    assert message(told)["turn_id"] == message(opened)["turn_id"]
    later = book.record(call("Something else entirely"), exchange(400, context=second.plain, body=b"3"))
    assert said(later) == ["Something else entirely"]


CREW = "\nCurrent Task: {}\n\nThis is the expected criteria for your final answer: a letter\nyou MUST return it."


def test_frames_and_results_of_frameworks(book, binding):
    """crewai's task is what was asked; AutoGen's transfer is a result; smolagents' last prompt is none."""
    assert said(book.record(call(CREW.format("Write it\n\ndown")), exchange(binding=binding))) == ["Write it\n\ndown"]
    whole = "You are Writer. You know.\nYour personal goal is: help" + CREW.format("Write it\n\ndown")
    assert said(book.record(call(whole), exchange(200, binding=binding, body=b"2"))) == []
    assert spoken("\nCurrent Task: Write it\n\nProvide your complete response:") == "Write it"
    assert scripted("Transferred to billing, adopting the role of billing immediately.").results[0].content
    assert scripted("Transferred to billing, adopting the role of sales immediately.") is None
    last = "Observation:\n18\nBased on the above, please provide an answer to the following user task:\nx"
    assert scripted(last, (model(CALLING),)).results == (ToolResult(None, "18"),)


MARVIN = (
    "<task>\n    <id>a2f60a5e</id>\n    <instructions>\n        {}\n    </instructions>\n\n    <result-type>\n</task>"
)
CAMEL = (
    "Here is a task that Writer will help Boss to complete: {}.\nPlease make it more specific. Be creative and "
    "imaginative.\nPlease reply with the specified task in 50 words or less."
)
FRAMES = [
    (MARVIN.format("Write it\n\n          - down"), "Write it\n\n  - down"),
    (MARVIN.replace("<instr", "<name>Letter</name>\n    <instr", 1).format("Write it"), "Write it"),
    (CAMEL.format("Write it.\nDown"), "Write it.\nDown"),
]


@pytest.mark.parametrize(("text", "words"), FRAMES)
def test_a_frame_is_the_frameworks(text, words):
    """marvin's tasks, camel's societies: what was asked is told."""
    assert spoken(text) == words


SCHEMA = Message("system", "# OUTPUT INSTRUCTIONS\n- Always respond using the proper JSON schema.\n- Always use it.")


@pytest.mark.parametrize(
    ("before", "text", "words"),
    [
        ((SCHEMA,), '{"chat_message":"Write it"}', "Write it"),
        ((SCHEMA,), '{"chat_message":"Write it","tone":"kind"}', '{"chat_message":"Write it","tone":"kind"}'),
        ((SCHEMA,), '{"days":3}', '{"days":3}'),
        ((SCHEMA,), '{"chat', '{"chat'),
        ((SCHEMA,), "Write it", "Write it"),
        ((), '{"chat_message":"Write it"}', '{"chat_message":"Write it"}'),
    ],
)
def test_an_agent_that_is_asked_by_its_schema(book, binding, before, text, words):
    """atomic-agents: the one field is what a person wrote; without its instructions JSON is a person's."""
    assert said(book.record(call(*before, text), exchange(binding=binding))) == [words]


NAMES = [
    ("<agent>\n\n    You are an AI agent. This is your information. Do not impersonate other agents.\n\n"
     "    <name>billing</name>\n", "billing"),
    ("===== RULES OF USER =====\nNever forget you are a Boss and I am a Writer. Never flip roles!", "Boss"),
    ("You are an AI agent. Your name is billing.", None),
    ("Never forget you are a Boss and I am a Writer.", None),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "name"), NAMES)
def test_an_agents_name_in_its_prompt(prompt, name):
    """marvin's and camel's agents."""
    assert prompted_name(call(Message("system", prompt), "Hello")) == name


@pytest.mark.parametrize(
    ("begins", "part"),
    [
        ("Current Task: ", "\n"),
        ("Original Task: ", "\n"),
        ("Context:\nHandoff Message: ", "\n\nUser Request: "),
        ("New task:\n", "x\nError:\n"),
        ("New task:\n", "\nCall id: a\nError:\n"),
        ("Observation:\n", "\nError:\n"),
        ("[[ ## a ## ]]\n", "\n"),
        ("<tool_response></a>", " "),
        ("Here is a task that ", "a will help b to complete: "),
        ("<task>\n    <id>a</id>\n    <instructions>\n ", " "),
        ("<task>\n    <id>a</id>\n    <instructions>\n ", "\n    "),
        ("Your previous response could not be validated by schema.", "\n\nPlease try again."),
    ],
)
def test_a_text_of_any_length_is_looked_through_once(begins, part):
    """While a pattern is at work no thread of the application runs: what begins like a frame may be a person's."""
    text = begins + part * (200_000 // len(part))
    began = time.process_time()
    scripted(text)
    identity(text)
    assert time.process_time() - began < 2  # it took from 20 seconds to minutes


def test_who_an_agent_is_is_looked_for_once():
    """Each of its sentences with each of its goals and each of its lines took half a second of everybody's."""
    text = "You are " + ". " * 95 + "\nYour personal goal is: " * 125 + "\n" * 3000
    asked = call(messages=(Message("user", text), Message("system", text)))
    began = time.process_time()
    for _ in range(20):
        spoken(text)
        prompted_name(asked)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "You are A. B. C\nYour personal goal is: G\nThis\n"
            "Current Task: Sing\n\nThis is the expected criteria for your final answer: ",
            "Sing",
        ),
        ("Current Task: Sing\n\n \nThis is the expected criteria for your final answer: a song", "Sing"),
        ("Current Task: Sing\nThis is the expected criteria for your final answer: a song", None),
        ("Context:\nUser Request: Sing\n\nPrevious agents who worked on this: a", "Sing"),
        ("Context:\nHandoff Message: Do\n\nUser Request: Sing\n\nOther agents available for", "Sing"),
        ("Context:\nHandoff Message: Do\n\nOther agents available for", None),
        ("Original Task: Sing\n\n\nInputs from previous nodes:", "Sing"),
        ("Original Task: Sing", None),
    ],
)
def test_a_persons_words_in_a_frame(text, words):
    """They end where the frame goes on; where it does not, it is none."""
    assert spoken(text) == (text if words is None else words)
