"""`AIConfig`: every option, checked when built; and what the environment says where it is left out.

Wrong values raise ``TypeError`` or ``ValueError`` at once, naming the argument, what came and the remedy, so a
mistake surfaces where it is made and not on the worker's thread. Standard library only; prices load on first use.
"""

from __future__ import annotations

import inspect
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from ._mistakes import answers_misspelling
from .pricing import PriceTable

logger = logging.getLogger("amplitude.ai")

_PRICE_KEYS = ("input", "output", "cached_input", "cache_write")
_PRICE_SHAPE = (
    '{"model-pattern": {"input": usd_per_token, "output": usd_per_token}}, with "cached_input" and "cache_write" '
    "optional; or an (input, output) pair or one number in place of the inner dict"
)
#: 0.01 USD a token is 10,000 USD a million: a price given per thousand or per million tokens.
_SUSPICIOUS_PRICE = 0.01

_FLAGS = (
    "privacy_mode",
    "exclude_input",
    "exclude_output",
    "exclude_tool_parameters",
    "exclude_tool_results",
    "token_tracking",
    "cost_tracking",
    "latency_tracking",
    "error_tracking",
    "async_event_emission",
    "auto_generate_session_ids",
    "redact_pii",
    "inject_stream_usage",
    "estimate_usage",
    "identity_from_body",
)
_SPEND_SCOPES = ("session", "user", "model", "day")
_SPEND_SHAPE = '{"user": 5, "day": [50, 100]}: USD by "session", "user", "model" or "day", one or several of each'
_EVENT_SCHEMAS = ("specification", "agent_analytics", "both")
_LENGTHS = {
    "max_content_length": "to keep no content at all, use privacy_mode=True",
    "session_timeout_ms": "the default is 1800000, half an hour",
    "tool_result_timeout_ms": "the default is 60000, one minute",
    "spool_max_bytes": "the default is 268435456, a quarter of a gigabyte",
    "spool_max_age_s": "the default is 518400, six days",
}
_OPTIONAL_LENGTHS = {
    "store_max_bytes": "the default is 1073741824, one gigabyte",
    "store_max_age_s": "the default is 2592000, thirty days",
}
_TABLES = ("openai_cost_per_token", "anthropic_cost_per_token", "google_cost_per_token", "prices")


@dataclass(frozen=True, slots=True)
class Spend:
    """What ``AIConfig(on_spend=...)`` is told: a total that has reached a threshold.

    Attributes:
        scope: what was added up: ``session``, ``user``, ``model`` or ``day``.
        name: which one: the session id, the user id, the model's name, the day.
        day: the UTC day (``2026-11-25``) whose total it is; ``None`` for a session, which is added up as a whole.
        threshold_usd: the threshold, as given.
        total_usd: what the calls cost until now, the one that reached it included.
        calls: how many calls that were.
        unpriced_calls: how many of them there are whose cost is not known, and so not in the total.
    """

    scope: str
    name: str
    day: str | None
    threshold_usd: float
    total_usd: float
    calls: int
    unpriced_calls: int


