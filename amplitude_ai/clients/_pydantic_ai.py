"""Agents whose model is watched. Imported only where pydantic-ai is installed."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from pydantic_ai import Agent
from pydantic_ai.models.wrapper import WrapperModel

from .._guard import guard
from .._models import Binding
from .._runtime import bind
from .._scope import context
from ..instrumentation.install import watch_frameworks
from ._framework import ModelCall
from ._keywords import PER_REQUEST
from ._pydantic_ai_read import read_call
from ._settings import end_run

if TYPE_CHECKING:
    from .._config import AIConfig

#: The words of a run that are ours; everything else goes to Pydantic AI.
_OURS = tuple(PER_REQUEST)


class WatchedModel(WrapperModel):  # type: ignore[misc]  # Any, for a type checker without pydantic-ai
    """A model that does what the wrapped one does, its calls recorded."""

    def __init__(self, wrapped: Any, binding: Binding) -> None:
        super().__init__(wrapped)
        self._amplitude_binding = binding

    async def request(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """One answer."""
        call = ModelCall(self._amplitude_binding, {})
        call.enter()
        try:
            answer = await self.wrapped.request(messages, *args, **kwargs)
        except BaseException as exc:
            self._told(call, messages, None, False, exc)
            raise
        self._told(call, messages, answer, False)
        return answer

    @asynccontextmanager
    async def request_stream(self, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """One streamed answer."""
        call = ModelCall(self._amplitude_binding, {})
        call.enter()
        try:
            async with self.wrapped.request_stream(messages, *args, **kwargs) as stream:
                call.leave()  # the request is out: what the reader does between the pieces is the reader's own
                yield stream
        except BaseException as exc:
            self._told(call, messages, None, True, exc)
            raise
        with guard("pydantic_ai"):
            self._told(call, messages, stream.get(), True)

    def _told(
        self, call: ModelCall, messages: Any, answer: Any, streaming: bool, error: BaseException | None = None
    ) -> None:
        with guard("pydantic_ai"):
            call.leave()
            closed = isinstance(error, GeneratorExit)
            call.told(read_call(self.wrapped, messages, answer, streaming), None if closed else error)


class PydanticAIWrapper:
    """An agent and what was told of it. Made by `create_agent`; attributes it has not are the agent's.

    Attributes:
        agent: the ``pydantic_ai.Agent``.
    """

    def __init__(self, agent: Any, binding: Binding) -> None:
        self.agent = agent
        self._binding = binding
        watch_frameworks(self)
        weakref.finalize(self, end_run, binding).atexit = False

    @classmethod
    def create_agent(
        cls,
        model: Any = None,
        *,
        result_type: Any = None,
        amplitude_client: Any = None,
        ai_config: AIConfig | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
        auto_start_session: bool = True,
        **agent_options: Any,
    ) -> PydanticAIWrapper:
        """Make an agent whose model calls are recorded.

        Args:
            model: a model, or its name with its provider: ``openai:gpt-4o``, ``anthropic:claude-sonnet-4-5`` ...
            result_type: what the agent answers with; Pydantic AI's own name for it today is ``output_type``.
            amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the store.
            ai_config: an `AIConfig`.
            user_id: Amplitude user id; default: the context's.
            session_id: run id of all calls; default: one automatic run per user.
            auto_start_session: whether calls without a session id are grouped into runs.
            **agent_options: passed to ``pydantic_ai.Agent``.

        Raises:
            TypeError: an argument has the wrong type, or ``result_type`` and ``output_type`` were both given.
            ValueError: no ``model``.
        """
        if model is None:
            raise ValueError("model must be a Pydantic AI model or a name like 'openai:gpt-4o'")
        if result_type is not None:
            if "output_type" in agent_options:
                raise TypeError("result_type and output_type are the same thing: pass one of them")
            agent_options["output_type"] = result_type
        binding = bind(amplitude_client, ai_config, user_id, session_id, auto_start_session, explicit=False)
        return cls(Agent(WatchedModel(model, binding), **agent_options), binding)

    async def run(self, *args: Any, **kwargs: Any) -> Any:
        """``Agent.run``, with the five ``amplitude_*`` keywords of `amplitude_ai.get_openai`'s methods besides."""
        with _said(kwargs):
            return await self.agent.run(*args, **kwargs)

    def run_sync(self, *args: Any, **kwargs: Any) -> Any:
        """``Agent.run_sync``, with the same."""
        with _said(kwargs):
            return self.agent.run_sync(*args, **kwargs)

    def run_stream(self, *args: Any, **kwargs: Any) -> AbstractAsyncContextManager[Any]:
        """``Agent.run_stream``, with the same."""
        return _streamed(self.agent.run_stream, args, kwargs)

    def close(self) -> None:
        """End the automatic run."""
        end_run(self._binding)

    def __getattr__(self, name: str) -> Any:
        if name in ("agent", "_binding"):
            raise AttributeError(name)
        return getattr(self.agent, name)


@asynccontextmanager
async def _streamed(
    run_stream: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AsyncIterator[Any]:
    with _said(kwargs):
        entered = run_stream(*args, **kwargs)
        result = await entered.__aenter__()
    try:
        yield result
    except BaseException as exc:
        if not await entered.__aexit__(type(exc), exc, exc.__traceback__):
            raise
    else:
        await entered.__aexit__(None, None, None)


@contextmanager
def _said(kwargs: dict[str, Any]) -> Any:
    """The context that the words of ours say; they are taken out of ``kwargs``."""
    unknown = [name for name in kwargs if name.startswith("amplitude_") and name not in _OURS]
    if unknown:
        raise TypeError(f"{unknown[0]} is no argument: expected one of {', '.join(_OURS)}")
    said = {name.removeprefix("amplitude_"): kwargs.pop(name) for name in _OURS if name in kwargs}
    with context(**said):
        yield
