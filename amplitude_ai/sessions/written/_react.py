"""ReAct: a model writes ``Action:`` and ``Action Input:``, or a JSON object of both; what comes of it stands behind.

LangChain (classic: agents/{mrkl,conversational,chat,structured_chat,conversational_chat}), LlamaIndex (agent/react) and
crewai where its model calls no functions (agents/parser.py, translations/en.json) share the words. Behind
``Observation:`` LangChain writes the result on in its prompt, crewai in its model's message; LlamaIndex and LangChain's
conversational_chat send it as a message of its own, which `_scripted` reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..._models import JSON, LLMCall, ToolCall, ToolResult
from ..._pattern import lazy_pattern
from .._conversation import digest
from .._literal import json_or_literal
from .._scripted import spoken
from ._mark import Format, Mark, Written, last_user_text

#: What the request says of the tools, with their names.
_OFFERS = (
    lazy_pattern(
        r"\nAction: (?:the action to take, (?:should be one of|only one name of) \[|tool name \(one of )"
        r"(?P<names>[^\])\n]*)[\])][^\n]*\nAction Input: the input to the "
    ),
    lazy_pattern(
        r'(?:Valid "action" values: "Final Answer" or |The only values that should be in the "action" field are: '
        r'|"action": string, \\{1,4} The action to take\. Must be one of )(?P<names>[^\n]*)'
    ),
)
#: (A number and the spaces around it give nothing back: each would be tried in every way.)
_ACTION = lazy_pattern(
    r"(?:\A|\n)[ \t]*+Action[ \t]*+(?:\d{1,9}[ \t]*+)?:[ \t]*+(?P<name>[^\n]{1,200})\n"
    r"\s*+Action Input[ \t]*+(?:\d{1,9}[ \t]*+)?:"
)
#: An answer with this is one, whatever else stands in it. (LlamaIndex's is one where it comes first.)
_FINAL, _ANSWER = "Final Answer:", "Answer:"
_OBSERVATION = "\nObservation:"
_THOUGHT = "\nThought:"
_LAST = lazy_pattern(r"\S\s{0,64}\Z")
#: Observations of a text, from its end, that are looked at; and its last messages of a model.
_MAX_OBSERVATIONS = 8
_MAX_MESSAGES = 4
_read = json.JSONDecoder(strict=False)


def _asked(call: LLMCall) -> list[Written]:
    text = call.output_text or ""
    if _FINAL in text:
        return []
    kept = text.partition(_OBSERVATION)[0].strip()  # what comes then is made up
    found = _by_lines(kept) or _by_object(kept)
    if found is None or found[0] not in _offered(call):
        return []
    return [Written(ToolCall(found[0], arguments=found[1]), Mark(FORMAT, digest(kept), len(kept)))]


def _offered(call: LLMCall) -> set[str]:
    """The tools' names, as the program's own words have them: its instructions, or its template in a user's role."""
    names: set[str] = set()
    for message in call.messages:
        if message.role not in ("system", "user"):
            continue
        offers = (found for offer in _OFFERS if (found := offer.search(message.text)) is not None)
        for found in offers:
            if message.role == "system" or spoken(message.text) != message.text:
                names.update(name.strip(" '\"`") for name in found["names"].split(","))
    return names


def _by_lines(text: str) -> tuple[str, JSON] | None:
    found = _ACTION.search(text)
    if found is None or 0 <= text.find(_ANSWER) < found.start():
        return None
    return found["name"].strip(" \t\r*`"), _arguments(text[found.end() :].strip())


def _by_object(text: str) -> tuple[str, JSON] | None:
    at = text.find("{")
    try:
        found, _ = _read.raw_decode(text, at) if at >= 0 else (None, 0)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(name := found.get("action"), str) or "action_input" not in found:
        return None
    return name, found["action_input"]


def _arguments(text: str) -> JSON:
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end and not text[:start].strip("` \njson"):
        found = json_or_literal(text[start : end + 1])
        return text if found is None else found
    return text.strip('"')


def _result(call: LLMCall, mark: Mark, _name: str) -> ToolResult | None:
    for text, is_models in _places(call):
        at = len(text)
        for _ in range(_MAX_OBSERVATIONS):
            at = text.rfind(_OBSERVATION, 0, at)
            if at < 0:
                break
            end = _without_space(text, at)
            if end >= mark.size and digest(text[end - mark.size : end]) == mark.known:
                rest = text[at + len(_OBSERVATION) :]
                if not is_models and (on := rest.rfind(_THOUGHT)) >= 0:
                    rest = rest[:on]
                return ToolResult(None, rest.strip())
    return None


def _places(call: LLMCall) -> Iterator[tuple[str, bool]]:
    """Where results stand, and whether a model's own text is before them."""
    yield last_user_text(call), False
    said = [message.text for message in call.messages[-2 * _MAX_MESSAGES :] if message.role == "assistant"]
    yield from ((text, True) for text in reversed(said))


def _without_space(text: str, end: int) -> int:
    found = _LAST.search(text, max(0, end - 65), end)
    return end if found is None else found.start() + 1


FORMAT = Format(("Action Input", '"action_input"'), _asked, _result)
