"""DSPy's ReAct (predict/react.py): fields for a tool's name and arguments, and a trajectory that grows at its end.

Three adapters (adapters/{chat,json,xml}_adapter.py) write the fields each in its own way; what was said and done so far
is the same text in each later request of the agent, with a step more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ..._models import JSON, LLMCall, ToolCall, ToolResult
from ..._pattern import lazy_pattern
from .._conversation import digest
from .._literal import json_or_literal
from ._mark import Format, Mark, Written, in_system_prompt, last_user_text

_NAME, _ARGUMENTS = "next_tool_name", "next_tool_args"
#: The tool that ends the work, and does nothing.
_FINISH = "finish"
#: What follows the input fields, in each adapter.
_REQUIRED = "\n\nRespond with "
_FIELD = lazy_pattern(r"(?:\A|\n)[ \t]*\[\[ ## (\w{1,200}) ## \]\]")
_HEADS = (
    lazy_pattern(r"\A\s*\[\[ ## thought_(\d{1,9}) ## \]\]\n"),
    lazy_pattern(r"\A\s*<thought_(\d{1,9})>\n"),
)
_TRAJECTORY_END = "\n</trajectory>"


def _chat(text: str) -> Mapping[str, JSON]:
    found: dict[str, JSON] = {}
    _, *parts = _FIELD.split(text)
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        found.setdefault(name, value.strip())  # the first counts
    return found


def _json(text: str) -> Mapping[str, JSON]:
    try:
        found = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _xml(text: str) -> Mapping[str, JSON]:
    return {name: value for name in (_NAME, _ARGUMENTS) if (value := _tag(text, name)) is not None}


#: How the request says that it wants the fields, and how they are read then.
_ADAPTERS: tuple[tuple[str, Callable[[str], Mapping[str, JSON]]], ...] = (
    (f"`[[ ## {_NAME} ## ]]`", _chat),
    (f"`{_NAME}`", _json),
    (f"`<{_NAME}>`", _xml),
)


def _asked(call: LLMCall) -> list[Written]:
    request = last_user_text(call)
    said, required = _parted(request)
    read = next((read for sign, read in _ADAPTERS if sign in required), None)
    if read is None or not in_system_prompt(call, f"`{_NAME}`"):
        return []
    fields = read(call.output_text or "")
    name = fields.get(_NAME)
    if not isinstance(name, str) or not name or name == _FINISH or _ARGUMENTS not in fields:
        return []
    if f"'{name}'" not in required and not in_system_prompt(call, f") {name}"):
        return []
    given = fields[_ARGUMENTS]
    arguments = _value(given) if isinstance(given, str) else given
    return [Written(ToolCall(name, arguments=arguments), Mark(FORMAT, digest(said), len(said)))]


def _result(call: LLMCall, mark: Mark, name: str) -> ToolResult | None:
    said, _ = _parted(last_user_text(call))
    if len(said) <= mark.size or digest(said[: mark.size]) != mark.known:
        return None
    step = said[mark.size :]
    for written, head in zip(("[[ ## {} ## ]]\n", "<{}>\n"), _HEADS, strict=True):
        if begun := head.match(step):
            number = int(begun[1])
            observed = written.format(f"observation_{number}")
            at = step.find(observed)
            if at < 0 or f"{written.format(f'tool_name_{number}')}{name}\n" not in step[:at]:
                return None
            rest = step[at + len(observed) :]
            until = rest.find("\n\n" + written.format(f"thought_{number + 1}"))
            return ToolResult(None, _closed(rest if until < 0 else rest[:until], number))
    return None


def _closed(observation: str, number: int) -> str:
    return observation.removesuffix(f"\n</observation_{number}>").strip()


def _parted(request: str) -> tuple[str, str]:
    """What was said and done, and how to answer."""
    at = request.rfind(_REQUIRED)
    if at < 0:
        return "", ""
    return request[:at].removesuffix(_TRAJECTORY_END), request[at:]


def _tag(text: str, name: str) -> str | None:
    at, end = text.find(f"<{name}>"), text.rfind(f"</{name}>")
    return text[at + len(name) + 2 : end].strip() if 0 <= at < end else None


_CHILD = lazy_pattern(r"\s*<(\w{1,200})>([^<]*)</\1>\s*")


def _value(text: str) -> JSON:
    """Arguments as JSON, as Python writes a dict, or as one element each; else as they stand."""
    if text[:1] != "<":
        found = json_or_literal(text)
        return text if found is None else found
    elements: dict[str, JSON] = {}
    at = 0
    while child := _CHILD.match(text, at):
        elements[child[1]], at = child[2].strip(), child.end()
    return elements if elements and at == len(text) else text


FORMAT = Format((_NAME,), _asked, _result)
