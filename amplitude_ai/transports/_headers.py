"""Which headers are kept, of requests and of answers: an allow-list each. Of all others no value is looked at.

A request's are found on the caller's thread, by a plan for each set of names; an answer's on the worker's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from .._scope import HEADER_PREFIX

#: Request headers that may be kept. Everything else (keys, cookies, authorization) is never looked at twice.
REQUEST_HEADERS = frozenset({"content-type", "content-encoding", "x-stainless-retry-count", "amz-sdk-request"})
#: Response headers that may be kept.
RESPONSE_HEADERS = frozenset(
    {
        "content-type",
        "content-encoding",
        "x-request-id",
        "request-id",
        "x-amzn-requestid",
        "apim-request-id",
        "cf-ray",
        "openai-processing-ms",
        "x-envoy-upstream-service-time",
        "x-kong-upstream-latency",
        "x-inference-time",
        "x-prompt-tokens",
        "x-generated-tokens",
        "x-compute-tokens",
        "x-litellm-response-duration-ms",
        "server-timing",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-tokens-remaining",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
        "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-tokens-reset",
        "date",
        "x-amzn-errortype",
        "x-amzn-bedrock-input-token-count",
        "x-amzn-bedrock-output-token-count",
        "x-amzn-bedrock-invocation-latency",
        "x-litellm-response-cost",
        "x-inference-provider",
        "helicone-cache",
        "cf-aig-cache-status",
        "x-portkey-cache-status",
        "x-openrouter-cache-status",
        "x-cache-status",
        "x-hishel-from-cache",
        "x-typed-event",
    }
)

#: Names of headers that are remembered, and the longest of them: none that is kept is half as long.
_MAX_HEADER_NAMES, _MAX_HEADER_NAME = 512, 64
#: Plans by the names of all of a request's headers, as they were spelled: a program sends few such sets.
_plans: dict[tuple[str | bytes, ...], HeaderPlan] = {}
_text_plans: dict[tuple[str | bytes, ...], HeaderPlan] = {}  # apart: under -bb the two do not compare
_PLANS_LIMIT = 256
#: Sets of more characters are looked through each time.
_PLANNED_CHARACTERS = 4096


class HeaderPlan(NamedTuple):
    """Which of a request's headers say something to us.

    Attributes:
        names: of those that are kept, in lower case.
        pick: ``(all headers) -> those``, and one more; ``None`` where there are none.
        ours: where each of ours stands, and its lower-case name.
    """

    names: tuple[str, ...]
    pick: Callable[[Sequence[Any]], tuple[Any, ...]] | None
    ours: tuple[tuple[int, str], ...]


def header_plan(names: tuple[str | bytes, ...]) -> HeaderPlan:
    """Which of the headers of these names are kept, and which are ours."""
    plans = _plans if names and isinstance(names[0], bytes) else _text_plans
    plan = plans.get(names)
    if plan is None:
        lower = [as_text(name, "latin-1").lower() for name in names]
        kept = [at for at, name in enumerate(lower) if name in REQUEST_HEADERS]
        plan = HeaderPlan(
            tuple(lower[at] for at in kept),
            itemgetter(*kept, kept[0]) if kept else None,  # of one alone it would not be a tuple
            tuple((at, name) for at, name in enumerate(lower) if name.startswith(HEADER_PREFIX)),
        )
        if sum(map(len, lower)) <= _PLANNED_CHARACTERS:
            if len(plans) >= _PLANS_LIMIT:
                plans.clear()
            plans[names] = plan
    return plan


class _KeptNames(dict[bytes, str]):
    """What a header is kept as, by its name as the wire has it; empty where it is not kept. Servers send few names."""

    def __missing__(self, raw: bytes) -> str:
        name = raw.decode("latin-1").lower()
        kept = name if name in RESPONSE_HEADERS else ""
        if len(raw) <= _MAX_HEADER_NAME:
            if len(self) >= _MAX_HEADER_NAMES:
                self.clear()
            self[raw] = kept
        return kept


_kept_names = _KeptNames()


def kept_headers(headers: Any) -> dict[str, str]:
    """Those of an answer that are kept, by their lower-case names. On the worker.

    Args:
        headers: name and value pairs, str or bytes, or what has these as ``raw`` (httpx).
    """
    kept: dict[str, str] = {}
    pairs: Iterable[tuple[Any, Any]] = getattr(headers, "raw", headers)
    for name, value in pairs:
        key = _kept_names[name if type(name) is bytes else str(name).encode("latin-1", "replace")]
        if key:
            kept[key] = as_text(value, "latin-1")
    return kept


def as_text(value: object, encoding: str) -> str:
    """What a library holds as the name or the value of a header."""
    return value.decode(encoding, "replace") if isinstance(value, bytes) else str(value)
