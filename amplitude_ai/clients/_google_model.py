"""``GoogleGenerativeAI`` over google-genai: the methods of google-generativeai's ``GenerativeModel``, on a `Client`.

Answers are google-genai's ``GenerateContentResponse``; a stream is sent when it is first read. Tools are called
automatically only in a chat that was started with ``enable_automatic_function_calling``, as ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from ._google_genai import client_class
from ._keywords import PREFIX
from ._sdk import import_sdk


class GoogleGenerativeAI:
    """One Gemini model.

    Args:
        api_key: default: ``GEMINI_API_KEY``, then ``GOOGLE_API_KEY``.
        model_name: such as ``gemini-2.5-flash``.
        safety_settings: a list of google-genai ``SafetySetting``, or a dict of category to threshold.
        generation_config: a dict, or a google-genai ``GenerateContentConfig``.
        tools: functions, or google-genai ``Tool`` objects.
        tool_config: a google-genai ``ToolConfig``.
        system_instruction: what the model is told before every conversation.
        client_options: ``{"api_endpoint": url}``, where requests go instead of Google's own host.
        **options: ``amplitude_client``, ``ai_config``, ``auto_start_session``, ``amplitude_user_id``,
            ``amplitude_session_id``; all others go to google-genai's ``Client``.

    Raises:
        TypeError: ``model_name`` is missing, or a keyword is unknown.
    """

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str | None = None,
        safety_settings: Any = None,
        generation_config: Any = None,
        tools: Any = None,
        tool_config: Any = None,
        system_instruction: Any = None,
        client_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if not model_name:
            raise TypeError("model_name is missing: pass GoogleGenerativeAI(api_key=..., model_name='gemini-...')")
        if client_options and "api_endpoint" in client_options:
            options["http_options"] = {"base_url": client_options["api_endpoint"]}
        self.model_name = model_name
        self._defaults = _config(generation_config, safety_settings, tools, tool_config)
        if system_instruction is not None:
            self._defaults["system_instruction"] = system_instruction
        self._client = client_class()(api_key=api_key, **options)

    def generate_content(self, contents: Any, *, stream: bool = False, **options: Any) -> Any:
        """Ask the model.

        Args:
            contents: a text, parts, or whole turns.
            stream: return an iterator over the parts of the answer.
            **options: ``generation_config``, ``safety_settings``, ``tools``, ``tool_config``,
                ``request_options={"timeout": seconds}``, and the four ``amplitude_*`` keywords of a request.

        Raises:
            TypeError: a keyword is unknown.
        """
        models = self._client.models
        send = models.generate_content_stream if stream else models.generate_content
        return send(model=self.model_name, contents=contents, **self._request(options))

    async def generate_content_async(self, contents: Any, *, stream: bool = False, **options: Any) -> Any:
        """The same; with ``stream``, an async iterator."""
        models = self._client.aio.models
        send = models.generate_content_stream if stream else models.generate_content
        return await send(model=self.model_name, contents=contents, **self._request(options))

    def count_tokens(self, contents: Any, **amplitude: Any) -> Any:
        """How many tokens ``contents`` are for this model."""
        return self._client.models.count_tokens(model=self.model_name, contents=contents, **amplitude)

    async def count_tokens_async(self, contents: Any, **amplitude: Any) -> Any:
        """How many tokens ``contents`` are for this model."""
        return await self._client.aio.models.count_tokens(model=self.model_name, contents=contents, **amplitude)

    def start_chat(self, *, history: Any = None, enable_automatic_function_calling: bool = False) -> ChatSession:
        """Start a conversation, or go on with the turns of ``history``."""
        return ChatSession(self, history, enable_automatic_function_calling)

    def close(self) -> None:
        """Close the HTTP client and end the automatic run."""
        self._client.close()

    def _request(self, options: dict[str, Any]) -> dict[str, Any]:
        amplitude = {name: options.pop(name) for name in list(options) if name.startswith(PREFIX)}
        calls_tools = options.pop("calls_tools", False)
        config = {"automatic_function_calling": {"disable": not calls_tools}, **self._defaults, **_config(**options)}
        return {"config": config, **amplitude}


class ChatSession:
    """A conversation that remembers its turns in ``history``, a list of google-genai ``Content``."""

    def __init__(self, model: GoogleGenerativeAI, history: Any, calls_tools: bool) -> None:
        self.model = model
        self.history: list[Any] = list(history or ())
        self._calls_tools = calls_tools
        self._types = import_sdk("google.genai.types", "google-genai")

    def send_message(self, content: Any, *, stream: bool = False, **options: Any) -> Any:
        """Say ``content`` and get the answer. Options as those of `GoogleGenerativeAI.generate_content`."""
        asked = self._asked(content)
        answer = self.model.generate_content(asked, stream=stream, calls_tools=self._calls_tools, **options)
        if stream:
            return self._remembering(asked, answer)
        self._remember(asked, [answer])
        return answer

    async def send_message_async(self, content: Any, *, stream: bool = False, **options: Any) -> Any:
        """The same; with ``stream``, an async iterator."""
        asked = self._asked(content)
        answer = await self.model.generate_content_async(asked, stream=stream, calls_tools=self._calls_tools, **options)
        if stream:
            return self._remembering_async(asked, answer)
        self._remember(asked, [answer])
        return answer

    def _asked(self, content: Any) -> list[Any]:
        return [*self.history, self._types.UserContent(content)]

    def _remember(self, asked: list[Any], answers: list[Any]) -> None:
        turns = next((answer.automatic_function_calling_history for answer in reversed(answers)), None) or asked
        contents = [answer.candidates[0].content for answer in answers if answer.candidates]
        parts = [part for content in contents if content is not None for part in content.parts or ()]
        self.history = [*turns, self._types.ModelContent(parts)]

    def _remembering(self, asked: list[Any], pieces: Iterator[Any]) -> Iterator[Any]:
        seen = []
        for piece in pieces:
            seen.append(piece)
            yield piece
        self._remember(asked, seen)

    async def _remembering_async(self, asked: list[Any], pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        seen = []
        async for piece in pieces:
            seen.append(piece)
            yield piece
        self._remember(asked, seen)


def _config(
    generation_config: Any = None,
    safety_settings: Any = None,
    tools: Any = None,
    tool_config: Any = None,
    request_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One google-genai config of what GenerativeModel takes separately."""
    if generation_config is not None and not isinstance(generation_config, Mapping):
        generation_config = generation_config.model_dump(exclude_none=True)
    if isinstance(safety_settings, Mapping):
        safety_settings = [{"category": name, "threshold": level} for name, level in safety_settings.items()]
    timeout = (request_options or {}).get("timeout")
    given = {
        "safety_settings": safety_settings,
        "tools": tools,
        "tool_config": tool_config,
        "http_options": None if timeout is None else {"timeout": int(timeout * 1000)},  # ms there, seconds here
    }
    return {**(generation_config or {}), **{name: value for name, value in given.items() if value is not None}}
