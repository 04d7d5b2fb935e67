"""LangChain's classic agents, whose prompts are one text in a user's role: what of it a person said. Pure.

langchain_classic/agents: mrkl, conversational, chat, structured_chat, conversational_chat, and the hub's prompts of the
same words. Each is known by its ends first, so that other texts cost nothing.
"""

from __future__ import annotations

from .._pattern import lazy_pattern

#: Characters of each end.
_END = 200
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
#: Where what has been done begins, behind the question; and what stands in it.
_WORK = lazy_pattern(r"\n[ \t]*(?:Thought|Action):")
_OBSERVATION = "\nObservation:"


def asked_in(text: str, shortened: bool = False) -> str | None:
    """The question in one of its prompts; ``None`` for any other text.

    ``shortened``: as it is known again by when work follows it, which a line of the person's own may begin like.
    """
    end = text[-_END:]
    if end.rstrip().endswith("Thought:"):
        if (at := text.find(_PREVIOUS_WORK)) >= 0:
            return text[:at]
        return _between(text, "\nQuestion: ", shortened) or _between(text, _NEW, shortened)
    if "(reminder to " in end and (reminder := _REMINDER.search(end)) is not None:
        return _before_work(text[: len(text) - len(end) + reminder.start()], shortened)
    if text.startswith(_CONVERSATION):
        at = text.find(_INPUT)
        at = text.find("\n\n", at) if at >= 0 else -1
        return text[at + 2 :] if at >= 0 else None
    if text.startswith("Assistant is a large language model"):
        return _between(text, _NEW, shortened)
    return None


def _between(text: str, word: str, shortened: bool) -> str | None:
    at = text.find(_FORMAT)
    at = text.find(_BEGIN, at) if at >= 0 else -1
    at = text.find(word, at) if at >= 0 else -1
    return None if at < 0 else _before_work(text[at + len(word) :], shortened)


def _before_work(text: str, shortened: bool) -> str:
    work = _WORK.search(text)
    if work is not None and (shortened or text.find(_OBSERVATION, work.start()) >= 0):
        text = text[: work.start()]
    return text.rstrip().removesuffix("Thought:").strip()
