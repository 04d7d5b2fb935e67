"""``replay``: what a recording of old traffic called and what it cost, and into a store if asked.

The recordings pass the very stages that live traffic passes: parsers, sessions, prices, privacy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from .._config import AIConfig
from .._models import Binding, Event
from .._preload import preload
from ..delivery._ai_event import AIEvent, DeliveryReceipt
from ..delivery._sender import make_store_client
from ..look._when import iso
from ..parsers._read import read_all
from ..sessions._duplicates import DuplicateFilter
from ..sessions._runs import RunRegistry
from ..sessions.schema import LLM_MESSAGE
from . import _output as out
from . import _recordings, _tables
from ._errors import Failure

#: What is said of time, and unknown of a cassette.
_TIMES = ("latency_ms", "time_to_first_token_ms", "duration_ms")


def replay(files: list[Path], into: Path | None, user: str | None, session: str | None, json: bool) -> None:
    """Print the calls of ``files``, with ``into`` store all their events too.

    Raises:
        Failure: a file is no recording, or the store could not be written.
    """
    config = AIConfig()
    preload(config)
    exchanges = 0
    calls: list[dict[str, Any]] = []
    stored: list[int | None] = []
    client = None if into is None else make_store_client(into)
    for path in files:
        recorded = list(_recordings.read(path, Binding(config=config, user_id=user, session_id=session, explicit=True)))
        exchanges += len(recorded)
        for event in _events(recorded, config):
            if event.event_type == LLM_MESSAGE:
                calls.append(_summary(event, path))
            if client is not None:
                client.track(AIEvent(event, DeliveryReceipt(1, stored.append)))
    if client is not None:
        client.shutdown()
    if any(code != 200 for code in stored):
        raise Failure(f"{sum(code != 200 for code in stored)} of {len(stored)} events could not be stored in {into}")
    _print(calls, exchanges, files, into, len(stored), json)


def _events(recorded: list[_recordings.Recorded], config: AIConfig) -> Iterator[Event]:
    runs, repeated = RunRegistry(config), DuplicateFilter()
    last_ms = 0
    timed = True
    for each in recorded:
        last_ms = max(last_ms, each.exchange.started_at_ms)
        timed = timed and each.timed
        for call, own in read_all(each.exchange):
            if not repeated.is_duplicate(call, own):
                yield from (_without_times(event, each.timed) for event in runs.record(call, own))
    yield from (_without_times(event, timed) for event in runs.end_all(last_ms, "end_of_recording"))


def _without_times(event: Event, timed: bool) -> Event:
    if timed:
        return event
    return replace(event, properties={name: said for name, said in event.properties.items() if name not in _TIMES})


def _summary(event: Event, path: Path) -> dict[str, Any]:
    from ..look._calls import SUMMARY

    said = {name: event.properties.get(name) for name in SUMMARY}
    return {"file": str(path), "id": event.insert_id, "time": iso(event.time_ms), "user_id": event.user_id, **said}


def _print(
    calls: list[dict[str, Any]], exchanges: int, files: list[Path], into: Path | None, stored: int, json: bool
) -> None:
    prices = [call["cost_usd"] for call in calls if call["cost_usd"] is not None]
    total = {
        "exchanges": exchanges,
        "calls": len(calls),
        "errors": sum(call["success"] is False for call in calls),
        "cost_usd": round(sum(prices), 12) if prices else None,
        "calls_without_cost": len(calls) - len(prices),
        "stored": stored if into is not None else None,
    }
    if json:
        out.as_json({"calls": calls, "total": total})
        return
    if calls:
        out.table(calls, _tables.CALLS)
    unpriced = f", {total['calls_without_cost']} without a price" if total["calls_without_cost"] else ""
    cost = out.usd(total["cost_usd"]) or "no price known"
    out.hint(f"{len(calls)} model calls in {exchanges} exchanges: {cost}{unpriced}, {total['errors']} errors")
    if not calls:
        out.hint(f"No model call that is known here is in {', '.join(map(str, files))}.")
    if into is not None:
        out.hint(f"{stored} events are in {into}: amplitude-ai-wire --store {into} logs")