@dataclass(frozen=True, kw_only=True)
class AIConfig:
    """What is captured, what is kept of it, and what it costs.

    Attributes:
        privacy_mode: keep no content at all: no prompts, answers, tool parameters, tool results or error texts.
        exclude_input: keep no prompts (nor error texts, which quote them).
        exclude_output: keep no answers.
        exclude_tool_parameters: keep no tool parameters.
        exclude_tool_results: keep no tool results.
        token_tracking: report token counts.
        cost_tracking: report costs.
        latency_tracking: report durations.
        error_tracking: report error types and messages.
        max_content_length: characters kept of each text, the closing ``...`` included.
        openai_cost_per_token: own prices of OpenAI models, USD per token, by model pattern (``fnmatch``):
            ``{"gpt-4*": {"input": 3e-05, "output": 6e-05}}``.
        anthropic_cost_per_token: the same for Anthropic models.
        google_cost_per_token: the same for Google models.
        prices: the same for any provider; a pattern may also be ``provider/model``.
        async_event_emission: emit on the worker's thread; False waits for each call's events to be emitted.
        auto_generate_session_ids: give calls without a session id one of ours.
        session_timeout_ms: silence after which a session is over.
        tool_result_timeout_ms: how long a tool call waits for its result before it is reported without one.
        redact: a function of one ``str``, called with every text before it is kept; what it returns (a ``str``) is
            kept. If it fails, the event is dropped. ``None``: texts are kept as they are.
        redact_pii: replace e-mail addresses, phone and card numbers, API keys and tokens in every text.
        inject_stream_usage: ask OpenAI-style streams that do not ask themselves for their usage (by httpx, httpx2 and
            requests), and hide the chunk it comes in from the application. The request is changed.
        estimate_usage: where a provider tells no tokens, count those of the texts with tiktoken, which then must be
            installed and fetches a vocabulary when first used. Such events say ``usage_source`` ``estimate``.
        event_schema: which events are sent: ``specification`` (``llm_message`` and its fellows), ``agent_analytics``
            (``[Agent] AI Response`` and its fellows, which Amplitude's Agent Analytics shows), or ``both``.
        spool: keep events on disk until Amplitude has acknowledged them; what a process leaves behind, the next one
            sends. True for the file beside the local store, or a path. ``AMPLITUDE_AI_SPOOL`` (``1`` or a path) turns
            it on for every config that says nothing. Several processes may share one file.
        spool_max_bytes: the size of that file; the oldest events make room for new ones, counted.
        spool_max_age_s: how long it keeps an event, in seconds. Amplitude recognises a resent event for seven days.
        store_max_bytes: what the local store may hold; the oldest events make room for new ones, counted. By default
            ``AMPLITUDE_AI_STORE_MAX_BYTES``, else 1 GB.
        store_max_age_s: how long the local store keeps an event, in seconds. By default
            ``AMPLITUDE_AI_STORE_MAX_AGE_S``, else thirty days.
        on_spend: called with a `Spend` when a total reaches one of ``spend_thresholds``: once per threshold, on a
            thread of ours, after the call that reached it. What it raises is counted and goes no further. ``None``:
            nobody is told.
        spend_thresholds: USD per ``session`` (as a whole), ``user`` and ``model`` (each UTC day) and ``day``, of this
            process: ``{"user": 5, "day": [50, 100]}``.
        identity_from_body: where no user id is told, take the one that the request names: OpenAI's ``user`` or
            ``safety_identifier``, Anthropic's ``metadata.user_id``.

    Raises:
        TypeError: a value has the wrong type, or an option does not exist; the message names it and the remedy.
        ValueError: a number is out of its range, or a choice is not one of those there are.
    """

    privacy_mode: bool = False
    exclude_input: bool = False
    exclude_output: bool = False
    exclude_tool_parameters: bool = False
    exclude_tool_results: bool = False
    token_tracking: bool = True
    cost_tracking: bool = True
    latency_tracking: bool = True
    error_tracking: bool = True
    max_content_length: int = 10_000
    openai_cost_per_token: PriceTable = field(default_factory=dict, hash=False)
    anthropic_cost_per_token: PriceTable = field(default_factory=dict, hash=False)
    google_cost_per_token: PriceTable = field(default_factory=dict, hash=False)
    async_event_emission: bool = True
    auto_generate_session_ids: bool = True
    session_timeout_ms: int = 1_800_000
    tool_result_timeout_ms: int = 60_000
    redact: Callable[[str], str] | None = None
    redact_pii: bool = False
    prices: PriceTable = field(default_factory=dict, hash=False)
    inject_stream_usage: bool = False
    estimate_usage: bool = False
    event_schema: Literal["specification", "agent_analytics", "both"] = "specification"
    spool: bool | str | os.PathLike[str] = False
    spool_max_bytes: int = 256 * 1024 * 1024
    spool_max_age_s: int = 6 * 24 * 3600
    store_max_bytes: int | None = None
    store_max_age_s: int | None = None
    on_spend: Callable[[Spend], object] | None = field(default=None, hash=False)
    spend_thresholds: Mapping[str, float | Sequence[float]] = field(default_factory=dict, hash=False)

    identity_from_body: bool = False

    def __post_init__(self) -> None:
        for name in _FLAGS:
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise TypeError(f"AIConfig({name}=...) takes True or False, got {value!r} ({_kind(value)})")
        for name, remedy in _LENGTHS.items():
            _check_length(name, getattr(self, name), remedy)
        for name, remedy in _OPTIONAL_LENGTHS.items():
            if getattr(self, name) is not None:
                _check_length(name, getattr(self, name), remedy)
        if self.redact is not None and not callable(self.redact):
            raise TypeError(
                "AIConfig(redact=...) takes a function of one str that returns a str, or None, "
                f"got {_kind(self.redact)}; for the built-in redaction use redact_pii=True"
            )
        if self.event_schema not in _EVENT_SCHEMAS:
            wrong = ValueError if isinstance(self.event_schema, str) else TypeError
            raise wrong(
                f"AIConfig(event_schema=...) takes {', '.join(map(repr, _EVENT_SCHEMAS))}, got {self.event_schema!r}"
            )
        if not isinstance(self.spool, bool | str | os.PathLike) or self.spool == "":
            raise TypeError(f"AIConfig(spool=...) takes True, False or the path of a file, got {self.spool!r}")
        self._check_spending()
        for name in _TABLES:
            # object.__setattr__ is how a frozen dataclass sets its own normalised field.
            object.__setattr__(self, name, _price_table(name, getattr(self, name)))

    def _check_spending(self) -> None:
        told = self.on_spend
        if told is not None and not callable(told):
            raise TypeError(f"AIConfig(on_spend=...) takes a function of one Spend, or None, got {_kind(told)}")
        if inspect.iscoroutinefunction(told):
            raise TypeError("AIConfig(on_spend=...) takes a plain function: it is called on a thread without a loop")
        object.__setattr__(self, "spend_thresholds", _spend_thresholds(self.spend_thresholds))
        if (told is None) != (not self.spend_thresholds):
            missing = "on_spend, whom to tell" if told is None else f"spend_thresholds, {_SPEND_SHAPE}"
            raise ValueError(f"AIConfig: on_spend and spend_thresholds go together; missing is {missing}")
        if told is not None and not self.cost_tracking:
            raise ValueError("AIConfig(on_spend=...) needs costs: leave cost_tracking=True")

    def __deepcopy__(self, memo: dict[int, Any]) -> AIConfig:
        """Itself: it never changes, and amplitude-analytics copies each event, and so its config, per destination."""
        return self

    def calculate_cost(
        self,
        provider: str,
        model: str,
        input_tokens: int | None,
        output_tokens: int | None,
        cached_input_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        """The cost in USD, or ``None`` when the model's price is not known or ``cost_tracking`` is off.

        Args:
            provider: ``openai``, ``anthropic``, ``google`` ...
            model: the model's name at that provider.
            input_tokens: all input tokens, those read from and written to a cache included; ``None``: not known.
            output_tokens: all output tokens, reasoning included; ``None``: not known.
            cached_input_tokens: how many of the input tokens were read from a cache; ``None``: none.
            cache_write_tokens: how many of the input tokens were written to a cache; ``None``: none.

        Raises nothing for what is not known.
        """
        from ._usage import Usage
        from .pricing._cost import cost_by_name

        usage = Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_input_tokens=cached_input_tokens,
            cache_write_tokens=cache_write_tokens,
        )
        return cost_by_name(provider, model, usage, self)[0]

    def truncate_content(self, text: str) -> str:
        """``text``, cut to ``max_content_length`` characters where it is longer, the closing ``...`` included.

        Args:
            text: any text.

        Raises:
            TypeError: it is no text.
        """
        limit = self.max_content_length
        if len(text) <= limit:
            return text
        return text[:limit] if limit <= 3 else text[: limit - 3] + "..."


