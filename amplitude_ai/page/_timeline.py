"""One session's timeline: what ran when, as a tree of agents, calls and tools; SVG made here, as the charts are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from ..look._text import one_line
from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED
from ._charts import figure, svg
from ._session import Placed

#: The most calls and tools.
_LINES = 200
_WIDTH, _LEFT, _RIGHT = 960, 230, 90  # the middle is time; right of it stands how long the last took
_ROW, _INDENT = 24, 14


class Span(Struct, frozen=True):
    """One line, in ms since the first began; ``agents`` are those around it, the outermost first."""

    name: str
    begin_ms: float
    took_ms: float
    style: str
    first_ms: float | None = None
    agents: tuple[str, ...] = ()


def timeline(session: Sequence[Placed]) -> Markup:
    """The calls and tools of a session, one line each, below and to the right of their agents."""
    return _waterfall(_spans(session))


def _spans(session: Sequence[Placed]) -> list[Span]:
    timed: list[Span] = []
    for one in session:
        event, said = one.event, one.event["properties"]
        took = said.get("latency_ms")
        took = float(took) if isinstance(took, int | float) else 0.0
        if event["event_type"] == LLM_MESSAGE:
            attempt = said.get("attempt")
            name = f"{one_line(said.get('model_name'), 60) or 'call'}{f' (attempt {attempt})' if attempt else ''}"
            style, begin = "ok", event["time_ms"] - took
        elif event["event_type"] == TOOL_CALLED:
            name = f"↳ {one_line(said.get('tool_name'), 60)}"
            style, begin = "tool", float(event["time_ms"])
        else:
            continue
        if said.get("success") is False:
            style = "failed"
        first = said.get("time_to_first_token_ms")
        first = float(first) if isinstance(first, int | float) else None
        timed.append(Span(name, begin, took, style, first, tuple(one_line(agent, 60) for agent in one.agents)))
    zero = min((span.begin_ms for span in timed), default=0.0)
    return [replace(span, begin_ms=span.begin_ms - zero) for span in timed[:_LINES]]


def _waterfall(spans: Sequence[Span]) -> Markup:
    """A mark in a line is where the first token came."""
    end = max((span.begin_ms + span.took_ms for span in spans), default=0) or 1
    scale = (_WIDTH - _LEFT - _RIGHT) / end
    parts: list[Markup] = []
    y = 0
    around: tuple[str, ...] = ()
    for span in spans:
        kept = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(around, span.agents, strict=False)))
        around = span.agents
        for depth, agent in enumerate(around[kept:], kept):
            heading = Markup('<text class="name agent" x="{}" y="{}">{}</text>')
            parts.append(heading.format(depth * _INDENT, y + 16, _short(agent, depth)))
            y += _ROW
        x, wide = _LEFT + span.begin_ms * scale, max(2, span.took_ms * scale)
        parts.append(
            Markup(
                "<g><title>{name}{agent}: at {begin} ms, {took} ms</title>"
                '<text class="name" x="{indented}" y="{text}">{short}</text>'
                '<rect class="{style}" x="{x:.2f}" y="{y}" width="{wide:.2f}" height="{tall}" rx="2"/>'
                '<text class="axis" x="{after:.2f}" y="{text}">{took} ms</text>'
            ).format(
                name=span.name,
                agent=f", agent {around[-1]}" if around else "",
                begin=figure(span.begin_ms),
                took=figure(span.took_ms),
                indented=len(around) * _INDENT,
                text=y + 16,
                short=_short(span.name, len(around)),
                style=span.style,
                x=x,
                y=y + 5,
                wide=wide,
                tall=_ROW - 10,
                after=x + wide + 6,
            )
        )
        if span.first_ms is not None:
            mark = Markup('<rect class="first" x="{:.2f}" y="{}" width="2" height="{}"/>')
            parts.append(mark.format(x + span.first_ms * scale, y + 2, _ROW - 4))
        parts.append(Markup("</g>"))
        y += _ROW
    return svg("What ran when", (_WIDTH, max(_ROW, y)), parts, "waterfall")


def _short(name: str, depth: int) -> str:
    """What has room before the lines, which begin further to the right at each depth."""
    room = max(10, 28 - 2 * depth)
    return name if len(name) < room else name[: room - 1] + "…"
