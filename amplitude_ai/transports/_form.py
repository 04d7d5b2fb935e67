"""The short text fields of a form that is sent piece by piece (the model of a transcription, the prompt of an image).

Libraries that send a form's files as they read them have no body in memory. The fields beside the files are in it:
they are written down as a form of their own, in the words of the same boundary. A file is never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Parts that are looked at: to look at many would keep the caller.
MAX_PARTS = 256
#: Longer values, and more of them, are no model and no prompt that anybody would read here.
_MAX_VALUE = 8_000
_MAX_FIELDS = 64


def written(boundary: bytes, fields: Iterable[tuple[str, object]]) -> bytes | None:
    """A form of the text fields alone, ``None`` where there are none.

    Args:
        boundary: as the content type names it.
        fields: (name, value) pairs; values that are neither text nor bytes are files.
    """
    parts = []
    for name, value in fields:
        text = value.encode("utf-8", "replace") if isinstance(value, str) else value
        if not isinstance(text, bytes) or len(text) > _MAX_VALUE or '"' in name or not name.isprintable():
            continue  # libraries write quotes and line ends in a name each in its own way
        head = f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode("utf-8", "replace")
        parts.append(b"--%s\r\n%s%s\r\n" % (boundary, head, text))
        if len(parts) == _MAX_FIELDS:
            break
    return b"".join((*parts, b"--%s--\r\n" % boundary)) if parts else None
