"""OpenAI's smaller endpoints: legacy completions, embeddings, images, audio, moderations.

Types: openai ``types/completion.py``, ``create_embedding_response.py``, ``images_response.py``, ``types/audio/``,
``moderation_create_response.py``. Streams: completions by chunks; images and audio by events, the last of which has the
usage (``image_gen_completed_event.py``, ``audio/transcription_text_done_event.py``, ``audio/speech_audio_done_event``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .._models import CallError, LLMCall, Message, ToolCall, ToolResult, Usage
from ._format import Folded, Frame, WireRequest
from ._json import add_counts, arguments, as_count, as_dict, as_float, as_list, as_str, dicts
from ._media import describe, describe_base64
from ._openai import USAGE, base_call, find_error, is_pending, prompt_text
from ._usage import later
from .llamacpp import FORMAT as NATIVE
from .llamacpp import is_native, read_native
from .openai_chat import finish_reason, first_choice


class _Format(Struct, frozen=True):
    """A wire format made of two functions. ``plain_text``: an answer that is text and no JSON is what was said."""

    name: str
    operation: str
    folder: Callable[[Iterable[Frame]], Folded]
    reader: Callable[[LLMCall, Mapping[str, Any], Mapping[str, Any]], LLMCall]
    plain_text: bool = False

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return self.folder(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        body = as_dict(body)
        if is_pending(request, body):
            return None
        call = base_call(request, body, self.operation, find_error(request, body))
        return self.reader(call, as_dict(request.body), body)


def _user(given: object) -> Iterator[Message]:
    """A prompt or an input: text, a list of texts or parts, or token ids (which nobody can read)."""
    if isinstance(given, str):
        yield Message("user", given)
        return
    for item in as_list(given):
        if isinstance(item, str):
            yield Message("user", item)
        elif isinstance(item, Mapping):
            yield Message("user", prompt_text([item]))


def _completion(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    if "choices" not in body and is_native(body):  # llama.cpp's other name for its own door
        return replace(read_native(call, asked, body), messages=tuple(_user(asked.get("prompt"))))
    choice = first_choice(body)
    text = choice.get("text")
    if text is None:  # llama.cpp's and others' chat answers at this door
        text = as_dict(choice.get("message")).get("content")
    messages = _edited(asked) if "instruction" in asked else _user(asked.get("prompt"))
    return replace(
        call,
        messages=tuple(messages),
        output_text=text if isinstance(text, str) else None,
        finish_reason=finish_reason(choice),
        max_tokens=as_count(asked.get("max_tokens")),
    )


def _edited(asked: Mapping[str, Any]) -> Iterator[Message]:
    """The edits of old: an instruction, and the text it is about, which may be none."""
    yield from (Message("system", text) for text in [asked.get("instruction")] if isinstance(text, str))
    yield from _user(asked.get("input"))


def _fold_completion(frames: Iterable[Frame]) -> Folded:
    """Chunks are whole ``Completion`` objects with a piece of text each (openai ``types/completion.py``)."""
    frames = iter(frames)
    opening = next(frames, None)
    if opening is None:
        return Folded({}, False)
    frames = chain((opening,), frames)
    if is_native(as_dict(opening.data)):
        return NATIVE.fold(frames, WireRequest("", "", ""))
    body: dict[str, Any] = {}
    texts: dict[int, list[str]] = {}
    reasons: dict[int, str] = {}
    done, bare, first = False, False, None
    for frame in frames:
        chunk = frame.data
        if not isinstance(chunk, Mapping):
            done = done or (isinstance(chunk, str) and chunk.strip() == "[DONE]")
            continue
        usage = later(body.get("usage"), chunk.get("usage"), USAGE)
        body.update({name: value for name, value in chunk.items() if value and name != "choices"})
        if usage:
            body["usage"] = usage
        for position, part in enumerate(dicts(chunk.get("choices"))):
            index = as_count(part.get("index"))
            index = position if index is None else index
            text = as_str(part.get("text"))
            texts.setdefault(index, []).append(text or "")
            reason = as_str(part.get("finish_reason"))
            if reason is not None:
                reasons[index] = reason
            if text and first is None:
                first = frame.end
        value = chunk.get("value")  # Writer: pieces without choices, and no word at the end
        if isinstance(value, str):
            bare = True
            texts.setdefault(0, []).append(value)
            first = frame.end if first is None and value else first
    body["choices"] = [
        {"index": index, "text": "".join(texts[index]), "finish_reason": reasons.get(index)} for index in sorted(texts)
    ]
    return Folded(body, done or bare or (bool(texts) and len(reasons) == len(texts)), first)


def _embeddings(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    """Voyage has ``inputs`` too, of chunks and of parts (https://docs.voyageai.com/reference/), and says the total.

    Pinecone's are texts in objects (pinecone ``client/inference.py``), Nomic's are ``texts`` (nomic ``embed.py``),
    Perplexity's chunks are its ``input`` (perplexity ``types/contextualized_embedding_create_params.py``).
    """
    given = _given(asked)
    usage = call.usage
    if usage.input_tokens is None and not usage.output_tokens:  # nothing is written
        # GigaChat counts each text apart (gigachat ``models/embeddings.py``).
        each = (as_count(as_dict(one.get("usage")).get("prompt_tokens")) for one in dicts(body.get("data")))
        usage = replace(usage, input_tokens=add_counts(*each) if usage.total_tokens is None else usage.total_tokens)
    return replace(call, messages=tuple(_user(given)), usage=usage)


def _given(asked: Mapping[str, Any]) -> object:
    given = next((asked[name] for name in ("inputs", "input", "texts") if asked.get(name) is not None), None)
    if not isinstance(given, list):
        return given
    found: list[Any] = []
    for one in given:
        if isinstance(one, Mapping):
            found.append(prompt_text(one.get("content")) if "content" in one else prompt_text([one]))
        elif isinstance(one, str):
            found.append(one)
        elif not isinstance(next(iter(as_list(one)), None), int):  # ids of tokens are nobody's words
            found.extend(as_list(one))
    return found


def _moderation(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    return replace(call, messages=tuple(_user(asked.get("input"))))


def _images(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    form = as_str(body.get("output_format"))
    shown = [
        describe_base64("image", f"image/{form}" if form else None, image["b64_json"])
        if image.get("b64_json")
        else describe("image", "url" if image.get("url") else None)
        for image in dicts(body.get("data"))
    ]
    return replace(
        call, messages=tuple(_user(asked.get("prompt"))), output_text="\n".join(shown) or None, response_id=None
    )


def _videos(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    """A video is made in the background (openai ``types/video.py``; xAI answers with an id); billed by the second."""
    lengths = (body.get("seconds"), asked.get("duration"), asked.get("n_seconds"))  # the last is Azure's
    seconds = _seconds(next((length for length in lengths if length is not None), None))
    extra = {**call.usage.extra, "output_video_seconds": seconds} if seconds else call.usage.extra
    return replace(
        call,
        messages=tuple(_user(asked.get("prompt") or asked.get("content"))),  # Volcengine's
        usage=replace(call.usage, extra=extra),
        finish_reason=as_str(body.get("status")),
        response_id=as_str(body.get("id")) or as_str(body.get("request_id")),
    )


def _seconds(value: object) -> float | None:
    """OpenAI says them as text."""
    if isinstance(value, str) and len(value) < 16 and value.replace(".", "", 1).isdecimal():
        return float(value)
    return as_float(value)


def _audio(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    """Speech answers with bytes, so ``body`` is empty; transcriptions are billed by tokens or by the second.

    A transcription's ``response_format`` may be ``text``, ``srt`` or ``vtt``, which come as they are, without JSON
    (https://platform.openai.com/docs/api-reference/audio/createTranscription).
    """
    text = body.get("text")
    return replace(
        call,
        messages=tuple(_user(asked.get("input") or asked.get("text") or asked.get("prompt"))),
        output_text=text if isinstance(text, str) else None,
        usage=_with_seconds(call.usage, body),
    )


def _with_seconds(usage: Usage, body: Mapping[str, Any]) -> Usage:
    """Where nothing else is counted, the length that ``verbose_json`` tells (whisper at Groq and Azure; xAI's)."""
    reported = as_dict(body.get("usage"))
    seconds = as_float(reported.get("seconds"))
    seconds = as_float(reported.get("prompt_audio_seconds")) if seconds is None else seconds  # Mistral, beside tokens
    if seconds is None and usage.input_tokens is None:
        seconds = _seconds(body.get("duration"))
    if seconds is None or seconds < 0:
        return usage
    return replace(usage, extra={**usage.extra, "input_audio_seconds": seconds})


def _fold_events(frames: Iterable[Frame]) -> Folded:
    """Events of images and audio: the one ending in ``completed`` or ``done`` is the answer, deltas stand in for it."""
    body: dict[str, Any] = {}
    images: list[Mapping[str, Any]] = []
    pieces: list[str] = []
    complete, first = False, None
    for frame in frames:
        event = frame.data
        if not isinstance(event, Mapping):
            continue
        kind = as_str(event.get("type")) or frame.event or ""
        if kind == "error" or event.get("error"):
            body["error"] = event.get("error") or {"message": event.get("message"), "code": event.get("code")}
            continue
        if first is None and (event.get("delta") or event.get("audio") or event.get("b64_json")):
            first = frame.end
        if isinstance(event.get("delta"), str):
            pieces.append(event["delta"])
        if kind.endswith((".completed", "text.done", "audio.done")):
            complete = True
            body.update({name: value for name, value in event.items() if name not in ("type", "b64_json")})
            if event.get("b64_json"):
                images.append(event)
    if images:
        body["data"] = [{"b64_json": image["b64_json"]} for image in images]
    if pieces:
        body.setdefault("text", "".join(pieces))
    return Folded(body, complete, first)


def _run(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    """A run of an assistant. Its text is in the thread's messages, fetched apart; its usage comes when it has ended."""
    required = as_dict(as_dict(body.get("required_action")).get("submit_tool_outputs"))
    functions = ((as_str(one.get("id")), as_dict(one.get("function"))) for one in dicts(required.get("tool_calls")))
    failure = as_dict(body.get("last_error"))
    return replace(
        call,
        messages=tuple(_run_messages(asked)),
        tool_results=tuple(
            ToolResult(as_str(one.get("tool_call_id")), one.get("output")) for one in dicts(asked.get("tool_outputs"))
        ),
        output_text=as_str(body.get("text")),
        tool_calls=tuple(
            ToolCall(name, ident, arguments(function.get("arguments")))
            for ident, function in functions
            if (name := as_str(function.get("name"))) is not None
        ),
        finish_reason=as_str(as_dict(body.get("incomplete_details")).get("reason")) or as_str(body.get("status")),
        error=call.error
        or (CallError(as_str(failure.get("code")), as_str(failure.get("message"))) if failure else None),
        max_tokens=as_count(asked.get("max_completion_tokens")),
    )


def _run_messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    if as_str(asked.get("instructions")):
        yield Message("system", asked["instructions"])
    for turn in (*dicts(as_dict(asked.get("thread")).get("messages")), *dicts(asked.get("additional_messages"))):
        yield Message("user" if turn.get("role") == "user" else "assistant", prompt_text(turn.get("content")))


def _fold_run(frames: Iterable[Frame]) -> Folded:
    """``thread.run.*`` events carry the run, ``thread.message.delta`` pieces of its text; then ``[DONE]``."""
    body: dict[str, Any] = {}
    pieces: list[str] = []
    done, first = False, None
    for frame in frames:
        event = frame.data
        if not isinstance(event, Mapping):
            done = done or (isinstance(event, str) and event.strip() == "[DONE]")
        elif (frame.event or "").startswith("thread.run.") and event.get("object") == "thread.run":
            body.update({name: value for name, value in event.items() if value is not None})
        elif frame.event == "thread.message.delta":
            for part in dicts(as_dict(event.get("delta")).get("content")):
                piece = as_str(as_dict(part.get("text")).get("value"))
                if piece is not None:
                    pieces.append(piece)
                    first = frame.end if first is None else first
        elif frame.event == "error" or event.get("error"):
            body["error"] = event.get("error") or event
    if pieces:
        body["text"] = "".join(pieces)
    return Folded(body, done or "usage" in body, first)


FORMATS = (
    _Format("openai.runs", "run", _fold_run, _run),
    _Format("openai.completions", "completion", _fold_completion, _completion),
    _Format("openai.embeddings", "embeddings", _fold_events, _embeddings),
    _Format("openai.images", "image", _fold_events, _images),
    _Format("openai.audio", "audio", _fold_events, _audio, plain_text=True),
    _Format("openai.videos", "video", _fold_events, _videos),
    _Format("openai.moderations", "moderation", _fold_events, _moderation),
)
