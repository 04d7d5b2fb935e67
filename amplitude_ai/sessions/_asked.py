"""Runs found by what they wait for: who asked for a tool, an agent or an answer that another client brings.

An agent used as a tool, an MCP server's caller, a framework that makes a client for each call: each has a run of its
own by its client, and works for one that another client began.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from itertools import islice

from .._models import Exchange, Scope, ToolCall
from . import _events, _tools
from ._conversation import Conversation, Phrases
from ._run import Run
from ._turns import Asked, Parent

#: Runs in progress by `run_name`, the least recently used first.
Runs = OrderedDict[Hashable, Run]
#: Runs that are looked through for who asked, and characters of a text that may be taken for another run's.
_MAX_ASKED = 64
_MIN_ASKED = 12


def run_name(context: Scope) -> Hashable:
    """What makes two calls one run. The Amplitude client is part of it: its events go to another project."""
    if context.session_id is not None:
        return context.session_id, id(context.binding.amplitude_client), id(context.totals)
    return context.binding.key, context.user_id, context.device_id


def who_asked(runs: Runs, tool: ToolCall, exchange: Exchange) -> tuple[Run | None, _tools.Pending | None]:
    """The oldest waiting call of that name and those arguments: of the exchange's own run, else of the latest."""
    own = runs.get(run_name(exchange.context))
    user = exchange.context.user_id
    for run in [*([own] if own else []), *islice(reversed(runs.values()), _MAX_ASKED)]:
        if run is not own and user is not None and run.origin.scope.user_id not in (user, None):
            continue
        for one in run.waiting.values():
            if _tools.is_same(one, tool):
                return run, one
    return None, None


def find_asked(runs: Runs, text: str, own: Run, talk: Conversation, exchange: Exchange) -> Asked | None:
    """The tool call that waits for what ``text`` asks: the run's own, else of another client of the same user."""
    asked = (one.as_asked() for one in own.waiting.values())
    found = next((one for one in asked if _is_another(talk, one.conversation) and one.phrases.are(text)), None)
    if found is not None or exchange.context.session_id is not None or len(text) < _MIN_ASKED:
        return found
    mine = own.origin.scope
    for run in islice(reversed(runs.values()), _MAX_ASKED):
        other = run.origin.scope
        if run is own or not _are_one_users(other, mine):
            continue
        for one in run.waiting.values():
            if one.asked_ns <= exchange.started_ns and one.as_asked().phrases.are(text):
                return one.as_asked()
        if any(one.handoff_to is not None for one in run.waiting.values()) and run.turns.is_current(text):
            return Asked(b"", run.turns.current, Phrases(), Parent(None, None))  # it was handed on with what was said
    return None


def _is_another(talk: Conversation, asking: bytes) -> bool:
    """Whether the conversation that asked is not this one. A sub-agent may be given all of it, and its task."""
    return not talk.continues(asking) or talk.adds_to(asking)


def adopt(runs: Runs, scope: Scope, talk: Conversation) -> Run | None:
    """The run of a client that closed, whose tools' results another client of the same user brings."""
    mine = _events.addressed(scope, None)
    for name, run in islice(reversed(runs.items()), _MAX_ASKED):
        other = run.origin.scope
        if run.closed_ms is None or not _are_one_users(other, mine):
            continue
        if any(talk.continues(one.conversation) for one in run.waiting.values()):
            del runs[name]
            runs[run_name(scope)] = run
            run.owner, run.closed_ms = scope.binding.key, None
            return run
    return None


def _are_one_users(one: Scope, other: Scope) -> bool:
    """Whether two runs are the same user's, and their events go to the same place."""
    return (
        one.user_id == other.user_id
        and one.device_id == other.device_id
        and one.binding.amplitude_client is other.binding.amplitude_client
    )
