"""One call as one line, for whoever watches them come: a terminal, a log file, a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._text import one_line


def line(call: Mapping[str, Any]) -> str:
    """Time, user, model, tokens, cost, ms, time to first token, tools, error; what is not known is left out.

    Args:
        call: the properties of an ``llm_message`` by name, with ``time`` (ISO) and ``user_id``.
    """
    parts = [
        str(call.get("time") or "")[11:],
        one_line(call.get("user_id"), 40) or "-",
        one_line(call.get("model_name"), 60) or "-",
        _tokens(call),
        "" if not _is_number(call.get("cost_usd")) else f"${call['cost_usd']:.6f}",
        "" if not _is_number(call.get("latency_ms")) else f"{call['latency_ms']:.0f} ms",
        "" if not _is_number(call.get("time_to_first_token_ms")) else f"TTFT {call['time_to_first_token_ms']:.0f} ms",
        _counted(call.get("tool_call_count"), "tool"),
        f"attempt {call['attempt']}" if call.get("attempt") else "",
        _error(call),
    ]
    return "  ".join(part for part in parts if part)


def _tokens(call: Mapping[str, Any]) -> str:
    given, made = call.get("input_tokens"), call.get("output_tokens")
    if given is None and made is None:
        return ""
    return f"{'?' if given is None else given} → {'?' if made is None else made}"


def _counted(number: Any, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}" if number else ""


def _error(call: Mapping[str, Any]) -> str:
    if call.get("success") is not False:
        return ""
    status = call.get("http_status")
    said = [one_line(call.get("error_type"), 60), one_line(call.get("error_message"), 160)]
    return "ERROR " + ": ".join(filter(None, [f"HTTP {status}" if status else "", *said]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