# The message of a dataclass names no other option.
AIConfig.__init__ = answers_misspelling(AIConfig.__init__)  # type: ignore[method-assign]


def _kind(value: object) -> str:
    return type(value).__name__


def _check_length(name: str, value: object, remedy: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"AIConfig({name}=...) takes a whole number, got {value!r} ({_kind(value)}); {remedy}")
    if value <= 0:
        raise ValueError(f"AIConfig({name}=...) must be 1 or more, got {value}; {remedy}")


def _spend_thresholds(told: object) -> dict[str, tuple[float, ...]]:
    """Ascending, each once."""
    if told is None:
        return {}
    if not isinstance(told, Mapping):
        raise TypeError(f"AIConfig(spend_thresholds=...) takes {_SPEND_SHAPE}; got {_kind(told)}")
    checked: dict[str, tuple[float, ...]] = {}
    for scope, given in told.items():
        if scope not in _SPEND_SCOPES:
            raise ValueError(f"AIConfig(spend_thresholds=...): unknown scope {scope!r}; expected {_SPEND_SHAPE}")
        several = given if isinstance(given, list | tuple | set | frozenset) else [given]
        for usd in several:
            if isinstance(usd, bool) or not isinstance(usd, int | float | Decimal):
                raise TypeError(f"AIConfig(spend_thresholds=...), {scope!r}: a threshold is USD, got {usd!r}")
            if not math.isfinite(usd) or usd <= 0:
                raise ValueError(f"AIConfig(spend_thresholds=...), {scope!r}: must be more than 0, got {usd!r}")
        if several:
            checked[scope] = tuple(sorted({float(usd) for usd in several}))
    return checked


