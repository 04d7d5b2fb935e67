"""What a call used."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from ._fact import Fact


class Usage(Fact, frozen=True):
    """Token counts, normalised: input includes cache reads and writes, output includes reasoning.

    ``None`` is *not reported*, 0 is *reported zero*. ``extra`` holds counts only some providers give
    (audio and image tokens, 5-minute and 1-hour cache writes, web searches, seconds, pages), by the unit
    name genai-prices uses (``input_audio_tokens``, ``cache_write_1h_tokens`` ...).
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    extra: Mapping[str, int | float] = field(default_factory=dict)

    @property
    def total(self) -> int | None:
        """The reported total, else input plus output when both are known."""
        if self.total_tokens is not None:
            return self.total_tokens
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens
