"""What only the wire sees: another model than asked for, prompts that lost their cache, loops, speed.

Runs on the worker, per run of calls; of prompts, tools and requests only hashes are kept, so many of each.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .._config import AIConfig
from .._models import Exchange, LLMCall
from .._pattern import lazy_pattern
from ._bounded import remember
from ._conversation import Conversation, digest
from ._events import Origin
from ._offered import offered
from ._operations import is_message, operation_name
from ._pricing import price

_MAX_REQUESTS = 256
_MAX_TOOLS = 256
_MAX_AGENTS = 32
#: Of a model's name: what says who offers it, which snapshot it is, in which form.
_VENDOR = lazy_pattern(r"\A(?:[a-z]{2,6}\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21|openai)\.")
#: (Each part in one way only: `-preview-05-2025` could be one or two, and many of them be read in too many ways.)
_SNAPSHOT = lazy_pattern(
    r"(?>[-@:](?:\d{4}-\d{2}-\d{2}(?!\d)|\d{8}|\d{6}|\d{4}|\d{3}|\d{2}-\d{4}|latest|v\d{1,9}:\d{1,9}|exp"
    r"|preview(?:-\d{2}-\d{2,4})?|free|nitro|floor|beta|extended|online))++\Z"
)
#: Characters of a model's name: who answers with a longer one names none.
_MAX_NAME = 256
#: Names that ask for whatever is there.
#: (``tgi`` is what Hugging Face's guides ask a server for, whatever it runs.)
_ANY = lazy_pattern(r"auto|default|router|latest|preview|arn:|\Atgi\Z", re.IGNORECASE)
#: Whose customers call their deployments and endpoints as they like.
_DEPLOYED = ("azure", "databricks", "sagemaker")
_NO_SYSTEM = digest("")


class _Prompt(Struct, frozen=True):
    """The parts of a request in the order in which caches read them."""

    model: str
    tools: bytes
    system: bytes
    turns: tuple[bytes, ...]
    sizes: tuple[int, ...]


class Signals:
    """What one run has sent."""

    __slots__ = ("_prompts", "_requests", "_systems", "_tools", "new_system")

    def __init__(self) -> None:
        self._prompts: OrderedDict[Any, _Prompt] = OrderedDict()  # the last of each agent
        self._requests: OrderedDict[bytes, int] = OrderedDict()
        self._tools: OrderedDict[bytes, int] = OrderedDict()
        self._systems: OrderedDict[bytes, int] = OrderedDict()
        #: The system prompt of the last call, where the run had none like it: a text that long is told once.
        self.new_system: str | None = None

    def of_call(
        self,
        call: LLMCall,
        exchange: Exchange,
        talk: Conversation,
        body: bytes | None,
        attempt: int,
        cost: tuple[float | None, str | None],
        origin: Origin,
    ) -> dict[str, Any]:
        """The properties of an ``llm_message``. ``body`` is what the request is known by."""
        system = "\n\n".join(turn.text for turn in call.messages if turn.role == "system" and turn.text)
        system_key = digest(system) if system else _NO_SYSTEM
        self.new_system = system if system and _count(self._systems, system_key, _MAX_AGENTS, True) == 1 else None
        tools, names = offered(call.tool_definitions)
        made: dict[str, Any] = {
            "output_tokens_per_second": _speed(call, exchange),
            "time_to_headers_ms": _until_headers(exchange),
            **_gaps(call, exchange),
            "model_substituted": is_substituted(call),
            "system_prompt_hash": system_key.hex() if system else None,
            "tools_hash": tools.hex() or None,
            "tool_names": names,
            "repeat_count": None if body is None else _count(self._requests, body, _MAX_REQUESTS, attempt == 0),
            "cache_savings_usd": _savings(call, exchange, cost, origin.config),
        }
        if call.messages and is_message(operation_name(call)):
            made |= self._compared(origin.scope.properties.get("agent"), call, tools, system_key, talk)
        return made

    def of_tool(self, name: str, arguments: str) -> int:
        """How often a tool was called with these arguments (as `canonical` has them), this time included."""
        return _count(self._tools, digest(f"{name} {arguments}"), _MAX_TOOLS, True)

    def _compared(self, agent: Any, call: LLMCall, tools: bytes, system: bytes, talk: Conversation) -> dict[str, Any]:
        """With the last request of the same agent: the first part that changed, and how much is sent again."""
        said = [(turn, after) for turn, after in zip(call.messages, talk.after, strict=True) if turn.role != "system"]
        now = _Prompt(
            call.requested_model or "",
            tools,
            system,
            tuple(after for _, after in said),
            tuple(len(turn.text) for turn, _ in said),
        )
        before = self._prompts.get(agent)
        remember(self._prompts, agent, now, _MAX_AGENTS)
        if before is None:
            return {}
        same = 0
        while same < min(len(now.turns), len(before.turns)) and now.turns[same] == before.turns[same]:
            same += 1
        changed: str | None = None
        for part in ("model", "tools", "system"):
            if getattr(before, part) != getattr(now, part):
                changed = part
                break
        if changed is None and same < len(before.turns):
            changed = f"message {same}"
        total = sum(now.sizes)
        return {
            "cache_break": changed,
            "resent_share": round(sum(now.sizes[:same]) / total, 4) if total else None,
        }


def is_substituted(call: LLMCall) -> bool | None:
    """Whether another model answered than was asked for; ``None`` where the names do not tell.

    A dated snapshot of an alias is no other model; a deployment's or an endpoint's name (Azure, Databricks, SageMaker)
    and ``auto`` name none.
    """
    asked, answered = call.requested_model, call.model
    if not asked or not answered or call.provider.startswith(_DEPLOYED) or max(len(asked), len(answered)) > _MAX_NAME:
        return None
    if _family(asked) == _family(answered):
        return False
    return None if _ANY.search(asked) else True


@lru_cache(maxsize=512)  # the same few models are named by every call
def _family(name: str) -> str:
    short = name.lower().rpartition("/")[2]
    return _SNAPSHOT.sub("", _VENDOR.sub("", short))


def _speed(call: LLMCall, exchange: Exchange) -> float | None:
    """Tokens a second after the first one: of streams that were read to their end."""
    first, tokens = call.time_to_first_token_ms, call.usage.output_tokens
    if first is None or not tokens or not call.complete or call.usage_source is not None:
        return None
    spent = exchange.latency_ms - first
    return round(tokens / spent * 1000, 3) if spent > 0 else None


def _until_headers(exchange: Exchange) -> float | None:
    return None if exchange.headers_ns is None else (exchange.headers_ns - exchange.started_ns) / 1e6


def _gaps(call: LLMCall, exchange: Exchange) -> dict[str, Any]:
    """How long a stream let its reader wait between two pieces, and its reader the stream."""
    if not call.streaming:
        return {}
    made: dict[str, Any] = {} if exchange.reader_ns is None else {"read_after_ms": exchange.reader_ns / 1e6}
    if exchange.max_gap_ns is not None:
        made |= {"max_gap_ms": exchange.max_gap_ns / 1e6, "stall_count": exchange.stall_count}
    return made


def _savings(
    call: LLMCall, exchange: Exchange, cost: tuple[float | None, str | None], config: AIConfig
) -> float | None:
    """What the cached input would have cost besides, at the same prices."""
    usage = call.usage
    if not usage.cached_input_tokens or cost[0] is None or call.price_usage is not None:
        return None
    if call.reported_cost_usd is not None:  # what the provider says it cost is by prices of its own
        call = replace(call, reported_cost_usd=None)
        cost = price(call, exchange.started_at_ms, config)
    uncached = replace(call, usage=replace(usage, cached_input_tokens=None))
    without = price(uncached, exchange.started_at_ms, config)
    if cost[0] is None or without[0] is None or cost[1] != without[1]:
        return None
    return without[0] - cost[0]


def _count(table: OrderedDict[bytes, int], key: bytes, most: int, again: bool) -> int:
    seen = table.get(key, 0) + again or 1
    remember(table, key, seen, most)
    return seen
