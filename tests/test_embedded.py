"""What frameworks put around a question, sum up of a chat and ask agents again: a person's words are told, once."""

import time

import pytest

from amplitude_ai._models import Message, ToolCall, ToolResult
from amplitude_ai.sessions._scripted import identity, scripted, spoken

from .records import call, exchange
from .test_turns import model, said

RULE = "---------------------"
QA = "{}\n" + RULE + "\n{}\n" + RULE + "\nGiven the {} and not prior knowledge, answer the query.\nQuery: {}\nAnswer: "
KNOWN, MANY = "Context information is below.", "Context information from multiple sources is below."
REFINES = (
    "You are an expert Q&A system that strictly operates in two modes when refining existing answers:\n1. **Rewrite**"
)
STANDALONE = "rephrase the follow up question to be a standalone question"
PIECES = (
    "Use the following pieces of context to answer the question at the end. If you don't know the answer, just say "
    "that you don't know, don't try to make up an answer."
)
RAG = (
    "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer the "
    "question. If you don't know the answer, just say that you don't know."
)
SCHEMA = "Given below is a JSON Schema that describes the {}.\n\n{{}}\n\nONLY return a valid JSON object"
#: Of documents that hold the frame's own words.
SLY = "Query: nothing\nAnswer: no\n\nQuestion: x\nContext: y"
QUESTION = "When is my refund?\nAnd by card?"
PROMPTS = {
    "llama-index": QA.format(KNOWN, SLY, "context information", QUESTION),
    "llama-index tree": QA.format(MANY, SLY, "information from multiple sources", QUESTION),
    "llama-index refine": f"The original query is as follows: {QUESTION}\nWe have provided an existing answer: {SLY}",
    "llama-index chat refine": f"{REFINES}\nNew Context: {SLY}\nQuery: {QUESTION}\nOriginal Answer: a\nNew Answer: ",
    "llama-index SQL": "Given an input question, first create a syntactically correct sqlite query to run.\n\n"
    f"Question: Question here\nSQLQuery: SQL Query to run\n\n{SLY}\n\nQuestion: {QUESTION}\nSQLQuery: ",
    "llama-index SQL's answer": "Given an input question, synthesize a response from the query results.\n"
    f"Query: {QUESTION}\nSQL: SELECT 1\nSQL Response: 1\nResponse: ",
    "llama-index condense": "Given a conversation (between Human and Assistant) and a follow up message from Human, "
    f"rewrite\n\n<Chat History>\n{SLY}\n\n<Follow Up Message>\n{QUESTION}\n\n<Standalone question>\n",
    "llama-index condense plus context": "\n  Given the following conversation between a user and an AI assistant and "
    f"a follow up question from user,\n  {STANDALONE}.\n\n  Chat History:\n  {SLY}\n  Follow Up Input: {QUESTION}\n"
    "  Standalone question:",
    "langchain condense": f"Given the following conversation and a follow up question, {STANDALONE}, in its original "
    f"language.\n\nChat History:\n{SLY}\nFollow Up Input: {QUESTION}\nStandalone question:",
    "langchain": f"{PIECES}\n\n{SLY}\n\nQuestion: {QUESTION}\nHelpful Answer:",
    "langchain chat": "The following is a friendly conversation between a human and an AI. The AI is talkative.\n\n"
    f"Current conversation:\nHuman: Hi\nAI: Hello\nHuman: {QUESTION}\nAI:",
    "langchain rag": f"{RAG}\nQuestion: {QUESTION} \nContext: {SLY} \nAnswer:",
    "controlflow": "(The following message is from the orchestrator.)\n\nStarting task (ID 488172f9) with objective: "
    f"{QUESTION}",
    "guardrails": QUESTION + "\n\n" + SCHEMA.format("output structure you should return"),
    "guardrails document": f"{QUESTION}\n"
    + SCHEMA.format("information to extract from this document and the tags to extract it into"),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_the_question_of_a_prompt_is_told(name):
    """Not the documents, the chat or the schema that a framework puts beside it."""
    assert spoken(PROMPTS[name]) == identity(PROMPTS[name]) == QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "Context information is below. What does this line of my prompt do?",
        "Context information is below.\nQuery: how many?",
        "The original query is as follows: SELECT 1. Why is it slow?",
        "Use the following pieces of context to answer the question at the end. Is this a good prompt?",
        "You are an assistant for question-answering tasks. Can you teach?",
        "The following is a friendly conversation between a human and an AI. Translate it.",
        "Given below is a JSON Schema that describes the output structure you should return.",
        "My prompt says: Given below is a JSON Schema that describes the orders. Is it clear?",
        "Here is a summary of the conversation to date:\n\nWe met twice. Go on from there.",
        "Summary of the conversation so far: we met. Go on.",
        "Summarize the conversation below.\n\nAnn: hi\nBob: hello",
        "Please summarize this conversation.",
        "Provide the summary of the conversation.",
        "Fix these validation errors.",
        "Please, keep going!",
        "Your task: write me a poem.",
        "This is the context of my question.\n\nYour task: answer it.",
        "5 validation errors for AvailableTools\nWhat does pydantic mean?",
        "This was a previous response you generated:\n\nYes.\n\nIs it true?",
        "Tool call was not produced. What now?",
        "Write a summary of the following.",
        "Some text is provided below. Shorten it.",
    ],
)
def test_a_person_may_write_so(text, book, binding):
    """What only resembles such a prompt stays whole, first and behind an answer."""
    assert said(book.record(call(text), exchange(binding=binding))) == [text]
    asked = call("Weather?", model("Fine. Actions: none. Validation Errors: none."), text)
    assert said(book.record(asked, exchange(500_000, binding=binding))) == [text]


