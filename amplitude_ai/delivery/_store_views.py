"""The views of the local store on which natural sums are right: one row a call, a turn, a session.

An ``llm_message`` is one HTTP attempt, an ``llm_run_finished`` repeats what its messages have: sums over events count
twice what was retried or is a total. Here tokens and costs are those of all attempts, how it ended is the last one's.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..sessions.schema import COMMON, LLM_MESSAGE, SCHEMA

#: Of the attempts of a call these are added up.
_SUMS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_usd",
)
_OF_ALL = {
    **{name: f"sum({name}) OVER every" for name in _SUMS},
    # Waiting included: as long as the caller waited.
    "latency_ms": "sum(coalesce(latency_ms, 0) + coalesce(retry_delay_ms, 0)) OVER every",
}
_SHOWN = ("user_id", "device_id", *COMMON, *SCHEMA[LLM_MESSAGE])
_LEFT_OUT = frozenset({"call_id", "attempt", "retry_delay_ms", "is_final_attempt"})
_MESSAGE = "coalesce(operation, 'chat') IN ('chat', 'generate_content', 'text_completion')"


def _calls() -> str:
    names = [name for name in _SHOWN if name not in _LEFT_OUT]
    columns = ", ".join(f'{_OF_ALL[name]} AS "{name}"' if name in _OF_ALL else f'"{name}"' for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f'CREATE VIEW "calls" AS SELECT "time", call_id, attempts, retries, {listed}, properties FROM ('
        "SELECT min(time) OVER every AS time, coalesce(call_id, insert_id) AS call_id, "
        "count(*) OVER every AS attempts, count(*) OVER every - 1 AS retries, row_number() OVER "
        "(PARTITION BY coalesce(call_id, insert_id) ORDER BY attempt DESC, time DESC) AS newest, "
        f"{columns}, properties FROM llm_message WINDOW every AS (PARTITION BY coalesce(call_id, insert_id))"
        ") WHERE newest = 1"
    )


_TOTALS = f"""
count(*) AS calls,
sum({_MESSAGE}) AS messages,
sum(NOT {_MESSAGE}) AS other_calls,
sum(retries) AS retries,
sum(success = 0) AS errors,
sum(input_tokens) AS input_tokens,
sum(output_tokens) AS output_tokens,
sum(total_tokens) AS total_tokens,
sum(cost_usd) AS cost_usd,
sum(latency_ms) AS model_ms,
max(time) AS ended,
min(time) AS began,
group_concat(DISTINCT model_name) AS model_names
"""
_SUMMED = (
    "coalesce(calls, 0) AS calls, coalesce(messages, 0) AS messages, coalesce(other_calls, 0) AS other_calls, "
    "coalesce(retries, 0) AS retries, coalesce(errors, 0) AS errors, input_tokens, output_tokens, total_tokens, "
    "cost_usd, model_ms, model_names"
)

_TURNS = f"""
CREATE VIEW "turns" AS
WITH made AS (SELECT turn_id, max(turn_index) AS turn_index, max(session_id) AS session_id, max(user_id) AS user_id,
max(device_id) AS device_id, {_TOTALS} FROM calls WHERE turn_id IS NOT NULL GROUP BY turn_id),
said AS (SELECT turn_id, max(turn_index) AS turn_index, max(session_id) AS session_id, max(user_id) AS user_id,
max(device_id) AS device_id, min(time) AS began, group_concat(content, char(10)) AS content, count(*) AS user_messages
FROM user_message WHERE turn_id IS NOT NULL GROUP BY turn_id),
tools AS (SELECT turn_id, count(*) AS tool_calls, sum(success = 0) AS tool_errors FROM tool_called GROUP BY turn_id),
ids AS (SELECT turn_id FROM made UNION SELECT turn_id FROM said)
SELECT coalesce(said.began, made.began) AS "time", turn_id, coalesce(said.turn_index, made.turn_index) AS turn_index,
coalesce(said.session_id, made.session_id) AS session_id, coalesce(said.user_id, made.user_id) AS user_id,
coalesce(said.device_id, made.device_id) AS device_id, content, coalesce(user_messages, 0) AS user_messages,
round((julianday(made.ended) - julianday(coalesce(said.began, made.began))) * 86400000) AS duration_ms,
{_SUMMED}, coalesce(tool_calls, 0) AS tool_calls, coalesce(tool_errors, 0) AS tool_errors,
(SELECT success FROM calls WHERE calls.turn_id = ids.turn_id AND {_MESSAGE} ORDER BY time DESC LIMIT 1) AS success
FROM ids LEFT JOIN made USING (turn_id) LEFT JOIN said USING (turn_id) LEFT JOIN tools USING (turn_id)
""".strip()

_SESSIONS = f"""
CREATE VIEW "sessions" AS
WITH made AS (SELECT session_id, max(user_id) AS user_id, max(device_id) AS device_id, {_TOTALS} FROM calls
WHERE session_id IS NOT NULL GROUP BY session_id),
said AS (SELECT session_id, count(*) AS user_messages, count(DISTINCT turn_id) AS turns, min(time) AS began,
max(user_id) AS user_id, max(device_id) AS device_id FROM user_message
WHERE session_id IS NOT NULL GROUP BY session_id),
tools AS (SELECT session_id, count(*) AS tool_calls, sum(success = 0) AS tool_errors FROM tool_called
GROUP BY session_id),
done AS (SELECT session_id, max(time) AS finished, max(end_reason) AS end_reason, max(duration_ms) AS duration_ms
FROM llm_run_finished GROUP BY session_id),
ids AS (SELECT session_id FROM made UNION SELECT session_id FROM said)
SELECT min(coalesce(said.began, made.began), coalesce(made.began, said.began)) AS "time", session_id,
coalesce(said.user_id, made.user_id) AS user_id, coalesce(said.device_id, made.device_id) AS device_id,
coalesce(turns, 0) AS turns, coalesce(user_messages, 0) AS user_messages, {_SUMMED},
coalesce(tool_calls, 0) AS tool_calls, coalesce(tool_errors, 0) AS tool_errors, finished, end_reason, duration_ms,
(SELECT success FROM calls WHERE calls.session_id = ids.session_id AND {_MESSAGE} ORDER BY time DESC LIMIT 1) AS success
FROM ids LEFT JOIN made USING (session_id) LEFT JOIN said USING (session_id) LEFT JOIN tools USING (session_id)
LEFT JOIN done USING (session_id)
""".strip()

#: Name → the statement that makes it.
VIEWS: Mapping[str, str] = {"calls": _calls(), "turns": _TURNS, "sessions": _SESSIONS}
