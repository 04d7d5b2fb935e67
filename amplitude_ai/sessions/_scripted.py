"""Texts in a user's role that a framework wrote: tool results, retries, templates. Pure; `_templates` has the latter.

In: the text of a user turn, and what stands before it. Out: what it is, when no person said it. What is not known is
taken for a person's: to lose what somebody said is worse than to tell what nobody did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from .._models import Message, ToolResult
from .._pattern import lazy_pattern
from ._conversation import last_text
from ._framed import framed
from ._langchain_text import asked_in
from ._literal import json_or_literal, literal
from ._templates import is_template

#: Characters of a beginning that are looked at.
_HEAD = 1000


class Scripted(Struct, frozen=True):
    """A framework's text. ``results`` are the tool results it carries: by id where it names one, else in order.

    ``speaks``: a person's words stand beside them (`spoken`).
    """

    results: tuple[ToolResult, ...] = ()
    speaks: bool = False


#: Tool results: the marker, and the result after it.
_RESULT = lazy_pattern(
    r"\A\s*(?:"
    r"(?:Call id: (?P<id>\S+)\n)?"  # smolagents memory.py, ActionStep.to_messages (errors)
    r"(?P<marker>(?P<observed>Observations?:)|Error:\n(?=[\s\S]*\nNow let's retry: take care))"
    r"|TOOL RESPONSE:[ \t]*\n-{3,}(?=[ \t]*\n[\s\S]*\nUSER'S INPUT\n-)"  # LangChain conversational_chat/prompt.py
    r"|(?P<tag><(?:tool_response|tool_result|function_result|function_results)>)"  # Hermes and Qwen templates
    r")[ \t]*\n?(?P<rest>[\s\S]*)\Z"
)
_CLOSING_TAG = lazy_pattern(r"(?<!\s)\s*</(?:tool_response|tool_result|function_results?)>\s*\Z")
#: A model that asks for a tool in its text. A person may begin with "Observation:" as well, behind any other answer.
_ASKS = lazy_pattern(
    r"(?:\A|\n)[ \t*]*+Action[ \t]*+(?:\d{1,9}[ \t]*+)?:|\"action\"|Calling tools:|<code>|<tool_call>|```py"
)
#: A file that a tool gave, in pydantic-ai's frame.
_FILE, _FILE_END = "<tool_result tool_name=", "</tool_result>"
#: smolagents tells a failed step behind its observation, or instead of one: to be looked for up to the last of these.
_RETRY = "\nNow let's retry: take care"
_FAILED_STEP = lazy_pattern(
    r"(?:\A|\n)(?:Call id: (?P<id>\S+)\n)?Error:\n(?P<error>[\s\S]*?)\nNow let's retry: take care"
)

#: Of which call (agents.py, ``execute_tool_call``): where it is the first step, the call itself is sent no more.
_FAILED_CALL = lazy_pattern(
    r"Error executing tool '(?P<name>[^'\n]{1,200})' with arguments (?P<arguments>\{.{0,2000}?\}): "
)

#: DSPy's adapters: the input fields, then how to answer. The second differs from adapter to adapter (the fallback from
#: chat to JSON), and a trajectory grows from step to step: the same question all the while.
_DSPY = lazy_pattern(r"\A\s*(?:This is an example of the task[^\n]*\n+)?\[\[ ## \w+ ## \]\]\n")
_DSPY_REST = lazy_pattern(
    r"\n[^\S\n]*(?:\[\[ ## trajectory ## \]\]\n|Respond with (?:the corresponding output fields|a JSON object)|"
    r"Outputs will be a JSON object|Respond with the corresponding)"
)
#: What is no one's question: the tools of its ReActV2.
_DSPY_TOOL = ", whose description is <desc>"
#: The same by its XML adapter.
_DSPY_XML = "\n\nRespond with the corresponding output fields wrapped in XML tags `<"
_DSPY_ELEMENT = lazy_pattern(r"\s*<(\w{1,200})>\n")
_DSPY_FIELD = lazy_pattern(r"\[\[ ## (\w+) ## \]\][ \t]*(?:\n|\Z)")
#: smolagents' frame around a person's words.
_PREFIX = lazy_pattern(r"\ANew task:\n")
#: atomic-agents context/system_prompt_generator.py: its agents are asked by an object of their schema.
_BY_SCHEMA = "\n- Always respond using the proper JSON schema.\n"
#: What LangChain (agents/middleware/summarization.py) and griptape (templates/memory/conversation/summary.j2) write
#: before a history that a model has summed up.
_SUMMARIES = ("Here is a summary of the conversation to date:\n\n", "Summary of the conversation so far: ")
#: beeai-framework agents/requirement/prompts.py, agents/tool_calling/prompts.py: who is asked, and how.
_ROLE = ("Assume the role of ", "figure out a solution and provide a final answer to the user")
_TASK, _TASK_BEGINS = "Your task: ", ("This is the context ", "This is the expected criteria for your output:\n")
#: smolagents makes one turn of its own messages that follow each other: a task, what tools gave, and what failed.
_COMPOSED = lazy_pattern(r"\A\s*(?:New task:\n|Observation:\n|(?:Call id: \S+\n)?Error:\n)")
_SEAM = lazy_pattern(r"\n(?=New task:\n|Observation:\n|(?P<failed>(?:Call id: \S+\n)?Error:\n))")
#: What smolagents writes behind the last observation, in the same turn.
_BEHIND = lazy_pattern(
    r"\n(?:\nUSER'S INPUT\n-{3,}\n\nOkay, so what is the response to my last"  # LangChain conversational_chat
    r"|Based on the above, please provide an answer to|Now proceed and carry out this plan)[\s\S]*\Z"
)
#: AutoGen's swarm (base/_handoff.py) has the next agent read that it was handed to: the result of the handoff.
_TRANSFERRED = lazy_pattern(r"\ATransferred to (?P<name>.{1,200}), adopting the role of (?P=name) immediately\.\s*\Z")


def scripted(text: str, before: Sequence[Message] = ()) -> Scripted | None:
    """What a text that stands behind the messages ``before`` is when a framework wrote it; ``None`` for a person's."""
    parts = _composed(text)
    if len(parts) > 1:
        matches = [_RESULT.match(part) for part in parts if not _PREFIX.match(part)]
        found = tuple(result for matched in matches if matched for result in _results(matched))
        return Scripted(found, speaks=scripted(spoken(text)) is None)
    if _TRANSFERRED.match(text, 0, _HEAD):
        return Scripted((ToolResult(None, text),))
    matched = _RESULT.match(text)
    if matched and _is_result(matched, text, before):
        return Scripted(tuple(_results(matched)))
    if is_template(text, before) or (text.startswith(_FILE) and text.rstrip().endswith(_FILE_END)):
        return Scripted()
    return None


def _is_result(matched: re.Match[str], text: str, before: Sequence[Message]) -> bool:
    if matched["tag"]:
        return _CLOSING_TAG.search(text) is not None
    if not matched["observed"]:
        return True
    said = last_text(before, "assistant")
    return said is not None and (not said.strip() or _ASKS.search(said) is not None)


def spoken(text: str, before: Sequence[Message] = ()) -> str:
    """The part of a person's text that is the person's, as far as a known framework frames it."""
    if (task := _task(text)) and any(
        one.role == "system" and all(part in one.text for part in _ROLE) for one in before
    ):
        return task
    if text[:1] == "{" and any(one.role == "system" and _BY_SCHEMA in one.text for one in before):
        given = json_or_literal(text)
        if isinstance(given, dict) and len(given) == 1 and isinstance(only := next(iter(given.values())), str):
            return only
    return _spoken(text, shortened=False)


def _task(text: str) -> str | None:
    stripped = text.strip()
    at = 0 if stripped.startswith(_TASK) else -1
    if stripped.startswith(_TASK_BEGINS):
        at = stripped.rfind(f"\n{_TASK}") + 1 or -1
    return None if at < 0 else stripped[at + len(_TASK) :]


def identity(text: str) -> str:
    """What a text is known again by when a framework asks the same in other words."""
    return _spoken(text, shortened=True).strip()


def passed_in(text: str) -> str | None:
    """What a framework's frame holds, which may be a model's words: a summary, a question made to stand alone."""
    summary = next((text[len(one) :] for one in _SUMMARIES if text.startswith(one)), None)
    words = framed(text) if summary is None else summary
    return words.strip() if words is not None else None


def _spoken(text: str, shortened: bool) -> str:
    parts = _composed(text)
    if len(parts) > 1:
        text = next((part for part in reversed(parts) if _PREFIX.match(part)), text)
    words = framed(text) or asked_in(text, shortened)
    if words is not None:
        return words
    given = inputs(text)
    if len(given) == 1:
        return next(iter(given.values()))
    if given:
        return "\n".join(f"{name}: {value}" for name, value in given.items())
    return _PREFIX.sub("", text, count=1)


def inputs(text: str) -> dict[str, str]:
    """The input fields in a user turn of DSPy's adapters; of any other text none."""
    if not _DSPY.match(text):
        return _elements(text)
    rest = _DSPY_REST.search(text)
    found = {} if rest is None else fields(text[: rest.start()])
    return {name: value for name, value in found.items() if name != "tools" or _DSPY_TOOL not in value}


def _elements(text: str) -> dict[str, str]:
    end = text.rfind(_DSPY_XML)
    found: dict[str, str] = {}
    at = 0
    while end > 0 and (opened := _DSPY_ELEMENT.match(text, at, end)):
        name = opened[1]
        closed = text.find(f"\n</{name}>", opened.end() - 1, end)
        if closed < 0 or name == "trajectory":
            break
        found[name] = text[opened.end() : closed].strip()
        at = closed + len(name) + 4
    return found


def fields(text: str) -> dict[str, str]:
    """``[[ ## name ## ]]`` and what stands under it, as DSPy asks its models to answer too."""
    _, *found = _DSPY_FIELD.split(text)
    return {name: value.strip() for name, value in zip(found[::2], found[1::2], strict=True)}


def _composed(text: str) -> list[str]:
    if "New task:\n" not in text or not _COMPOSED.match(text):
        return []
    retry = text.rfind(_RETRY)
    parts, began = [], 0
    for seam in _SEAM.finditer(text):
        if seam.end("failed") <= retry:  # -1 where nothing has failed
            parts.append(text[began : seam.start()])
            began = seam.end()
    return [*parts, text[began:]]


def _results(matched: re.Match[str]) -> list[ToolResult]:
    rest = _BEHIND.sub("", matched["rest"])
    if matched["tag"]:
        return [ToolResult(None, part) for part in re.split(r"</\w+>\s*<\w+>\s*", _CLOSING_TAG.sub("", rest))]
    text = matched.group()
    failed = _FAILED_STEP.search(text, 0, text.rfind(_RETRY) + len(_RETRY)) if _RETRY in text else None
    if failed:
        called = _FAILED_CALL.match(failed["error"])
        name, arguments = (None, None) if called is None else (called["name"], literal(called["arguments"]))
        return [ToolResult(failed["id"], failed["error"], success=False, name=name, arguments=arguments)]
    return [ToolResult(matched["id"], rest)]
