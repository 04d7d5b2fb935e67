"""Charts as SVG, made here: nothing to load, nothing that runs. Colours are the style sheet's classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from markupsafe import Markup, escape
from msgspec import Struct

_WIDTH, _HEIGHT, _FOOT, _HEAD = 640, 150, 18, 14
#: Room for so many bars at the least: one alone would be a wall.
_FEWEST = 16


class Layer(Struct, frozen=True):
    """One part of each bar.

    Attributes:
        style: the name of its style.
        name: its name to a reader.
        values: how tall it is in each bar (``None``: unknown).
        told: what a reader is told of each bar, where that is not how tall it is.
    """

    style: str
    name: str
    values: Sequence[float | None]
    told: Sequence[float | None] | None = None


def bars(title: str, labels: Sequence[str], layers: Sequence[Layer], unit: str = "") -> Markup:
    """Bars over time, their parts on top of each other."""
    tops = [sum(layer.values[index] or 0 for layer in layers) for index in range(len(labels))]
    top = max(tops, default=0) or 1
    step = _WIDTH / max(_FEWEST, len(labels))
    plot = _HEIGHT - _FOOT - _HEAD
    parts = []
    for index, label in enumerate(labels):
        base = float(_HEIGHT - _FOOT)
        told = ", ".join(f"{layer.name} {figure((layer.told or layer.values)[index])}{unit}" for layer in layers)
        parts.append(Markup("<g><title>{}: {}</title>").format(label, told))
        for layer in layers:
            tall = (layer.values[index] or 0) / top * plot
            base -= tall
            parts.append(
                Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
                    layer.style, index * step + step * 0.08, base, step * 0.84, tall
                )
            )
        parts.append(Markup("</g>"))
    axis = Markup('<text class="axis" x="0" y="10">{}{}</text>').format(figure(top), unit)
    if labels:
        axis += Markup('<text class="axis" x="0" y="{}">{}</text>').format(_HEIGHT - 4, labels[0])
    if len(labels) > 1:
        axis += Markup('<text class="axis end" x="{}" y="{}">{}</text>').format(_WIDTH, _HEIGHT - 4, labels[-1])
    return _svg(title, _HEIGHT, Markup("").join([axis, *parts]), "chart")


class Span(Struct, frozen=True):
    """One line of a waterfall, in ms since its begin; ``agents`` are those around it, the outermost first."""

    name: str
    begin_ms: float
    took_ms: float
    style: str
    first_ms: float | None = None
    agents: tuple[str, ...] = ()


def waterfall(title: str, spans: Sequence[Span]) -> Markup:
    """What ran when, one line each, below and to the right of its agents; a mark where the first token came."""
    end = max((span.begin_ms + span.took_ms for span in spans), default=0) or 1
    row, left, indent = 20, 190, 12
    scale = (_WIDTH - left - 60) / end
    parts: list[Markup] = []
    y = 0
    around: tuple[str, ...] = ()
    for span in spans:
        kept = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(around, span.agents, strict=False)))
        around = span.agents
        for depth, agent in enumerate(around[kept:], kept):
            heading = Markup('<text class="name agent" x="{}" y="{}">{}</text>')
            parts.append(heading.format(depth * indent, y + 14, _short(agent, depth)))
            y += row
        x, wide = left + span.begin_ms * scale, max(1.5, span.took_ms * scale)
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
                indented=len(around) * indent,
                text=y + 14,
                short=_short(span.name, len(around)),
                style=span.style,
                x=x,
                y=y + 4,
                wide=wide,
                tall=row - 8,
                after=x + wide + 4,
            )
        )
        if span.first_ms is not None:
            mark = Markup('<rect class="first" x="{:.2f}" y="{}" width="2" height="{}"/>')
            parts.append(mark.format(x + span.first_ms * scale, y + 2, row - 4))
        parts.append(Markup("</g>"))
        y += row
    return _svg(title, max(row, y), Markup("").join(parts), "waterfall")


def _short(name: str, depth: int) -> str:
    """What has room before the lines, which begin further to the right at each depth."""
    room = max(10, 28 - 2 * depth)
    return name if len(name) < room else name[: room - 1] + "…"


def figure(value: Any) -> str:
    """A number for people."""
    if not isinstance(value, int | float):
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.6f}".rstrip("0")


def _svg(title: str, height: int, inside: Markup, style: str) -> Markup:
    return Markup('<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        style, escape(title), _WIDTH, height, inside
    )
