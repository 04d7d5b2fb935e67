"""The facts that cross the rooms of this package, as msgspec's structs: they are made and copied several times a call.

``transports/`` makes an `Exchange`; ``parsers/`` turns it into an `LLMCall`; ``sessions/`` turns that into
`Event` values. Everything here but `Binding` is frozen: a fact that needs changing is a new fact.

Conventions: ``None`` means *not known* and is never turned into 0; ``_ns`` is a monotonic clock in
nanoseconds; ``_ms`` is milliseconds; tokens are counts; money is USD.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from ._config import AIConfig
from ._fact import Fact
from ._usage import Usage as Usage

#: A decoded JSON value. Wire data is checked where it is read, so it stays untyped until then.
JSON = Any

_binding_keys = itertools.count(1)


class Outcome(Enum):
    """How the wire ended. Whether the *answer* was complete is a separate fact the parser decides."""

    EXHAUSTED = "exhausted"  # the body was read to its end
    CLOSED = "closed"  # the reader closed it before its end
    ABANDONED = "abandoned"  # nobody closed it; it was garbage collected
    CANCELLED = "cancelled"  # the task that was reading it was cancelled
    ERROR = "error"  # an exception came out of the HTTP library


class Binding(Struct, eq=False):
    """What one instrumented client was told. Compared by identity; ``key`` names the client instance.

    Attributes:
        amplitude_client: anything with ``track(BaseEvent)``; ``None`` for the process default.
        config: the `AIConfig` to apply; ``None`` for the process default.
        user_id: the user of every call of this client, unless the call says otherwise.
        session_id: the session of every call of this client, unless the call says otherwise.
        auto_start_session: whether calls without a session id are grouped into one run per user.
        explicit: the user put the transport there by hand, so any JSON POST may be an LLM call.
        managed: a manual session (``llm_session``, a tracker) starts and finishes the run itself.
    """

    amplitude_client: Any = None
    config: AIConfig | None = None
    user_id: str | None = None
    session_id: str | None = None
    auto_start_session: bool = True
    explicit: bool = False
    managed: bool = False
    #: What an SDK raises for a failed call (`clients._sdk_errors`); ``None`` for a transport alone.
    sdk_error: Callable[[LLMCall, Exchange], CallError | None] | None = None
    key: int = field(default_factory=lambda: next(_binding_keys))
    #: The scope of a call for which neither its surroundings nor its headers say more.
    plain: Scope = None  # type: ignore[assignment]  # a line below

    def __post_init__(self) -> None:
        self.plain = Scope(self, self.user_id, self.session_id)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without ``plain``, which leads back here: a copy makes its own.
        return type(self), tuple(None if name == "plain" else getattr(self, name) for name in self.__struct_fields__)

    def complete(self, other: Binding) -> None:
        """Take from ``other`` what this one was not told."""
        for name in ("amplitude_client", "config", "user_id", "session_id"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))
        self.__post_init__()


class FrameworkCall:
    """A framework's model call in progress: whose the HTTP calls inside it are, and which of them were seen."""

    __slots__ = ("binding", "contexts")

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.contexts: list[Scope] = []


class ServedRequest(Protocol):
    """A web request that is being served (`web`): whose it is, as far as it says or is found out meanwhile."""

    properties: Mapping[str, Any]

    @property
    def user_id(self) -> str | None:
        """Amplitude user id."""

    @property
    def session_id(self) -> str | None:
        """Run id."""

    @property
    def device_id(self) -> str | None:
        """Amplitude device id."""

    @property
    def amplitude_session_id(self) -> int | None:
        """The browser's session: when it began, in ms since 1970."""

    @property
    def privacy_mode(self) -> bool | None:
        """Whether content is private."""

    @property
    def groups(self) -> Mapping[str, Any] | None:
        """Amplitude's groups."""

    def update(self, properties: Mapping[str, Any], **said: Any) -> None:
        """The application says more of it."""


