"""Media in a prompt, described and never carried: ``[image image/png 12 KB]``."""

from __future__ import annotations

from .._elide import whole_length

#: Characters in which a data URL says what it is.
_HEAD = 256


def describe_base64(kind: str, media_type: str | None, data: object) -> str:
    """A short stand-in for base64 data, with its decoded size. ``kind``: image, audio, video, file."""
    size = whole_length(data) * 3 // 4 if isinstance(data, str) else None
    return describe(kind, media_type, size)


def describe(kind: str, media_type: str | None = None, size: int | None = None, name: str | None = None) -> str:
    """A short stand-in for a piece of media. ``size`` is in bytes."""
    parts = [kind, media_type, name, None if size is None else _human(size)]
    return f"[{' '.join(part for part in parts if part)}]"


def describe_url(kind: str, url: object) -> str:
    """A stand-in for media given by URL: data URLs by type and size, others by kind alone (a URL may be signed)."""
    if isinstance(url, str) and url.startswith("data:"):
        head = url[:_HEAD].partition(",")[0]  # no copy of the data
        size = max(whole_length(url) - len(head) - 1, 0) * 3 // 4
        return describe(kind, head[5:].split(";", 1)[0] or None, size)
    return describe(kind, "url")


def _human(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size // 1024} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"
