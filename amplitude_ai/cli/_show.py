"""A conversation on a terminal or in a pipe: who said what, tools, attempts, times, costs and where they came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.text import Text

from ..look._text import harmless, one_line
from ..sessions.schema import CONTENT, LLM_MESSAGE, RUN_FINISHED, RUN_STARTED, TOOL_CALLED, USER_MESSAGE
from ._output import Row, console, is_terminal, ms, usd, whole, write

#: Characters of a text that are shown; ``--full`` shows all.
LIMIT = 4_000


def conversation(events: Iterable[Row], chosen: str | None, full: bool) -> None:
    """Print events in order.

    Args:
        chosen: the ``insert_id`` of the one that was asked for, whose every property is told.
        full: whether texts are shown to their end.
    """
    for event in events:
        _PRINT.get(event["event_type"], _other)(event, None if full else LIMIT)
        if event["id"] == chosen:
            _details(event)


def _line(head: str, rest: Iterable[str | None] = (), style: str = "bold") -> None:
    facts = " · ".join(one_line(fact, 200) for fact in rest if fact)
    if not is_terminal():
        write(f"{head}  {facts}".rstrip())
        return
    console().print(Text.assemble((head, style), "  ", (facts, "dim")), soft_wrap=True)


def _block(text: Any, limit: int | None) -> None:
    if text is None or text == "":
        return
    for line in harmless(str(text), limit, lines=True).split("\n"):
        if is_terminal():
            console().print(Text("  " + line), soft_wrap=True)
        else:
            write("  " + line)


def _time(event: Row) -> str:
    return str(event["time"] or "")[11:23]


def _user(event: Row, limit: int | None) -> None:
    _line("user", [_time(event), event["user_id"]], "bold cyan")
    _block(event["properties"].get("content"), limit)


def _call(event: Row, limit: int | None) -> None:
    said = event["properties"]
    failed = said.get("success") is False
    cost = usd(said.get("cost_usd"))
    attempt = said.get("attempt")
    _line(
        "assistant" if not failed else "failed",
        [
            _time(event),
            said.get("model_name"),
            f"attempt {attempt}" if attempt else None,
            f"{whole(said.get('input_tokens')) or '?'} in, {whole(said.get('output_tokens')) or '?'} out",
            f"{cost} ({said.get('cost_source')})" if cost else "no price",
            f"{ms(said.get('latency_ms'))} ms" if said.get("latency_ms") is not None else None,
            f"TTFT {ms(said.get('time_to_first_token_ms'))} ms" if said.get("time_to_first_token_ms") else None,
            None if said.get("http_status") is None else f"HTTP {said['http_status']}",
            said.get("finish_reason"),
            event["id"][:8],
        ],
        "bold red" if failed else "bold green",
    )
    if failed:
        _block(": ".join(str(said[name]) for name in ("error_type", "error_message") if said.get(name)), limit)
    _block(said.get("output_content"), limit)


def _tool(event: Row, limit: int | None) -> None:
    said = event["properties"]
    failed = said.get("success") is False
    took = said.get("latency_ms")
    facts = [_time(event), f"{ms(took)} ms" if took is not None else None, said.get("error_message")]
    _line(f"tool {one_line(said.get('tool_name'), 100)}", facts, "bold red" if failed else "bold yellow")
    _block(said.get("tool_parameters"), limit)
    if said.get("tool_result") is not None:
        _block(f"→ {said['tool_result']}", limit)


def _started(event: Row, limit: int | None) -> None:
    _line("run started", [_time(event), event["properties"].get("run_source")], "dim")


def _finished(event: Row, limit: int | None) -> None:
    said = event["properties"]
    _line(
        "run finished",
        [
            _time(event),
            said.get("end_reason"),
            f"{whole(said.get('total_messages'))} calls" if said.get("total_messages") is not None else None,
            f"{whole(said.get('total_errors'))} errors" if said.get("total_errors") else None,
            f"{whole(said.get('total_tokens'))} tokens" if said.get("total_tokens") is not None else None,
            usd(said.get("total_cost_usd")),
        ],
        "dim",
    )


def _other(event: Row, limit: int | None) -> None:
    _line(one_line(event["event_type"], 100), [_time(event), event["user_id"]])


def _details(event: Row) -> None:
    for name, value in sorted(
        {**event["properties"], "insert_id": event["id"], "device_id": event["device_id"]}.items()
    ):
        if value is None or (name in CONTENT and "error" not in name):
            continue
        line = f"    {one_line(name, 60)} = {one_line(value, 300)}"
        if is_terminal():
            console().print(Text(line, style="dim"), soft_wrap=True)
        else:
            write(line)


_PRINT = {
    USER_MESSAGE: _user,
    LLM_MESSAGE: _call,
    TOOL_CALLED: _tool,
    RUN_STARTED: _started,
    RUN_FINISHED: _finished,
}