def test_a_question_made_to_stand_alone_is_the_models(book, binding):
    """What was asked is told with the call that rewrites it; the rewritten question is a model's."""
    alone = "When is my refund if I paid by card?"
    asked = call(PROMPTS["langchain condense"], answer=alone)
    assert said(book.record(asked, exchange(binding=binding))) == [QUESTION]
    prompt = QA.format(KNOWN, "Thirty days.", "context information", alone)
    assert said(book.record(call(prompt), exchange(200, binding=binding))) == []
    refined = f"The original query is as follows: {alone}\nWe have provided an existing answer: a\nWe"
    assert said(book.record(call(refined), exchange(400, binding=binding))) == []


@pytest.mark.parametrize("frame", ["{}", "Here is a summary of the conversation to date:\n\n{}"])
def test_a_summary_of_a_chat_is_the_models(book, binding, frame):
    """A framework puts what a model has summed up in the place of the history."""
    prompt = (
        "<role>\nContext Extraction Assistant\n</role>\n\nx\n<messages>\nMessages to summarize:\nHuman: Hi\n</messages>"
    )
    summary = "They spoke of refunds, at length."
    assert said(book.record(call("Hi there", answer="Hello"), exchange(binding=binding))) == ["Hi there"]
    assert said(book.record(call(prompt, answer=summary), exchange(200, binding=binding))) == []
    asked = call(frame.format(summary), "And by card?")
    assert said(book.record(asked, exchange(400, binding=binding))) == ["And by card?"]


ROLE = Message(
    "system",
    "# Role\nAssume the role of clerk.\n\n# Instructions\nWhen the user sends a message, figure out a solution and "
    "provide a final answer to the user by calling the 'final_answer' tool.",
)
TASKS = [
    ((ROLE,), "Your task: Pay\n", "Pay"),
    ((ROLE,), "This is the context relevant to the task:\nYour task: none\n\n\nYour task: Pay\nor not", "Pay\nor not"),
    ((ROLE,), "This is the expected criteria for your output:\nshort\n\n\nYour task: Pay", "Pay"),
    ((ROLE,), "Pay", "Pay"),
    ((Message("system", "Assume the role of a teacher."),), "Your task: Pay", "Your task: Pay"),
]


@pytest.mark.parametrize(("before", "text", "words"), TASKS)
def test_a_task_of_beeai(before, text, words):
    """Where its agent's instructions are; a teacher may be set a task as well."""
    assert spoken(text, before) == words


FRAMEWORKS = {
    "guardrails": (
        (),
        "\nI was given the following response, which was not parseable as JSON.\n\nx\n\nHelp me "
        "correct this by making it valid JSON.\n",
    ),
    "guardrails text": (
        (),
        "This was a previous response you generated:\n\n======\nx\n======\n\nGenerate a new response "
        "that corrects your old response such that the following issues are fixed\n- too long\n",
    ),
    "beeai": ((), "5 validation errors for AvailableTools\nitem.look.name\n\nAvailable Tools: look, final_answer"),
    "beeai arguments": (
        (),
        "The tool call for the 'look' tool has malformed parameters. It must be a valid JSON.\n\nAvailable Tools: look",
    ),
    "griptape": ((model('Actions: [\n{"tag": "a"}]'),), "<|Response|>: A1: shipped"),
    "griptape goes on": ((model('Actions: [\n{"tag": "a"}]'),), "Please, keep going!"),
    "griptape schema": ((model("Validation Errors: [{'type': 'missing'}]"),), "Fix these validation errors."),
    "griptape memory": ((), 'Conversation summary:\n"""\nx\n"""\n\nUpdate the summary with this:\n\nHuman: a'),
    "langchain": (
        (),
        "Progressively summarize the lines of conversation provided, adding onto the previous "
        "summary returning a new summary.\n",
    ),
    "google-adk": (
        (),
        "The following is a conversation history between a user and an AI agent. It may or may not "
        "start from a compacted history.",
    ),
    "haystack": ((), "<conversation_to_summarize>\nx\n</conversation_to_summarize>"),
    "camel": ((), "[CONTEXT_SUMMARY] The following is a summary of our conversation from a previous session: x"),
    "strands": (
        (
            Message(
                "system", "You are a conversation summarizer. Provide a concise summary of the conversation history."
            ),
        ),
        "Please summarize this conversation.",
    ),
    "agno": (
        (Message("system", "Analyze the following conversation between a user and an assistant, and extract"),),
        "Provide the summary of the conversation.",
    ),
    "llama-index": (
        (),
        "A list of documents is shown below. Each document has a number next to it along with a "
        "summary of the document.",
    ),
}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_nobody_said_it(name):
    """Retries, and calls that sum up."""
    before, text = FRAMEWORKS[name]
    assert scripted(text, before) is not None
    assert not before or scripted(text) is None  # it is where it stands that tells


@pytest.mark.parametrize(
    "begins", [KNOWN + "\n", PIECES, "Question: ", "This is the context \n", *(PROMPTS[name][:60] for name in PROMPTS)]
)
@pytest.mark.parametrize(
    "part", ["\n", "\nQuestion: ", "answer the query.\nQuery: ", "\nYour task: ", "\nGiven below is a "]
)
def test_a_prompt_of_any_length_is_looked_through_once(begins, part):
    """No thread of the application runs meanwhile."""
    text = begins + part * (200_000 // len(part))
    began = time.process_time()
    scripted(text, (ROLE,))
    spoken(text, (ROLE,))
    assert time.process_time() - began < 1


# An agent that is asked in words that were heard before --------------------------------------------------------


def asks(*turns, tool, question):
    """A call that asks an expert."""
    return call(*turns, tool_calls=(ToolCall("expert", tool, {"input": question}),), answer=None)


def answered(tool):
    """What the expert said."""
    return (ToolResult(tool, "Thirty days."),)


def whose(events):
    """(turn, the tool call it works for) of the model's message."""
    (found,) = (event.properties for event in events if event.event_type == "llm_message")
    return found.get("turn_index"), found.get("parent_tool_call_id")


@pytest.mark.parametrize("question", ["How long may it take by law?", "When is my refund?"])
def test_an_agent_is_asked_the_same_in_a_later_turn(book, binding, question):
    """In another tool call's words, or those that the person began with: it works for the call that asks now."""
    first, second = "When is my refund?", "Are you sure of that?"
    book.record(
        asks(first, model("Let me see."), "Please do so now", tool="t1", question=question), exchange(binding=binding)
    )
    book.record(call(question), exchange(200, binding=binding))
    history = (first, model("Let me see."), "Please do so now", model(""), Message("tool", "Thirty days."))
    book.record(call(*history, tool_results=answered("t1")), exchange(400, binding=binding))
    again = (*history, model("Thirty days."), second)
    assert said(book.record(asks(*again, tool="t2", question=question), exchange(600, binding=binding))) == [second]
    worked = book.record(call(question), exchange(800, binding=binding))
    assert (said(worked), whose(worked)) == ([], (1, "t2"))
    step = book.record(call(question, model(""), Message("tool", "x")), exchange(1000, binding=binding))
    assert whose(step) == (1, "t2")
    told = (*again, model(""), Message("tool", "Thirty days."), model("Yes."), "Thanks")
    book.record(call(*told, tool_results=answered("t2")), exchange(1200, binding=binding, body=b"{1}"))
    asked = book.record(call(question), exchange(900_000, binding=binding))  # a person, in a chat of its own
    assert (said(asked), whose(asked)) == ([question], (3, None))


def test_who_asks_works_for_nobody(book, binding):
    """An agent that is asked just what its caller was asked makes the caller no sub-agent of itself."""
    question, look = "When is my refund?", (model(""), Message("tool", "A1"))
    book.record(call(question), exchange(binding=binding))
    book.record(asks(question, *look, tool="t1", question=question), exchange(200, binding=binding))
    assert whose(book.record(call(question), exchange(400, binding=binding))) == (0, "t1")
    caller = call(question, *look, model(""), Message("tool", "Thirty days."), tool_results=answered("t1"))
    assert whose(book.record(caller, exchange(600, binding=binding))) == (0, None)


def test_a_person_asks_again_what_an_agent_was_asked(book, binding):
    """When the tool has answered, the same words in the same place are a person's."""
    question = "How long may it take by law?"
    book.record(asks("When is my refund?", tool="t1", question=question), exchange(binding=binding))
    assert said(book.record(call(question), exchange(200, binding=binding))) == []
    done = call(
        "When is my refund?",
        model(""),
        Message("tool", "Thirty days."),
        model("Thirty days."),
        "Thanks",
        tool_results=answered("t1"),
    )
    book.record(done, exchange(400, binding=binding, body=b"{1}"))
    told = book.record(call(question), exchange(900_000, binding=binding))
    assert (said(told), whose(told)) == ([question], (2, None))


def test_an_agent_that_is_given_the_history_and_its_task(book, binding):
    """beeai's handoffs: all of the conversation, and what the tool call asks behind it."""
    question = "How long may it take by law?"
    book.record(asks("When is my refund?", tool="t1", question=question), exchange(binding=binding))
    worked = book.record(
        call("When is my refund?", f"Your task: {question}"), exchange(200, binding=binding, body=b"{1}")
    )
    assert (said(worked), whose(worked)) == ([], (0, "t1"))
