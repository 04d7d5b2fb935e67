"""The schema: one row a property. Everything that spells a property reads it here.

The events' builder, the store's columns, the checks of what is told by hand, the names of Amplitude's Agent Analytics
and of OpenTelemetry, and the tables of docs/schema.md. Pure data: knows no other room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

RUN_STARTED = "llm_run_started"
USER_MESSAGE = "user_message"
LLM_MESSAGE = "llm_message"
TOOL_CALLED = "tool_called"
RUN_FINISHED = "llm_run_finished"
FEEDBACK = "llm_feedback"
#: In place of an event's type: on all of them.
EVERY = "*"


class Property(Struct, frozen=True):
    """One property of one event.

    Attributes:
        name: as sent.
        event: the event's type, or `EVERY`.
        type: what its value is.
        unit: of a number; ``JSON`` of a text that is.
        privacy: the content it is, so what may exclude it; empty for what is no content.
        flag: the option of `AIConfig` that turns it off.
        agent: its name in Amplitude's Agent Analytics; ``$llm_message`` is the text Amplitude does not cut.
        otel: its name in OpenTelemetry's GenAI conventions: an attribute, or a metric of that duration.
        what: for the documentation.
        absent: when an event has none.
    """

    name: str
    event: str
    type: Literal["text", "int", "float", "bool"]
    unit: str = ""
    privacy: Literal["", "input", "output", "tool_parameters", "tool_results", "error"] = ""
    flag: Literal["", "token_tracking", "cost_tracking", "latency_tracking", "error_tracking"] = ""
    agent: str = ""
    otel: str = ""
    what: str = ""
    absent: str = "never"


def _turn(event: str) -> tuple[Property, ...]:
    """The turn an event belongs to."""
    absent = "not told (manual events)" if event in (USER_MESSAGE,) else "nobody has said anything yet, manual events"
    return (
        Property(
            "turn_id",
            event,
            "text",
            agent="[Agent] Trace ID",
            what="the turn of the session: opened by what a user said, carried by all that follows from it",
            absent=absent,
        ),
        Property("turn_index", event, "int", what="0 for the first turn of the run", absent=absent),
    )


def _parent(event: str) -> Property:
    """Whose work it is."""
    return Property(
        "parent_tool_call_id",
        event,
        "text",
        what="the `tool_call_id` it works for: an agent used as a tool, known by the words of the arguments",
        absent="it works for no tool call",
    )


PROPERTIES = (
    Property(
        "session_id",
        EVERY,
        "text",
        agent="[Agent] Session ID",
        otel="gen_ai.conversation.id",
        what="the run this belongs to",
        absent="no run: `auto_start_session=False` and none given",
    ),
    Property(
        "model_provider",
        EVERY,
        "text",
        agent="[Agent] Provider",
        otel="gen_ai.provider.name",
        what="who answered (`openai`, `anthropic`, `google`, `azure`, `groq` ...)",
        absent="no call yet in a manual run",
    ),
    Property(
        "model_name",
        EVERY,
        "text",
        agent="[Agent] Model Name",
        otel="gen_ai.response.model",
        what="the model that answered, else the one asked for",
        absent="neither is known",
    ),
    Property(
        "sdk_version",
        EVERY,
        "text",
        agent="[Agent] SDK Version",
        what="version of this library",
        absent="it runs without being installed",
    ),
    Property(
        "agent",
        EVERY,
        "text",
        agent="[Agent] Agent ID",
        otel="gen_ai.agent.name",
        what="the agent that made the call: `context(agent=...)`, else as its framework calls it (docs/agents.md)",
        absent="not given",
    ),
    Property(
        "parent_agent",
        EVERY,
        "text",
        agent="[Agent] Parent Agent ID",
        what="the agent it works for: `context(parent_agent=...)`, the agent around in the framework, or the one that "
        "asked for the tool that it is",
        absent="it works for none, or nobody knows",
    ),
    Property(
        "trace_id",
        EVERY,
        "text",
        what="OpenTelemetry's trace that was current; of a run's events, at its first call",
        absent="no span was current",
    ),
    Property("span_id", EVERY, "text", what="OpenTelemetry's span that was current", absent="no span was current"),
    Property(
        "step",
        EVERY,
        "text",
        what="what the agent is doing: `context(step=...)`, a node of a graph",
        absent="not given",
    ),
    Property(
        "workflow",
        EVERY,
        "text",
        what="the workflow it is part of: `context(workflow=...)`, a trace of openai-agents, a flow of CrewAI",
        absent="not given",
    ),
    Property(
        "conversation_id",
        EVERY,
        "text",
        what="the conversation as its framework calls it: LangGraph's `thread_id`, openai-agents' `group_id`, a span's "
        "`gen_ai.conversation.id` or `session.id`; `session_id` is the run's",
        absent="the framework names none",
    ),
    Property(
        "run_source", RUN_STARTED, "text", what="`automatic` (from the wire) or `manual` (`llm_session`, `emit_*`)"
    ),
    Property(
        "content",
        USER_MESSAGE,
        "text",
        privacy="input",
        agent="$llm_message",
        otel="gen_ai.input.messages",
        what="the message; media only described",
        absent="privacy",
    ),
    Property("content_length", USER_MESSAGE, "int", unit="characters", what="its full length"),
    Property("message_id", USER_MESSAGE, "text", agent="[Agent] Message ID"),
    *_turn(USER_MESSAGE),
    Property("message_id", LLM_MESSAGE, "text", agent="[Agent] Message ID", what="id of this event's message"),
    Property(
        "response_id",
        LLM_MESSAGE,
        "text",
        agent="[Agent] Provider Request ID",
        otel="gen_ai.response.id",
        what="the provider's id of the answer",
        absent="not given",
    ),
    Property(
        "provider_request_id",
        LLM_MESSAGE,
        "text",
        agent="[Agent] Provider Request ID",
        what="the provider's id of the request, from a header",
        absent="not given",
    ),
    Property(
        "endpoint",
        LLM_MESSAGE,
        "text",
        what="path of the URL",
        absent="no HTTP was seen: manual events, a framework's callback",
    ),
    Property(
        "host",
        LLM_MESSAGE,
        "text",
        otel="server.address",
        what="host (and port) that was called",
        absent="no HTTP was seen",
    ),
    Property(
        "requested_model",
        LLM_MESSAGE,
        "text",
        otel="gen_ai.request.model",
        what="the model asked for",
        absent="unreadable request",
    ),
    Property(
        "input_content",
        LLM_MESSAGE,
        "text",
        privacy="input",
        otel="gen_ai.input.messages",
        what="the new user turns",
        absent="privacy, none",
    ),
    Property(
        "output_content",
        LLM_MESSAGE,
        "text",
        privacy="output",
        agent="$llm_message",
        otel="gen_ai.output.messages",
        what="the visible answer (no reasoning)",
        absent="privacy, none",
    ),
    Property("output_content_length", LLM_MESSAGE, "int", unit="characters", what="its full length", absent="no text"),
    Property(
        "content_truncated",
        LLM_MESSAGE,
        "bool",
        what="some content was cut to `max_content_length`",
        absent="no content was kept",
    ),
    Property(
        "input_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        flag="token_tracking",
        agent="[Agent] Input Tokens",
        otel="gen_ai.usage.input_tokens",
        what="**includes** cache reads and writes",
        absent="not reported",
    ),
    Property(
        "output_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        flag="token_tracking",
        agent="[Agent] Output Tokens",
        otel="gen_ai.usage.output_tokens",
        what="**includes** reasoning",
        absent="not reported",
    ),
    Property(
        "total_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        flag="token_tracking",
        agent="[Agent] Total Tokens",
        absent="not reported",
    ),
    Property(
        "cached_input_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        flag="token_tracking",
        agent="[Agent] Cache Read Tokens",
        otel="gen_ai.usage.cache_read.input_tokens",
        what="part of `input_tokens` read from cache",
        absent="not reported",
    ),
    Property(
        "cache_write_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        flag="token_tracking",
        agent="[Agent] Cache Creation Tokens",
        otel="gen_ai.usage.cache_creation.input_tokens",
        what="part of `input_tokens` written to cache",
        absent="not reported",
    ),
    Property(
        "reasoning_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        flag="token_tracking",
        agent="[Agent] Reasoning Tokens",
        otel="gen_ai.usage.reasoning.output_tokens",
        what="part of `output_tokens`",
        absent="not reported",
    ),
    Property(
        "usage_source",
        LLM_MESSAGE,
        "text",
        flag="token_tracking",
        what="who counted: `provider`, or `estimate` (`AIConfig(estimate_usage=True)`)",
        absent="no tokens known",
    ),
    Property(
        "usage_complete",
        LLM_MESSAGE,
        "bool",
        flag="token_tracking",
        what="`false`: the stream ended before its last counts; no cost is reckoned of them",
        absent="the counts are whole, or none are known",
    ),
    Property(
        "cached_response",
        LLM_MESSAGE,
        "bool",
        agent="[Agent] Was Cached",
        what="`true`: a cache answered (hishel and the like, or a gateway's); "
        "the tokens are those of the call that filled it, and cost nothing",
        absent="a model answered",
    ),
    Property(
        "latency_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        agent="[Agent] Latency Ms",
        otel="gen_ai.client.operation.duration",
        what="request start to end of body",
        absent="not told (manual events, batches)",
    ),
    Property(
        "time_to_first_token_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        agent="[Agent] TTFB Ms",
        otel="gen_ai.response.time_to_first_chunk",
        what="request start to the first generated token (reasoning counts)",
        absent="not streamed",
    ),
    Property(
        "provider_processing_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="the provider's own figure",
        absent="not given",
    ),
    Property(
        "cost_usd",
        LLM_MESSAGE,
        "float",
        unit="USD",
        flag="cost_tracking",
        agent="[Agent] Cost USD",
        absent="price unknown",
    ),
    Property(
        "cost_source",
        LLM_MESSAGE,
        "text",
        flag="cost_tracking",
        what="who says so: `provider`, `custom`, `genai-prices` (or `manual`; `estimate`: of estimated tokens)",
        absent="price unknown",
    ),
    Property(
        "finish_reason",
        LLM_MESSAGE,
        "text",
        agent="[Agent] Finish Reason",
        otel="gen_ai.response.finish_reasons",
        what="the provider's own word; `error` when the call failed",
        absent="not given",
    ),
    Property(
        "is_streaming",
        LLM_MESSAGE,
        "bool",
        agent="[Agent] Is Streaming",
        otel="gen_ai.request.stream",
        what="the answer came as a stream",
    ),
    Property(
        "stream_aborted",
        LLM_MESSAGE,
        "bool",
        what="the reader stopped, the stream was cut, or an error ended it, before its last frame",
        absent="not told (manual events)",
    ),
    Property(
        "success",
        LLM_MESSAGE,
        "bool",
        agent="[Agent] Is Error",
        what="an answer came. `false` too: blocked before a word (`content_blocked`), tokens spent before one "
        "(`max_tokens_without_content`). A refusal is an answer, and so is one cut in the middle",
    ),
    Property("http_status", LLM_MESSAGE, "int", otel="http.response.status_code", absent="no answer came"),
    Property(
        "error_type",
        LLM_MESSAGE,
        "text",
        flag="error_tracking",
        agent="[Agent] Error Type",
        otel="error.type",
        what="through a factory the class of the SDK's exception (`RateLimitError`); by a transport alone "
        "`wire_error_type`",
        absent="success",
    ),
    Property(
        "error_message",
        LLM_MESSAGE,
        "text",
        privacy="error",
        flag="error_tracking",
        agent="[Agent] Error Message",
        what="through a factory the exception's text, else `wire_error_message`; keys removed",
        absent="success, privacy",
    ),
    Property(
        "wire_error_type",
        LLM_MESSAGE,
        "text",
        flag="error_tracking",
        what="the provider's word, else `http_<status>`, else the class of the HTTP library's exception",
        absent="success, manual events",
    ),
    Property(
        "wire_error_message",
        LLM_MESSAGE,
        "text",
        privacy="error",
        flag="error_tracking",
        what="the provider's text, else the exception's; keys removed",
        absent="success, privacy",
    ),
    Property(
        "attempt",
        LLM_MESSAGE,
        "int",
        otel="http.request.resend_count",
        what="0 for the first try, 1 for the first retry ...",
    ),
    Property(
        "call_id",
        LLM_MESSAGE,
        "text",
        what="the same for all attempts of one call: by the SDK's retry header, else the same request after a failure",
        absent="not told (manual events)",
    ),
    Property(
        "retry_delay_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="from the end of the attempt before",
        absent="a first attempt; the one before was not seen",
    ),
    Property(
        "is_final_attempt",
        LLM_MESSAGE,
        "bool",
        what="`true`: a success, a cancellation, or a refusal that no SDK repeats",
        absent="a failure that may be tried again: the view `calls` tells its end",
    ),
    Property(
        "operation",
        LLM_MESSAGE,
        "text",
        otel="gen_ai.operation.name",
        what="`chat`, `generate_content`, `text_completion`; `embeddings`, `image_generation`, `video_generation`, "
        "`text_to_speech`, `speech_to_text`, `moderation`, `rerank`, `classification`, `ocr`: these are no messages "
        "of a run",
    ),
    Property(
        "output_tokens_per_second",
        LLM_MESSAGE,
        "float",
        flag="latency_tracking",
        what="after the first token",
        absent="not streamed, not read to its end, no tokens known",
    ),
    Property(
        "time_to_headers_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="from the request to the head of its answer: the connection, the way and the server, whose own part is "
        "`provider_processing_ms`",
        absent="no answer, no HTTP was seen",
    ),
    Property(
        "read_after_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="of a stream the part of `latency_ms` that its reader took, between one piece and asking for the next: "
        "near `latency_ms` the application is the slow one",
        absent="not streamed, another library than httpx (which the SDKs use)",
    ),
    Property(
        "max_gap_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="of a stream the longest wait for a next piece, or from the last to a failure or a cancellation; other "
        "libraries than httpx do not tell it from the time that the reader takes",
        absent="not streamed, fewer than two pieces",
    ),
    Property(
        "stall_count",
        LLM_MESSAGE,
        "int",
        flag="latency_tracking",
        what="such gaps of a second and more; 0 where there was none",
        absent="as `max_gap_ms`",
    ),
    Property(
        "model_substituted",
        LLM_MESSAGE,
        "bool",
        what="another model answered than was asked for; a dated snapshot of an alias is none",
        absent="the names do not tell: Azure's deployments, `auto`, no model in the answer",
    ),
    Property(
        "system_prompt",
        LLM_MESSAGE,
        "text",
        privacy="input",
        what="the instructions, with the run's first call that has them; the others have the same `system_prompt_hash`",
        absent="no system prompt, told before in this run, privacy",
    ),
    Property(
        "system_prompt_hash", LLM_MESSAGE, "text", what="the same for the same instructions", absent="no system prompt"
    ),
    Property("tool_names", LLM_MESSAGE, "text", what="the tools that were offered, by commas", absent="none"),
    Property("tools_hash", LLM_MESSAGE, "text", what="the same for the same definitions", absent="no tools"),
    Property(
        "cache_break",
        LLM_MESSAGE,
        "text",
        what="why a prompt cache must miss: the first part that is not as in the agent's last request of the run "
        "(`model`, `tools`, `system`, `message 3`)",
        absent="the last request is the beginning of this one, or there was none",
    ),
    Property(
        "resent_share",
        LLM_MESSAGE,
        "float",
        what="share of the turns' characters that the agent's last request had too, 0 to 1",
        absent="its first request of the run",
    ),
    Property(
        "cache_savings_usd",
        LLM_MESSAGE,
        "float",
        unit="USD",
        flag="cost_tracking",
        what="what `cached_input_tokens` would have cost besides; negative where reads are dearer",
        absent="nothing was read from a cache, price unknown",
    ),
    Property(
        "repeat_count",
        LLM_MESSAGE,
        "int",
        what="how often the run has made this very request; retries are not counted",
        absent="no body was seen",
    ),
    *_turn(LLM_MESSAGE),
    _parent(LLM_MESSAGE),
    Property(
        "temperature",
        LLM_MESSAGE,
        "float",
        agent="[Agent] Temperature",
        otel="gen_ai.request.temperature",
        what="as asked",
        absent="not asked",
    ),
    Property(
        "top_p",
        LLM_MESSAGE,
        "float",
        agent="[Agent] Top P",
        otel="gen_ai.request.top_p",
        what="as asked",
        absent="not asked",
    ),
    Property(
        "max_tokens",
        LLM_MESSAGE,
        "int",
        unit="tokens",
        agent="[Agent] Max Output Tokens",
        otel="gen_ai.request.max_tokens",
        what="as asked",
        absent="not asked",
    ),
    Property(
        "tool_call_count",
        LLM_MESSAGE,
        "int",
        what="tools the model called; 0 when it answered without",
        absent="the call failed before any, not told",
    ),
    Property("ratelimit_remaining_requests", LLM_MESSAGE, "int", what="from headers", absent="not given"),
    Property("ratelimit_remaining_tokens", LLM_MESSAGE, "int", what="from headers", absent="not given"),
    Property(
        "ratelimit_reset_requests_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="from the answer until the requests' limit is full again, from headers",
        absent="not given",
    ),
    Property(
        "ratelimit_reset_tokens_ms",
        LLM_MESSAGE,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="the same for tokens",
        absent="not given",
    ),
    Property("tool_name", TOOL_CALLED, "text", agent="[Agent] Tool Name", otel="gen_ai.tool.name"),
    Property(
        "tool_call_id",
        TOOL_CALLED,
        "text",
        agent="[Agent] Invocation ID",
        otel="gen_ai.tool.call.id",
        absent="not given",
    ),
    Property(
        "tool_type",
        TOOL_CALLED,
        "text",
        agent="[Agent] Tool Type",
        otel="gen_ai.tool.type",
        what="`function`, or the provider's word (`web_search` ...)",
    ),
    Property(
        "tool_parameters",
        TOOL_CALLED,
        "text",
        unit="JSON",
        privacy="tool_parameters",
        agent="[Agent] Tool Input",
        otel="gen_ai.tool.call.arguments",
        absent="privacy",
    ),
    Property(
        "tool_result",
        TOOL_CALLED,
        "text",
        privacy="tool_results",
        agent="[Agent] Tool Output",
        otel="gen_ai.tool.call.result",
        absent="privacy, no result seen",
    ),
    Property(
        "tool_result_length",
        TOOL_CALLED,
        "int",
        unit="characters",
        what="its full length, in privacy too: what it adds to the next prompts",
        absent="no result seen",
    ),
    Property("success", TOOL_CALLED, "bool", agent="[Agent] Tool Success", absent="no result seen"),
    Property(
        "error_message",
        TOOL_CALLED,
        "text",
        privacy="tool_results",
        flag="error_tracking",
        agent="[Agent] Error Message",
        absent="no error",
    ),
    Property(
        "latency_ms",
        TOOL_CALLED,
        "float",
        unit="ms",
        flag="latency_tracking",
        agent="[Agent] Latency Ms",
        otel="gen_ai.client.operation.duration",
        what="from the answer that asked to the request that carried the result; "
        "a framework's own figure where it ran the tool",
        absent="no result seen, run by the provider",
    ),
    Property(
        "handoff_to",
        TOOL_CALLED,
        "text",
        what="the agent that takes over, where the tool is a handoff (`transfer_to_billing`: `billing`)",
        absent="it is none",
    ),
    Property(
        "repeat_count",
        TOOL_CALLED,
        "int",
        what="how often the run has asked for this tool with these arguments",
        absent="not told (manual events)",
    ),
    *_turn(TOOL_CALLED),
    _parent(TOOL_CALLED),
    Property(
        "total_messages",
        RUN_FINISHED,
        "int",
        what="calls (first attempts) in which a model answered somebody",
        absent="not told",
    ),
    Property(
        "run_total_tokens",
        RUN_FINISHED,
        "int",
        unit="tokens",
        flag="token_tracking",
        what="`total_tokens` under a name that no `llm_message` has: a sum over all events counts nothing twice",
        absent="none known",
    ),
    Property(
        "total_other_calls",
        RUN_FINISHED,
        "int",
        what="embeddings, images, speech, moderations ...: by `operation` no messages",
        absent="not told",
    ),
    Property(
        "total_other_tokens",
        RUN_FINISHED,
        "int",
        unit="tokens",
        flag="token_tracking",
        what="their part of `run_total_tokens`",
        absent="none known",
    ),
    Property(
        "total_other_cost_usd",
        RUN_FINISHED,
        "float",
        unit="USD",
        flag="cost_tracking",
        what="their part of `total_cost_usd`",
        absent="none known",
    ),
    Property(
        "model_names",
        RUN_FINISHED,
        "text",
        what="the models that answered, by commas; of several there is no `model_name`",
        absent="none answered, not told",
    ),
    Property(
        "total_tokens",
        RUN_FINISHED,
        "int",
        unit="tokens",
        flag="token_tracking",
        what="sum of what was emitted",
        absent="none known",
    ),
    Property(
        "total_cost_usd",
        RUN_FINISHED,
        "float",
        unit="USD",
        flag="cost_tracking",
        what="sum of what was emitted",
        absent="none known",
    ),
    Property("total_tool_calls", RUN_FINISHED, "int", absent="not told"),
    Property("total_errors", RUN_FINISHED, "int", flag="error_tracking", what="failed attempts", absent="not told"),
    Property(
        "duration_ms",
        RUN_FINISHED,
        "float",
        unit="ms",
        flag="latency_tracking",
        what="start of the first call to the end of the last",
        absent="not told",
    ),
    Property("success", RUN_FINISHED, "bool"),
    Property(
        "end_reason",
        RUN_FINISHED,
        "text",
        what="`closed`, `timeout`, `exit`, `evicted`, `manual`, or the word told to `emit_llm_run_finished`",
    ),
    Property("response_id", FEEDBACK, "text", what="of the answer it is about: `llm_message.response_id`"),
    Property(
        "message_id",
        FEEDBACK,
        "text",
        what="`llm_message.message_id` of the answer",
        absent="this process has not seen the answer",
    ),
    Property("score", FEEDBACK, "float", what="on the application's own scale", absent="not given"),
    Property("label", FEEDBACK, "text", what="in a word", absent="not given"),
    Property("comment", FEEDBACK, "text", privacy="input", what="what was said of it", absent="not given, privacy"),
    *_turn(FEEDBACK),
)

#: On every event, beside custom properties.
COMMON: tuple[str, ...] = tuple(row.name for row in PROPERTIES if row.event == EVERY)
#: Every event and its own properties, in the order of the documentation.
SCHEMA: Mapping[str, tuple[str, ...]] = {
    event: tuple(row.name for row in PROPERTIES if row.event == event)
    for event in (RUN_STARTED, USER_MESSAGE, LLM_MESSAGE, TOOL_CALLED, RUN_FINISHED, FEEDBACK)
}

#: The properties that hold content, by event; and all of their names.
CONTENT_OF: Mapping[str, tuple[Property, ...]] = {
    event: tuple(row for row in PROPERTIES if row.event == event and row.privacy) for event in SCHEMA
}
CONTENT = frozenset(row.name for rows in CONTENT_OF.values() for row in rows)


def flagged(flag: str) -> frozenset[str]:
    """The properties that an option of `AIConfig` turns off."""
    return frozenset(row.name for row in PROPERTIES if row.flag == flag)


def rows_of(event_type: str) -> tuple[Property, ...]:
    """The rows of an event, those of every event first."""
    return tuple(row for row in PROPERTIES if row.event in (EVERY, event_type))
