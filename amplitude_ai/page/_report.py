"""``report``: the overview as one file to send to somebody (HTML), or for a pull request (Markdown).

Holds sums and names, no prompts and no answers. The HTML is one file: its style is inside, it loads and runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from .. import _clock
from ..look._filter import Filter
from ..look._reader import Row
from ..look._text import one_line
from ..look._when import iso
from ._charts import figure
from ._overview import Overview, overview
from ._pages import environment, usd


def html(path: Path, which: Filter) -> str:
    """The report as a page."""
    style = resources.files("amplitude_ai.page").joinpath("static/style.css").read_text("utf-8")
    return (
        environment()
        .get_template("report.html")
        .render(data=overview(path, which), style=Markup(style), **_head(which))  # the style is our own file
    )


def markdown(path: Path, which: Filter) -> str:
    """The report as text; what strangers named stands in code spans, which no renderer reads as anything else."""
    data = overview(path, which)
    head = _head(which)
    lines = [
        "## LLM calls",
        "",
        f"{head['since'] or 'From the first call'} to {head['made']}",
        "",
        *_table(("", "", ""), _key_figures(data)),
    ]
    for name in ("model", "user", "agent"):
        rows = [
            (
                _code(row[name]),
                *(figure(row[each]) for each in ("calls", "errors", "total_tokens")),
                usd(row["cost_usd"]),
                figure(row["avg_latency_ms"]),
            )
            for row in data.by[name]
        ]
        lines += [f"### By {name}", "", *_table((name, "calls", "errors", "tokens", "cost", "avg ms"), rows)]
    tools = [(_code(row["tool"]), figure(row["calls"]), figure(row["errors"])) for row in data.tools]
    lines += ["### Tools", "", *_table(("tool", "calls", "errors"), tools)] if tools else []
    cached = [
        (_code(row["model"]), figure(row["calls"]), figure(row["cached_input_tokens"]), usd(row["saved_usd"]))
        for row in data.cache
    ]
    lines += ["### Prompt caches", "", *_table(("model", "calls", "tokens", "saved"), cached)] if cached else []
    failed = [(_code(row["error"]), _code(row["status"]), figure(row["calls"])) for row in data.errors]
    lines += ["### Errors", "", *_table(("error", "HTTP", "calls"), failed)] if failed else []
    return "\n".join(lines)


def _head(which: Filter) -> dict[str, Any]:
    return {"since": iso(which.since_ms), "made": iso(_clock.wall_ms())}


def _key_figures(data: Overview) -> list[tuple[str, ...]]:
    total: Row = data.total
    return [
        ("Calls", figure(total["calls"]), f"{figure(data.users)} users, {figure(data.sessions)} sessions"),
        ("Errors", figure(total["errors"]), f"{figure(total['retries'])} retries"),
        ("Cost", usd(total["cost_usd"]), f"{figure(total['calls_without_cost'])} calls without a price"),
        ("Tokens", figure(total["total_tokens"]), f"{figure(total['cached_input_tokens'])} input tokens from a cache"),
        ("Saved by caches", usd(data.saved_usd), "against the same tokens without a cache"),
        ("Latency, ms", f"median {figure(data.latency[0])}", f"95% {figure(data.latency[1])}"),
        ("First token, ms", f"median {figure(data.ttft[0])}", f"95% {figure(data.ttft[1])}"),
    ]


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    made = [heads, ("---", *("---:" for _ in heads[1:])), *rows]
    return [*(f"| {' | '.join(row)} |" for row in made), ""]


def _code(value: Any) -> str:
    text = one_line(value, 80).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else "–"