def _price_table(name: str, table: object) -> dict[str, dict[str, float]]:
    if table is None:
        return {}
    if isinstance(table, set | frozenset) and table <= {...}:
        # The documentation writes `openai_cost_per_token={...}`, which Python reads as a set holding Ellipsis.
        logger.warning("AIConfig(%s={...}) is a placeholder and sets no price", name)
        return {}
    if not isinstance(table, Mapping):
        return {"*": _price(name, "*", table)}
    if table and all(isinstance(key, str) and key in _PRICE_KEYS for key in table):
        return {"*": _price(name, "*", table)}  # one price, for every model
    checked = {}
    for pattern, entry in table.items():
        if not isinstance(pattern, str) or not pattern:
            raise TypeError(f"AIConfig({name}=...): a model pattern is a str, got {pattern!r}; expected {_PRICE_SHAPE}")
        checked[pattern] = _price(name, pattern, entry)
    return checked


def _price(name: str, pattern: str, entry: object) -> dict[str, float]:
    where = f"AIConfig({name}=...), model {pattern!r}"
    if isinstance(entry, Mapping):
        unknown = [key for key in entry if key not in _PRICE_KEYS]
        if unknown:
            raise ValueError(f"{where}: unknown key {unknown[0]!r}; expected {_PRICE_SHAPE}")
        missing = [key for key in ("input", "output") if key not in entry]
        if missing:
            raise ValueError(f"{where}: {missing[0]!r} is missing (0 where it costs nothing); expected {_PRICE_SHAPE}")
        return {key: _usd(f"{where}, {key!r}", value) for key, value in entry.items()}
    if isinstance(entry, tuple | list):
        if len(entry) != 2:
            raise ValueError(f"{where}: a pair is (input, output), got {len(entry)} items; expected {_PRICE_SHAPE}")
        return {"input": _usd(f"{where}, input", entry[0]), "output": _usd(f"{where}, output", entry[1])}
    usd = _usd(where, entry)
    return {"input": usd, "output": usd}


def _usd(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"{where}: a price is a number of USD per token, got {value!r}; expected {_PRICE_SHAPE}")
    usd = float(value)
    if not math.isfinite(usd) or usd < 0:
        raise ValueError(f"{where}: a price is 0 or more USD per token, got {value!r}")
    if usd >= _SUSPICIOUS_PRICE:
        logger.warning("%s: %s USD per token is %s USD per million; was it meant per million?", where, usd, usd * 1e6)
    return usd


def _env(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def env_api_key() -> str | None:
    """``AMPLITUDE_API_KEY``."""
    return _env("AMPLITUDE_API_KEY")


def env_spool() -> bool | str:
    """``AMPLITUDE_AI_SPOOL``: ``1`` or ``true`` turns the spool on, ``0`` or ``false`` off; else it is a path."""
    value = _env("AMPLITUDE_AI_SPOOL") or "0"
    return {"1": True, "true": True, "0": False, "false": False}.get(value.lower(), value)


def env_console() -> bool:
    """``AMPLITUDE_AI_CONSOLE``: ``1`` or ``true`` prints a line a call."""
    return (_env("AMPLITUDE_AI_CONSOLE") or "").lower() in ("1", "true")


def store_limits(config: AIConfig | None) -> tuple[int, int]:
    """What the local store may hold: bytes, and seconds of age. The config's word, the environment's, the defaults."""
    return (
        (config and config.store_max_bytes) or _env_number("AMPLITUDE_AI_STORE_MAX_BYTES") or 1024**3,
        (config and config.store_max_age_s) or _env_number("AMPLITUDE_AI_STORE_MAX_AGE_S") or 30 * 24 * 3600,
    )


def _env_number(name: str) -> int | None:
    value = _env(name)
    if value is not None and value.isdecimal() and int(value) > 0:
        return int(value)
    if value is not None:
        logger.warning("%s must be a whole number of 1 or more, got %r; it is ignored", name, value)
    return None


def env_server_zone() -> str | None:
    """``AMPLITUDE_SERVER_ZONE``, ``US`` or ``EU``; anything else is logged and counts as not set."""
    zone = _env("AMPLITUDE_SERVER_ZONE")
    if zone is None or zone.upper() in ("US", "EU"):
        return zone and zone.upper()
    logger.warning("AMPLITUDE_SERVER_ZONE must be US or EU, got %r; it is ignored", zone)
    return None


def env_server_url() -> str | None:
    """``AMPLITUDE_SERVER_URL``."""
    return _env("AMPLITUDE_SERVER_URL")
