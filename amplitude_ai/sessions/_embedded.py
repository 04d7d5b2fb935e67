"""The question in a prompt that is one text: of documents and a question, of a chat and what was asked last. Pure.

LlamaIndex's query engines and LangChain's retrieval chains write such. By how one begins, what stands before the
question, and what behind it. The table is the knowledge; each row is under its author's source. A document may hold any
of these words: where the question comes behind it, the last of them are the frame's.
"""

from __future__ import annotations

from msgspec import Struct


class _Prompt(Struct, frozen=True):
    begins: str
    before: str
    behind: str
    is_first: bool = False


_PROMPTS = (
    # llama-index prompts/default_prompts.py, chat_prompts.py
    _Prompt("Context information is below.\n", "answer the query.\nQuery: ", "\nAnswer:"),
    _Prompt("Context information from multiple sources is below.\n", "answer the query.\nQuery: ", "\nAnswer:"),
    _Prompt(
        "You are an expert Q&A system that strictly operates in two modes when refining existing answers:",
        "\nQuery: ",
        "\nOriginal Answer: ",
    ),
    _Prompt("The original query is as follows: ", "", "\nWe have provided an existing answer: ", is_first=True),
    _Prompt("Given an input question, first create a syntactically correct ", "\nQuestion: ", "\nSQLQuery:"),
    _Prompt(
        "Given an input question, synthesize a response from the query results.\nQuery: ", "", "\nSQL:", is_first=True
    ),
    # llama-index chat_engine/condense_question.py, condense_plus_context.py
    _Prompt(
        "Given a conversation (between Human and Assistant) and a follow up message from Human,",
        "\n<Follow Up Message>\n",
        "\n\n<Standalone question>",
    ),
    _Prompt(
        "Given the following conversation between a user and an AI assistant and a follow up question from user,",
        "\n  Follow Up Input: ",
        "\n  Standalone question:",
    ),
    # LangChain classic chains/conversational_retrieval/prompts.py, question_answering/stuff_prompt.py
    _Prompt(
        "Given the following conversation and a follow up question, rephrase the follow up question",
        "\nFollow Up Input: ",
        "\nStandalone question:",
    ),
    _Prompt(
        "Use the following pieces of context to answer the question at the end.",
        "\n\nQuestion: ",
        "\nHelpful Answer:",
    ),
    # LangChain classic chains/conversation/prompt.py
    _Prompt("The following is a friendly conversation between a human and an AI.", "\nHuman: ", "\nAI:"),
    # its tutorials' rlm/rag-prompt
    _Prompt(
        "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer",
        "\nQuestion: ",
        "\nContext:",
        is_first=True,
    ),
    # controlflow orchestration/orchestrator.py
    _Prompt("(The following message is from the orchestrator.)\n\nStarting task (ID ", ") with objective: ", ""),
)
_HEADS = tuple(one.begins for one in _PROMPTS)


def embedded_question(text: str) -> str | None:
    """The question, ``None`` where there is no such prompt."""
    text = text.strip()
    if not text.startswith(_HEADS):
        return None
    for one in _PROMPTS:
        if text.startswith(one.begins) and (found := _between(text, one)):
            return found
    return None


def _between(text: str, prompt: _Prompt) -> str | None:
    start = len(prompt.begins)
    if prompt.is_first:
        start = text.find(prompt.before, start)
        end = text.find(prompt.behind, start) if start >= 0 else -1
    else:
        end = text.rfind(prompt.behind, start)
        start = text.rfind(prompt.before, start, end) if end >= 0 else -1
    if start < 0 or end < 0:
        return None
    return text[start + len(prompt.before) : end].strip() or None