class Scope(Fact, frozen=True):
    """Who a call is for and where it belongs: one value, from the caller's thread to the event.

    The ContextVar holds what ``context()`` and its like say so far, ``None`` where they say nothing; `_scope.snapshot`
    settles it once, when a request starts, with the request's own headers and what its client was told. The sessions
    add the id of an automatic run, which only they know.

    Attributes:
        binding: the client's; in a ContextVar that of the manual session around, for calls that were told no client.
        user_id: Amplitude user id.
        session_id: run id.
        privacy_mode: overrides the config's.
        properties: custom event properties.
        managed_session: a manual session (``llm_session``) starts and finishes the run of ``session_id``.
        totals: of that manual session, which its calls add to (on the worker only; a `sessions` matter).
        device_id: Amplitude device id.
        amplitude_session_id: the browser's or app's own session: ms since 1970 of its start.
        groups: Amplitude's groups, at the events' top level.
        user_properties: Amplitude's user properties, likewise.
        span: the OpenTelemetry ``SpanContext`` that was current, where that library is loaded.
        surroundings: what the program's own libraries know of the agent at work (`_surroundings`). Empty once named.
        from_user: ``False`` where what is asked is the program's own, whoever's role it stands in.
        framework_call: the framework that is calling a model. ``None`` once settled.
        request: the web request being served; what is said here wins over it. ``None`` once settled.
    """

    binding: Binding = field(default_factory=lambda: NO_BINDING)
    user_id: str | None = None
    session_id: str | None = None
    privacy_mode: bool | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    managed_session: bool = False
    totals: object = None
    device_id: str | None = None
    amplitude_session_id: int | None = None
    groups: Mapping[str, Any] | None = None
    user_properties: Mapping[str, Any] | None = None
    span: Any = None
    surroundings: tuple[Any, ...] = ()
    from_user: bool | None = None
    framework_call: FrameworkCall | None = None
    request: ServedRequest | None = None

    def with_request(self) -> Scope:
        """The same, with what the request being served says where nothing else does."""
        request = self.request
        if request is None:
            return self
        return replace(
            self,
            user_id=self.user_id or request.user_id,
            session_id=self.session_id or request.session_id,
            device_id=self.device_id or request.device_id,
            amplitude_session_id=self.amplitude_session_id or request.amplitude_session_id,
            privacy_mode=request.privacy_mode if self.privacy_mode is None else self.privacy_mode,
            properties={**request.properties, **self.properties},
            groups={**(request.groups or {}), **(self.groups or {})} or None,
            request=None,
        )


#: Of a scope that belongs to no client: of no manual session, in a ContextVar.
NO_BINDING: Binding = Binding(key=0)


class CallError(Fact, frozen=True):
    """What went wrong, in the provider's own words, or the exception's when no answer came."""

    type: str | None
    message: str | None = None
    code: str | None = None


def is_refusal(status: int | None) -> bool:
    """Whether a status says that a request was refused; ``None``: no answer came, which is another failure."""
    return status is not None and status >= 400


class Exchange(Fact, frozen=True):
    """One finished request and response, as bytes. Made by ``transports/``; holds no library object.

    ``method`` is empty for what crossed no HTTP: a call that only a framework's callback saw.

    ``response_chunks`` are the very objects that passed (compressed, unless ``body_decoded``);
    where ``response_truncated`` a stretch in the middle was not kept, and ``tail_index`` is the index of the
    first chunk after the gap. ``chunk_times_ns`` are the arrival times of the chunks before it: the
    first token may stand behind thousands of comments that keep the connection.
    """

    id: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes | None
    status: int | None
    response_headers: Mapping[str, str]
    response_chunks: tuple[bytes, ...]
    chunk_times_ns: tuple[int, ...]
    outcome: Outcome
    error: CallError | None
    started_ns: int
    started_at_ms: int
    headers_ns: int | None
    finished_ns: int
    context: Scope
    request_truncated: bool = False
    response_truncated: bool = False
    tail_index: int | None = None
    body_decoded: bool = False
    from_cache: bool = False  # a caching transport answered, without the network
    #: The longest wait between two chunks (or for one that did not come), of all of them; None: there were no two.
    max_gap_ns: int | None = None
    stall_count: int = 0  # waits of a second and more
    #: How long the reader, not the wire, kept the answer waiting; None: the library does not tell.
    reader_ns: int | None = None

    @property
    def refused(self) -> bool:
        """See `is_refusal`."""
        return is_refusal(self.status)

    @property
    def latency_ms(self) -> float:
        """From the request's start to the end of its body, in ms."""
        return (self.finished_ns - self.started_ns) / 1e6


class ToolCall(Fact, frozen=True):
    """A tool the model asked for, or one the provider ran itself (then ``executed`` and with ``result``).

    ``arguments`` is the JSON value (a dict) when it could be read, else the raw text the model wrote.
    ``type`` is ``function`` for the caller's own tools, else the provider's word (``web_search`` ...).
    ``unfinished``: the provider still runs it; a later answer has its result.
    """

    name: str
    id: str | None = None
    arguments: JSON = None
    type: str = "function"
    executed: bool = False
    result: JSON = None
    success: bool | None = None
    error_message: str | None = None
    unfinished: bool = False


