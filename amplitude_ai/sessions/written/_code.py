"""smolagents' CodeAgent (agents.py): a model writes a program, which is one call of ``python_interpreter``.

Which of its tools that program calls, how often and with what, is not on the wire.
"""

from __future__ import annotations

import json

from ..._models import LLMCall, ToolCall, ToolResult
from ..._pattern import lazy_pattern
from .._conversation import digest
from .._scripted import scripted
from ._mark import Format, Mark, Written, in_system_prompt

#: prompts/{code_agent,structured_code_agent}.yaml
_OFFER = "these tools are basically Python functions which you can call with code"
_NAME = "python_interpreter"
#: utils.py, ``parse_code_blobs``; the end may be a stop sequence, which the answer has not. (Each is looked for by
#: itself: one pattern would try the spaces between them from every one on.)
_BEGIN = lazy_pattern(r"<code>|```(?:python|py)\s")
_END = lazy_pattern(r"</code>|```|\Z")
_CALLING = "Calling tools:\n"


def _asked(call: LLMCall) -> list[Written]:
    if not in_system_prompt(call, _OFFER):
        return []
    text = (call.output_text or "").strip()
    code = _structured(text)
    if code is None and (begin := _BEGIN.search(text)) and (end := _END.search(text, begin.end())):
        code = text[begin.end() : end.start()].strip()
    return [Written(ToolCall(_NAME, arguments=code), Mark(FORMAT, digest(text), len(text)))] if code else []


def _structured(text: str) -> str | None:
    if text[:1] != "{":
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) else None


def _result(call: LLMCall, mark: Mark, _name: str) -> ToolResult | None:
    pairs = list(zip(call.messages[:-1], call.messages[1:], strict=True))
    for said, answer in reversed(pairs):  # the same program twice: the last is the new one
        is_it = said.role == "assistant" and answer.role == "user" and _CALLING in said.text[mark.size :]
        if is_it and digest(said.text[: mark.size]) == mark.known:
            found = scripted(answer.text, (said,))
            return found.results[-1] if found is not None and found.results else None
    return None


FORMAT = Format(("<code>", "```py", '"code"'), _asked, _result)
