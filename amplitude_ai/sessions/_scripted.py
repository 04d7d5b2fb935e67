"""Texts in a user's role that a framework wrote: tool results, retries, templates. Pure; the table is the knowledge.

In: the text of a user turn. Out: what it is, when no person said it. Each row names its author's source. A text that
is in no row is taken for a person's.
"""

from __future__ import annotations

import json
import re

from msgspec import Struct

from .._models import JSON, ToolResult
from .._pattern import lazy_pattern

#: Characters of each end that are looked at.
_ENDS = 4000


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
    r"(?P<marker>Observations?:|Error:\n(?=[\s\S]*\nNow let's retry: ))"  # smolagents, ReAct agents
    r"|(?P<tag><(?:tool_response|tool_result|function_result|function_results)>)"  # Hermes and Qwen templates
    r")[ \t]*\n?(?P<rest>[\s\S]*)\Z"
)
_CLOSING_TAG = lazy_pattern(r"(?<!\s)\s*</(?:tool_response|tool_result|function_results?)>\s*\Z")
#: smolagents tells a failed step behind its observation, or instead of one: to be looked for up to the last of these.
_RETRY = "\nNow let's retry: "
_FAILED_STEP = lazy_pattern(r"(?:\A|\n)(?:Call id: (?P<id>\S+)\n)?Error:\n(?P<error>[\s\S]*?)\nNow let's retry: ")

#: Of which call (agents.py, ``execute_tool_call``): where it is the first step, the call itself is sent no more.
_FAILED_CALL = lazy_pattern(
    r"Error executing tool '(?P<name>[^'\n]{1,200})' with arguments (?P<arguments>\{.{0,2000}?\}): "
)

#: How a retry or a template begins.
_BEGINS = lazy_pattern(
    r"\A\s*(?:"
    # instructor v2/providers/*/handlers.py (handle_reask), and its older reask.py
    r"Validation Errors?(?:\(s\))? (?:found|due to no tool invocation):"
    r"|Correct your JSON ONLY RESPONSE, based on the following errors:"
    r"|Recall the function (?:arguments )?correctly"
    # crewai translations/en.json (slices, errors)
    r"|Now it's time you MUST give your absolute best final answer"
    r"|Analyze the tool result\. If requirements are met"
    r"|Sorry, I didn't use the right format\. I MUST"
    r"|You can't keep going, here is the best final answer you generated"
    r"|I (?:encountered an error|tried reusing the same input|did it wrong)"
    r"|Error: the Action Input is not a valid key, value dictionary"
    r"|You tried to use the tool .{1,200}, but it doesn't exist"
    r"|Moving on then\. I MUST"
    r"|### Previous attempt failed validation:"
    r"|Analyze the following conversation and create a structured summary"
    r"|<summary>\n[\s\S]*\n</summary>\s*Continue the task from where"
    r"|Based on the following human feedback, determine which outcome"
    r"|Output to review:\n[\s\S]*Lessons from past human feedback:"
    # mem0 configs/prompts.py
    r"|You are a smart memory manager which controls the memory of a system"
    r"|## Summary\n[\s\S]*\n## (?:Last k Messages|New Messages)\n"
    r"|Create procedural memory of the above conversation"
    r"|Deduce the facts, preferences, and memories from the provided text"
    r"|Input:\n(?:user|assistant|system): "
    # smolagents prompts/*.yaml and agents.py
    r"|Now proceed and carry out this plan"
    r"|You are a world expert at analyzing a situation"
    r"|Now write your updated facts below"
    r"|Based on the above, please provide an answer to the following user task:"
    r"|You're a helpful agent named '.{1,200}'\.\nYou have been submitted this task by your manager"
    # pydantic-ai messages.py, RetryPromptPart
    r"|Validation feedback:\n|\d+ validation errors?:\n|Plain text responses are not permitted"
    r"|Please (?:return text or )?include your response in a tool call"
    # google-adk flows/llm_flows/contents.py: what another agent said
    r"|For context:(?:\n?\s*\[| below is a transcript of what another agent did)"
    # llama-index ReAct output parser; LangChain's output fixing and retry parsers; guardrails-ai
    r"|Error: Could not parse output\. Please follow the"
    r"|Instructions:\n-+\n[\s\S]*\nCompletion:\n-+\n"
    r"|Prompt:\n[\s\S]*\nAbove, the Completion did not satisfy the constraints"
    r"|I was given the following JSON response, which had problems"
    r")"
)
#: How one ends.
_CLOSES = lazy_pattern(
    r"(?:Fix the errors and try again\."  # pydantic-ai
    r"|Recall the function (?:arguments )?correctly,? (?:and )?fix the errors"  # instructor, Gemini
    r"|Please fix your mistakes\.)\s*\Z"  # LangGraph's ToolNode
)