class ToolResult(Fact, frozen=True):
    """A tool's result that a request carried back to the model. ``id`` or (Gemini) only ``name`` is known.

    ``in_answer``: it is the provider's, which an answer has for a call of an earlier one; since when, nobody says.
    ``arguments`` are those of the call it answers, as the request's own history tells it, where results have no id.
    """

    id: str | None
    content: JSON
    name: str | None = None
    success: bool | None = None
    arguments: JSON = None
    in_answer: bool = False


class Message(Fact, frozen=True):
    """One turn of the request, provider-neutral. ``text`` is what a person would read, media described.

    ``role`` is ``system``, ``user``, ``assistant`` or ``tool``. A turn that holds only tool results has role
    ``tool``; images, audio and files appear in ``text`` as a short description (``[image image/png 12 KB]``),
    never as data.
    """

    role: str
    text: str


class LLMCall(Fact, frozen=True):
    """One model call, provider-neutral. ``parsers/`` fill the first part; ``read()`` fills the rest from the wire."""

    provider: str
    operation: str  # chat · responses · completion · embeddings · image · audio · moderation · rerank · ocr
    requested_model: str | None = None
    model: str | None = None  # the model that answered; None when the provider did not say
    usage: Usage = field(default_factory=Usage)
    messages: tuple[Message, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()
    tool_definitions: tuple[JSON, ...] = ()  # as the request holds them
    output_text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None  # the provider's own word
    response_id: str | None = None
    error: CallError | None = None
    sdk_error: CallError | None = None  # the exception its SDK raises for that, where we know the SDK
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    service_tier: str | None = None  # as billed: batch, flex, priority, fast ...
    price_usage: Usage | None = None  # the counts that are billed, where they are not those of `usage`
    #: What other models did for this answer, and are billed for at their own prices: (model, counts).
    billed_besides: tuple[tuple[str, Usage], ...] = ()
    price_factor: float = 1.0  # what the price table's prices of tokens are multiplied by: a region's uplift
    usage_source: str | None = None  # ``estimate`` when the counts are ours; None: the provider's, or none
    #: False: the stream ended before its last counts came. None: they are whole, or there are none.
    usage_complete: bool | None = None
    #: True: a cache answered, not the model: the tokens are those of the call that filled it, and nothing is billed.
    cached_response: bool | None = None
    batched: bool = False  # read from a batch's results: it has no latency of its own
    reported_cost_usd: float | None = None  # the provider's own figure, where it gives one
    price_model: str | None = None  # the id to price by, where it is not the model that answered
    streaming: bool = False
    complete: bool = True  # the terminal frame was seen (streams); the body was whole (plain)
    #: The provider to look prices up under; None when only the model's name can tell (an unknown host).
    price_provider: str | None = None

    # Filled by parsers.read(), from headers, timings and the exchange itself.
    end_user: str | None = None  # whom the request says it is for: an event's user only where that is asked for
    host: str = ""
    endpoint: str = ""  # the path, without ids of deployments or projects removed
    provider_request_id: str | None = None
    provider_processing_ms: float | None = None
    ratelimit_remaining_requests: int | None = None
    ratelimit_remaining_tokens: int | None = None
    ratelimit_reset_requests_ms: float | None = None  # from the answer on
    ratelimit_reset_tokens_ms: float | None = None
    retry_count: int | None = None  # the SDK's own retry header; None when it sends none
    time_to_first_token_ms: float | None = None
    parse_error: str | None = None  # the type of what the parser could not read, counted in stats()


class Event(Fact, frozen=True):
    """One Amplitude event, before it is one: plain data, ready to be made safe and tracked.

    ``insert_id`` is a function of what the event describes, so a resend is deduplicated by Amplitude.
    """

    event_type: str
    time_ms: int
    insert_id: str
    properties: Mapping[str, Any]
    scope: Scope = field(default_factory=Scope)
    #: The config whose privacy, prices and flags it was made by; a plugin need not apply the same one again.
    config: AIConfig | None = None
    #: What some destinations want beside the properties (`sessions._details`).
    details: Mapping[str, Any] = field(default_factory=dict)
    #: The event of the specification that this one says in the words of another schema.
    source: Event | None = None
    #: What the ``llm_message`` of the call says that this event is part of: a plugin takes the call as a whole.
    call: Mapping[str, Any] | None = None

    @property
    def user_id(self) -> str | None:
        """Amplitude user id."""
        return self.scope.user_id

    @property
    def device_id(self) -> str | None:
        """Amplitude device id."""
        return self.scope.device_id

    @property
    def amplitude_client(self) -> Any:
        """Where it goes; ``None`` for the process default."""
        return self.scope.binding.amplitude_client
