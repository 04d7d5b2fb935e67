"""What the overview adds up, and by what: the SQL of it, for any rows of ``events``. Strings only.

The store keeps the same sums for hours that are over (`delivery._store_hours`), made by the same statement.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED

HOUR_MS = 3_600_000


class Kind(Struct, frozen=True):
    """One way to divide events.

    Attributes:
        event_type: which events.
        name: the property (or column) they are divided by.
        other: a second one.
        condition: on the events, beside their type: a property and what it must be.
        saved: whether what caches saved is added up, too. No index has it: the events themselves are read.
    """

    event_type: str
    name: str
    other: str | None = None
    condition: tuple[str, str] | None = None
    saved: bool = False

    def where(self, column: Callable[[str], str]) -> str:
        """The condition as SQL to follow others."""
        return f" AND {column(self.condition[0])} {self.condition[1]}" if self.condition else ""


KINDS = {
    "model": Kind(LLM_MESSAGE, "model_name", "agent"),
    "user": Kind(LLM_MESSAGE, "user_id"),
    "session": Kind(LLM_MESSAGE, "session_id"),
    "error": Kind(LLM_MESSAGE, "error_type", "http_status", ("success", "= 0")),
    "cache": Kind(LLM_MESSAGE, "model_name", None, ("cached_input_tokens", "> 0"), saved=True),
    "tool": Kind(TOOL_CALLED, "tool_name"),
}
#: Properties that are added up; in the sums under the same name.
ADDED = ("input_tokens", "output_tokens", "total_tokens", "cached_input_tokens", "cost_usd")
#: Numbers of events.
COUNTED = ("calls", "errors", "retries", "priced", "latency_n", "ttft_n")
SUMMED = (*ADDED, "latency_sum", "ttft_sum", "saved_usd")
#: The columns of a sum, in the order of the statements.
SUMS = (*COUNTED, *SUMMED)
_TTFT = "time_to_first_token_ms"


def sums_sql(kind: Kind, column: Callable[[str], str]) -> str:
    """``name, other`` and the columns of `SUMS`, of rows of ``events``; to be grouped by the first two."""
    made = {
        "calls": "count(*)",
        "errors": f"coalesce(sum({column('success')} = 0), 0)",
        "retries": f"coalesce(sum({column('attempt')} > 0), 0)",
        "priced": f"count({column('cost_usd')})",
        "latency_n": f"count({column('latency_ms')})",
        "ttft_n": f"count({column(_TTFT)})",
        "latency_sum": f"sum({column('latency_ms')})",
        "ttft_sum": f"sum({column(_TTFT)})",
        "saved_usd": "sum(json_extract(properties, '$.cache_savings_usd'))" if kind.saved else "NULL",
        **{name: f"sum({column(name)})" for name in ADDED},
    }
    keys = f"{_key(kind.name, column)} AS name, {_key(kind.other, column)} AS other"
    return f"{keys}, {', '.join(f'{made[name]} AS {name}' for name in SUMS)}"


def resummed_sql() -> str:
    """The same columns, of sums."""
    return f"name, other, {', '.join(f'sum({name}) AS {name}' for name in SUMS)}"


def _key(name: str | None, column: Callable[[str], str]) -> str:
    if name is None:
        return "NULL"
    return name if name == "user_id" else column(name)