#: DSPy's adapters: the input fields, then how to answer. The second differs from adapter to adapter (the fallback from
#: chat to JSON), and a trajectory grows from step to step: the same question all the while.
_DSPY = lazy_pattern(r"\A\s*(?:This is an example of the task[^\n]*\n+)?\[\[ ## \w+ ## \]\]\n")
_DSPY_REST = lazy_pattern(
    r"\n[^\S\n]*(?:\[\[ ## trajectory ## \]\]\n|Respond with (?:the corresponding output fields|a JSON object)|"
    r"Outputs will be a JSON object|Respond with the corresponding)"
)
#: The same by its XML adapter.
_DSPY_XML = "\n\nRespond with the corresponding output fields wrapped in XML tags `<"
_DSPY_ELEMENT = lazy_pattern(r"\s*<(\w{1,200})>\n")
_DSPY_FIELD = lazy_pattern(r"\[\[ ## (\w+) ## \]\][ \t]*(?:\n|\Z)")
#: A framework's frame around a person's own words: smolagents' prefix; and by how it begins and goes on crewai's task
#: (translations/en.json, ``task``, ``expected_output``; what an earlier task gave follows), Strands' swarms and graphs
#: (multiagent/swarm.py, graph.py). What goes on is looked for once, by itself: a pattern of the whole would go through
#: the rest of the text for each of its lines, and keep the application from running meanwhile.
_PREFIX = lazy_pattern(r"\ANew task:\n")
_FRAMES = (
    (
        # Agent(use_system_prompt=False) says who it is here
        lazy_pattern(
            r"\A\s*(?:(?>You are [^\n]{1,200}?\. )(?>[\s\S]{0,3000}?\nYour personal goal is: )[\s\S]{0,3000}?\n)?"
            r"Current Task: "
        ),
        lazy_pattern(r"\n[^\S\n]*\nThis is the expect(?:ed)? criteria for your final answer: "),
    ),
    (
        lazy_pattern(r"\A\s*Context:\n(?:User Request: |(?P<handed>Handoff Message: ))"),
        lazy_pattern(
            r"\n\n(?:Previous agents who worked on this: |Shared knowledge from previous agents:\n"
            r"|Other agents available for|You have access to swarm coordination tools)"
        ),
    ),
    (lazy_pattern(r"\A\s*Original Task:\s"), lazy_pattern(r"\nInputs from previous nodes:")),
)
_REQUEST = "\n\nUser Request: "
#: smolagents makes one turn of its own messages that follow each other: a task, what tools gave, and what failed.
_COMPOSED = lazy_pattern(r"\A\s*(?:New task:\n|Observation:\n|(?:Call id: \S+\n)?Error:\n)")
_SEAM = lazy_pattern(r"\n(?=New task:\n|Observation:\n|(?P<failed>(?:Call id: \S+\n)?Error:\n))")
#: What smolagents writes behind the last observation, in the same turn.
_BEHIND = lazy_pattern(
    r"\n(?:Based on the above, please provide an answer to|Now proceed and carry out this plan)[\s\S]*\Z"
)
#: AutoGen's swarm (base/_handoff.py) has the next agent read that it was handed to: the result of the handoff.
_TRANSFERRED = lazy_pattern(r"\ATransferred to (?P<name>.{1,200}), adopting the role of (?P=name) immediately\.\s*\Z")


def scripted(text: str) -> Scripted | None:
    """What ``text`` is when a framework wrote it; ``None`` for a person's."""
    head = text[:_ENDS]
    parts = _composed(text)
    if len(parts) > 1:
        matches = [_RESULT.match(part) for part in parts if not _PREFIX.match(part)]
        found = tuple(result for matched in matches if matched for result in _results(matched))
        return Scripted(found, speaks=scripted(spoken(text)) is None)
    if _TRANSFERRED.match(head):
        return Scripted((ToolResult(None, text),))
    matched = _RESULT.match(text)
    if matched:
        return Scripted(tuple(_results(matched)))
    if _BEGINS.match(head) or _CLOSES.search(text[-_ENDS:]):
        return Scripted()
    return None


def spoken(text: str) -> str:
    """The part of a person's text that is the person's, as far as a known framework frames it."""
    parts = _composed(text)
    if len(parts) > 1:
        text = next(part for part in reversed(parts) if _PREFIX.match(part))
    framed = _framed(text)
    if framed is not None:
        return framed
    given = inputs(text)
    if len(given) == 1:
        return next(iter(given.values()))
    if given:
        return "\n".join(f"{name}: {value}" for name, value in given.items())
    return _PREFIX.sub("", text, count=1)


def identity(text: str) -> str:
    """What a text is known again by when a framework asks the same in other words."""
    return spoken(text).strip()


def inputs(text: str) -> dict[str, str]:
    """The input fields in a user turn of DSPy's adapters; of any other text none."""
    if not _DSPY.match(text):
        return _elements(text)
    rest = _DSPY_REST.search(text)
    return fields(text[: rest.start()] if rest else text)


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


def _framed(text: str) -> str | None:
    for begins, goes_on in _FRAMES:
        begun = begins.match(text)
        if begun is None:
            continue
        start = begun.end()
        if "handed" in begun.groupdict() and begun["handed"]:
            start = text.find(_REQUEST, start) + len(_REQUEST)
            if start < len(_REQUEST):
                continue
        on = goes_on.search(text, start)
        if on is not None:
            # The lines before that are blank are the frame's.
            words = text[start : on.start() + 1]
            return words[: words.find("\n", len(words.rstrip()))]
    return None


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


def literal(text: str) -> JSON:
    """A plain dict as Python writes it, by way of JSON: `ast` would warn the application of what it finds odd."""
    if '"' in text or "\\" in text:
        return None
    words = {"None": "null", "True": "true", "False": "false"}
    try:
        return _as_json(re.sub(r"'[^']*'|\b(?:None|True|False)\b", lambda found: words.get(found[0], found[0]), text))
    except (ValueError, RecursionError):
        return None


def _as_json(text: str) -> JSON:
    found: JSON = json.loads(text.replace("'", '"'))
    return found if isinstance(found, dict) else None
