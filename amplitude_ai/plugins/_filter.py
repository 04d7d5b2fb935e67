"""`AIEventFilterPlugin`: which AI events go on. Rules look only at what an event says; what it does not say passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, ClassVar

from amplitude.event import BaseEvent

from .. import _arguments
from .._guard import count
from .._models import Event
from ..delivery._ai_event import AIEvent
from ..sessions import schema
from ._base import AIPlugin


class AIEventFilterPlugin(AIPlugin):
    """Drops AI events that are not wanted; each argument is one rule, and all must let an event pass.

    A list that is ``None`` is no rule. Filters act on events, not on runs: the totals of ``llm_run_finished`` still
    count what was dropped.

    Args:
        min_cost_threshold: drop an ``llm_message`` that cost this much or less, in USD; 0 or ``None`` drops none.
        allowed_providers: drop events of others: by ``model_provider``, by ``host`` (whole, as a pattern such as
            ``*.azure.com``, or a name in it), or by the vendor in a gateway's model name (``openai/gpt-4o``).
        include_errors: keep failed calls whatever they cost; False drops them, and failed tool calls.
        denied_providers: drop events of these.
        allowed_models: drop events of other ``model_name`` values; patterns such as ``gpt-4*`` are taken.
        denied_models: drop events of these; patterns too.
        allowed_user_ids: drop events of other users, and those without a user.
        denied_user_ids: drop events of these.
        sample_rate: share of sessions to keep, 0 to 1. A session is kept or dropped as a whole, on every machine alike.
        include_unpriced: keep calls whose cost is not known, whatever the threshold.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: ``min_cost_threshold`` is negative, or ``sample_rate`` is not between 0 and 1.
    """

    stage: ClassVar[str] = "plugin_filter"

    def __init__(
        self,
        min_cost_threshold: float | None = None,
        allowed_providers: Iterable[str] | None = None,
        include_errors: bool = True,
        *,
        denied_providers: Iterable[str] | None = None,
        allowed_models: Iterable[str] | None = None,
        denied_models: Iterable[str] | None = None,
        allowed_user_ids: Iterable[str] | None = None,
        denied_user_ids: Iterable[str] | None = None,
        sample_rate: float = 1.0,
        include_unpriced: bool = True,
    ) -> None:
        super().__init__()
        self._min_cost = _arguments.amount("min_cost_threshold", min_cost_threshold) or 0.0
        self._include_errors = _arguments.flag("include_errors", include_errors) is not False
        self._include_unpriced = _arguments.flag("include_unpriced", include_unpriced) is not False
        self._providers = _Lists("providers", allowed_providers, denied_providers)
        self._models = _Lists("models", allowed_models, denied_models)
        self._users = _Lists("user_ids", allowed_user_ids, denied_user_ids, exact=True)
        rate = _arguments.amount("sample_rate", sample_rate)
        if rate is None or rate > 1:
            raise ValueError(
                f"sample_rate must be between 0 and 1, got {sample_rate}: 0.1 keeps a tenth of the sessions"
            )
        self._rate = rate

    def handle(self, event: BaseEvent) -> BaseEvent | None:
        """``None`` when a rule drops the event; a call that is dropped is counted once, as ``filtered``."""
        call = event.call if isinstance(event, AIEvent) else None
        return event if self._wanted(event, event.event_type, event.event_properties or {}, call) else None

    def handle_translated(self, event: AIEvent, source: Event) -> AIEvent | None:
        """The same: what the event says in other words decides."""
        return event if self._wanted(event, source.event_type, source.properties, source.call) else None

    def _wanted(
        self, event: BaseEvent, event_type: str, properties: Mapping[str, Any], call: Mapping[str, Any] | None
    ) -> bool:
        whose = properties if call is None else {**call, **properties}
        wanted = (
            self._providers.pass_on_any(_by_whom_and_where(whose))
            and self._models.pass_on(properties.get("model_name"))
            and self._users.pass_on(event.user_id or "")
            and self._worth(event_type, properties, call)
            and self._sampled(event, properties)
        )
        if not wanted and (call is None or event_type == schema.LLM_MESSAGE):
            count("filtered")
        return wanted

    def _worth(self, event_type: str, properties: Mapping[str, Any], call: Mapping[str, Any] | None) -> bool:
        if event_type == schema.USER_MESSAGE and call is not None:
            return self._worth(schema.LLM_MESSAGE, call, None)  # it goes with its call
        if event_type not in (schema.LLM_MESSAGE, schema.TOOL_CALLED):
            return True
        if properties.get("success") is False:
            return self._include_errors
        if event_type != schema.LLM_MESSAGE or not self._min_cost:
            return True
        cost_usd = properties.get("cost_usd")
        return self._include_unpriced if cost_usd is None else cost_usd > self._min_cost

    def _sampled(self, event: BaseEvent, properties: Mapping[str, Any]) -> bool:
        if self._rate >= 1:
            return True
        # Without a session, the next best thing that belongs together: a user, a machine.
        whole = properties.get("session_id") or event.user_id or event.device_id or event.insert_id or ""
        # hash() differs from process to process; a digest does not.
        digest = blake2b(str(whole).encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 < self._rate


def _by_whom_and_where(properties: Mapping[str, Any]) -> list[str]:
    """What a provider is called by: by whom, where (a host, and the names in it), and whose the model is.

    ``openai`` is OpenAI on Azure too (``*.openai.azure.com``), and behind a gateway (``openai/gpt-4o``).
    """
    found = [str(properties["model_provider"])] if properties.get("model_provider") is not None else []
    host = properties.get("host")
    if isinstance(host, str) and found:
        name = host.partition(":")[0]
        found += [host, name, *(label for label in name.split(".")[:-1] if not label.isdigit())]
    model = properties.get("model_name") or properties.get("requested_model")
    if isinstance(model, str) and "/" in model and found:
        found.append(model.partition("/")[0])
    return found


class _Lists:
    """An allowed and a denied list for one property: of patterns in any case, or ``exact``."""

    def __init__(
        self, what: str, allowed: Iterable[str] | None, denied: Iterable[str] | None, exact: bool = False
    ) -> None:
        self._exact = exact
        self._allowed = None if allowed is None else self._names(f"allowed_{what}", allowed)
        self._denied = frozenset[str]() if denied is None else self._names(f"denied_{what}", denied)

    def pass_on(self, value: object) -> bool:
        """Whether an event with this value goes on; ``None`` is *not known* and does."""
        if value is None:
            return True
        name = str(value) if self._exact else str(value).lower()
        if self._in(self._denied, name):
            return False
        return self._allowed is None or self._in(self._allowed, name)

    def pass_on_any(self, values: Sequence[str]) -> bool:
        """The same for what has several names: one that is denied denies, one that is allowed allows."""
        names = [value.lower() for value in values]
        if not names:
            return True
        if any(self._in(self._denied, name) for name in names):
            return False
        return self._allowed is None or any(self._in(self._allowed, name) for name in names)

    def _in(self, names: frozenset[str], name: str) -> bool:
        return name in names or (not self._exact and any(fnmatchcase(name, pattern) for pattern in names))

    def _names(self, argument: str, names: Iterable[str]) -> frozenset[str]:
        if isinstance(names, str):
            raise TypeError(f"{argument} must be a list of names, not one string: pass {argument}=[{names!r}]")
        listed = list(names)
        for name in listed:
            if not isinstance(name, str):
                raise TypeError(f"{argument} must hold strings, not {type(name).__name__}")
        return frozenset(name if self._exact else name.lower() for name in listed)
