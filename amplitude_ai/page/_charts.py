"""Charts as SVG, made here: nothing to load, nothing that runs. Colours are the style sheet's classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup
from msgspec import Struct

_WIDTH, _HEIGHT = 640, 120
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
    """Bars over time, their parts on top of each other; the tallest's height above, the first and last label below.

    Both are text of the page, not of the picture: they keep their size where the picture is small.
    """
    tops = [sum(layer.values[index] or 0 for layer in layers) for index in range(len(labels))]
    top = max(tops, default=0) or 1
    step = _WIDTH / max(_FEWEST, len(labels))
    parts = []
    for index, label in enumerate(labels):
        base = float(_HEIGHT)
        told = ", ".join(f"{layer.name} {figure((layer.told or layer.values)[index])}{unit}" for layer in layers)
        parts.append(Markup("<g><title>{}: {}</title>").format(label, told))
        for layer in layers:
            tall = (layer.values[index] or 0) / top * _HEIGHT
            base -= tall
            parts.append(
                Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
                    layer.style, index * step + step * 0.08, base, step * 0.84, tall
                )
            )
        parts.append(Markup("</g>"))
    ends = labels if len(labels) < 2 else (labels[0], labels[-1])
    return Markup('<p class="axis">{}{}</p>{}<p class="axis">{}</p>').format(
        figure(top),
        unit,
        svg(title, (_WIDTH, _HEIGHT), parts, "chart"),
        Markup("").join(Markup("<span>{}</span>").format(label) for label in ends),
    )


def figure(value: Any) -> str:
    """A number for people."""
    if not isinstance(value, int | float):
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.6f}".rstrip("0")


def svg(title: str, size: tuple[int, int], parts: Iterable[Markup], style: str) -> Markup:
    """A picture with a name."""
    return Markup('<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        style, title, *size, Markup("").join(parts)
    )
