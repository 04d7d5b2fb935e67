"""The only redaction in the package: what content may be kept, and in which form.

In: raw text and JSON from a call. Out: text that may leave the worker, or ``None`` where a setting excludes it.
The order is fixed: binary data out, built-in redaction, the user's ``redact`` hook, truncation last, so that no
secret survives by being cut in half. A failing hook raises `PrivacyError`: the event is dropped, never sent raw.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from .._config import AIConfig
from .._elide import whole_length
from .._foreign import clean_name, clean_path, clean_text
from .._models import JSON
from .._redact import redact_pii, remove_blobs
from .schema import Property

#: Of a longer text, beyond twice ``max_content_length``, this many characters are looked at, and the last of them go.
_WINDOW = 500_000
_MARGIN = 10_000
#: Event properties that a provider names: no content, but a liar may put anything there.
NAMES = frozenset(
    {"model_name", "requested_model", "response_id", "provider_request_id", "finish_reason", "error_type", "host"}
    | {"wire_error_type", "handoff_to"}
    | {"tool_name", "tool_call_id", "tool_type"}
)
_IDS = frozenset({"response_id", "provider_request_id", "tool_call_id"})
#: The same few models, hosts and paths are named by every call.
_clean_name = lru_cache(maxsize=512)(clean_name)
_clean_path = lru_cache(maxsize=512)(clean_path)
_ERROR_NAMES = frozenset({"error_type", "wire_error_type"})
_MAX_DEPTH = 40  # Amplitude's own limit on nested values


class PrivacyError(Exception):
    """Content could not be made safe, so its event must be dropped and counted."""


class Content(Struct, frozen=True):
    """A text that may be kept. ``text`` is ``None`` where it is excluded; ``length`` is that of the original."""

    text: str | None
    length: int
    truncated: bool | None


class Privacy:
    """The rules of one call: its `AIConfig` and its own ``privacy_mode``, which wins over the config's."""

    __slots__ = (
        "_config",
        "_private",
        "_window",
        "input_allowed",
        "output_allowed",
        "tool_parameters_allowed",
        "tool_results_allowed",
    )

    def __init__(self, config: AIConfig, privacy_mode: bool | None = None) -> None:
        private = config.privacy_mode if privacy_mode is None else privacy_mode
        self._config = config
        self._private = private
        self._window = 2 * config.max_content_length + _WINDOW  # characters that are looked at
        self.input_allowed = not (private or config.exclude_input)
        self.output_allowed = not (private or config.exclude_output)
        self.tool_parameters_allowed = not (private or config.exclude_tool_parameters)
        self.tool_results_allowed = not (private or config.exclude_tool_results)

    def input(self, text: str | None) -> Content | None:
        """A prompt."""
        return self._content(text, self.input_allowed)

    def output(self, text: str | None) -> Content | None:
        """An answer."""
        return self._content(text, self.output_allowed)

    def tool_parameters(self, value: JSON) -> str | None:
        """What a tool was called with, as a JSON string: Amplitude would flatten an object into properties."""
        return self._json(value, self.tool_parameters_allowed)

    def tool_result(self, value: JSON) -> str | None:
        """What a tool returned: text as it is, anything else as a JSON string."""
        return self._json(value, self.tool_results_allowed)

    def input_json(self, value: JSON) -> str | None:
        """A part of a prompt that is no text, as a JSON string."""
        return self._json(value, self.input_allowed)

    def error_message(self, text: str | None) -> str | None:
        """A provider's error text. Such texts quote prompts and keys, so prompts' rules hold, and keys always go."""
        return self._text(clean_text(text)) if text and self.input_allowed else None

    def tool_error(self, text: str | None) -> str | None:
        """A tool's error text, under the rules of its result."""
        return self._text(clean_text(text)) if text and self.tool_results_allowed else None

    def content(self, row: Property, value: JSON) -> str | None:
        """The value of a property that is content, by what the table says it is."""
        if row.privacy == "tool_parameters":
            return self.tool_parameters(value)
        if row.privacy == "tool_results" and not row.name.startswith("error"):
            return self.tool_result(value)
        text = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if row.privacy == "tool_results":
            return self.tool_error(text)
        if row.privacy == "error":
            return self.error_message(text)
        kept = self.input(text) if row.privacy == "input" else self.output(text)
        return None if kept is None else kept.text

    def names(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Event properties whose names a provider chose (`NAMES`), and the path, fit to leave."""
        kept = dict(properties)
        for name in NAMES & kept.keys():
            if isinstance(value := kept[name], str):
                clean = clean_name if name in _IDS else _clean_name  # no id comes twice
                # What was asked for is the application's own word.
                kept[name] = clean(value, private=self._private and name != "requested_model")
                if name in _ERROR_NAMES and kept[name]:
                    kept[name] = clean_path(kept[name])  # words, where a model's name may well hold a digest
        if properties.get("error_type") and not kept["error_type"]:
            kept["error_type"] = "error"
        if properties.get("model_name") and not kept["model_name"]:
            kept["model_name"] = kept.get("requested_model")
        if isinstance(path := kept.get("endpoint"), str):
            kept["endpoint"] = _clean_path(path)
        return kept

    def _content(self, text: str | None, allowed: bool) -> Content | None:
        if text is None:
            return None
        if not allowed:
            return Content(None, whole_length(text), None)
        kept = self._redacted(text)
        cut = len(kept) > self._config.max_content_length or len(text) > self._window
        return Content(self._config.truncate_content(kept), whole_length(text), cut)

    def _json(self, value: JSON, allowed: bool) -> str | None:
        if value is None or not allowed:
            return None
        if isinstance(value, str):
            return self._text(value)
        plain = _plain(value, self._config.redact_pii)
        # Built-in redaction ran on the leaves, before JSON escapes could hide anything; the hook sees what is sent.
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return self._config.truncate_content(self._hooked(text))

    def _text(self, text: str) -> str:
        return self._config.truncate_content(self._redacted(text))

    def _redacted(self, text: str) -> str:
        # Patterns hold the interpreter's lock as long as they run, so what will be cut off anyway is cut off first.
        # A secret that this cut goes through loses its half with the margin.
        cut = len(text) > self._window
        text = remove_blobs(text[: self._window])
        if self._config.redact_pii:
            text = redact_pii(text)
        return self._hooked(text[:-_MARGIN] if cut else text)

    def _hooked(self, text: str) -> str:
        if self._config.redact is not None:
            try:
                text = self._config.redact(text)
            except Exception as error:
                # The user's own code: whatever it raises, the content is not safe. Its message may quote the content.
                raise PrivacyError(f"the redact hook raised {type(error).__name__}") from None
            if not isinstance(text, str):
                raise PrivacyError(f"the redact hook must return a str, got {type(text).__name__}")
        # Lone surrogates are legal in JSON escapes and in Python, and are in no encoding that can be sent.
        return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def _plain(value: object, pii: bool, depth: int = 0) -> JSON:
    """``value`` as JSON can hold it, redacted leaf by leaf. Manual events bring any Python object."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = remove_blobs(value)
        return redact_pii(text) if pii else text
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        return redact_pii(str(value)) if pii and redact_pii(str(value)) != str(value) else value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[binary {len(value)} B]"
    if depth >= _MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {str(_plain(str(key), pii)): _plain(item, pii, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, pii, depth + 1) for item in value]
    return _plain(str(value), pii)
