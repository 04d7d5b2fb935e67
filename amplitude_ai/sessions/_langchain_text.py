"""LangChain's classic agents, whose prompts are one text in a user's role: what of it a person said. Pure.

langchain_classic/agents: mrkl, conversational, chat, structured_chat, conversational_chat, and the hub's prompts of the
same words. Each is known by its ends first, so that other texts cost nothing.
"""

from __future__ import annotations

from .._pattern import lazy_pattern

#: Characters of each end.
_END = 200
_THOUGHT = "\nThought:"
_FORMAT = "\nAction Input: the input to the action\n"
_BEGIN = "\nBegin!\n"
_PREVIOUS_WORK = (
    "\n\nThis was your previous work (but I haven't seen any of it! I only see what you return as final answer):\n"
)
_REMINDER = lazy_pattern(r"\s*\(reminder to (?:always )?respond in a JSON blob no matter what\.?\)\s*\Z")
_CONVERSATION = "TOOLS\n------\nAssistant can ask the user to use tools"
_INPUT = (
    "\nHere is the user's input (remember to respond with a markdown code snippet of a json blob with a single action"
)
_NEW = "\nNew input: "
#: Where what has been done begins, behind the question.
_WORK = lazy_pattern(r"\n[ \t]*(?:Thought|Action):")


def asked_in(text: str) -> str | None:
    """The question in one of its prompts; ``None`` for any other text."""
    end = text[-_END:]
    if end.rstrip().endswith("Thought:"):
        if (at := text.find(_PREVIOUS_WORK)) >= 0:
            return text[:at]
        return _between(text, "\nQuestion: ") or _between(text, _NEW)
    if "(reminder to " in end and (reminder := _REMINDER.search(end)) is not None:
        question = text[: len(text) - len(end) + reminder.start()]
        work = _WORK.search(question)
        return (question if work is None else question[: work.start()]).strip()
    if text.startswith(_CONVERSATION):
        at = text.find(_INPUT)
        at = text.find("\n\n", at) if at >= 0 else -1
        return text[at + 2 :] if at >= 0 else None
    if text.startswith("Assistant is a large language model"):
        return _between(text, _NEW)
    return None


def _between(text: str, word: str) -> str | None:
    at = text.find(_FORMAT)
    at = text.find(_BEGIN, at) if at >= 0 else -1
    at = text.find(word, at) if at >= 0 else -1
    if at < 0:
        return None
    start = at + len(word)
    work = _WORK.search(text, start)
    return (text[start:] if work is None else text[start : work.start()]).strip()
