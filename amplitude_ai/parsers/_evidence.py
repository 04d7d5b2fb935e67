"""Whether bodies look like a format. On a host nobody knows a path alone is no evidence: chats and mail have the same.

The request's body decides. Where it could not be read (too large, a form cut off, a GET that has none), the answer's.
A format of its own module may say it itself with a method ``looks_like(request) -> bool``; one whose requests say
little, with ``looks_like_exchange(request, answer) -> bool``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ._format import WireFormat, WireRequest
from ._json import as_dict, as_list, as_str, dicts

Body = Mapping[str, Any]

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def is_call(wire: WireFormat, request: WireRequest, answer: Body, answered: bool) -> bool:
    """Whether an exchange with a host nobody knows was a call of this format.

    Args:
        wire: the format its path means.
        request: the request.
        answer: the answer's body, folded if it was a stream; empty where none came or none could be read.
        answered: an answer came and was read, or is no JSON at all.
    """
    both = getattr(wire, "looks_like_exchange", None)
    if callable(both):
        return bool(both(request, answer))
    own = getattr(wire, "looks_like", None)
    asked = own if callable(own) else _ASKED.get(wire.name)
    if asked is None:
        return True
    if not request.body:
        return any(test(answer) for test in _ANSWERED.get(wire.name.partition(".")[0], ()))
    if not asked(request):
        return wire.name in _BY_ANSWER and _BY_ANSWER[wire.name](request, answer)
    # A chat's back end has the same path and nearly the same body; its answer is another.
    refused = request.status is None or request.refused
    if wire.name == "huggingface.generate" and _is_generation(request.body):
        return True  # of a stream that was cut the answer may tell nothing; nobody else calls it so
    return refused or not answered or wire.name not in _TELLING or any(name in answer for name in _TELLING[wire.name])


def _is_moderated(request: WireRequest, answer: Body) -> bool:
    """OpenAI's moderations need no model; their answers are like no other."""
    results = as_list(answer.get("results"))
    return "input" in request.body and bool(results) and "flagged" in as_dict(results[0])


def _is_llamacpp(request: WireRequest, answer: Body) -> bool:
    """A prompt and no more, and the counts of that server."""
    return _any(request.body, "prompt", "input_prefix") and "content" in answer and "tokens_predicted" in answer


def _is_ranked(request: WireRequest, answer: Body) -> bool:
    """Text Embeddings Inference: ``texts``, and a list of places and scores, or an error of a kind of its own."""
    asked = as_str(request.body.get("query")) is not None and bool(as_list(request.body.get("texts")))
    ranked = as_list(answer.get("data"))
    is_rank = bool(ranked) and {"index", "score"} <= set(as_dict(ranked[0]))
    return asked and (is_rank or (as_str(answer.get("error")) is not None and "error_type" in answer))


def _is_sglang(request: WireRequest, answer: Body) -> bool:
    """A text and no settings, and what SGLang tells of each answer."""
    told = as_dict((next(iter(dicts(answer.get("data"))), None) or answer).get("meta_info"))
    return _any(request.body, "text", "input_ids") and "prompt_tokens" in told


#: Of formats that may be asked with next to nothing: their answers are like no other.
_BY_ANSWER: dict[str, Callable[[WireRequest, Body], bool]] = {
    "openai.moderations": _is_moderated,
    "llamacpp.completion": _is_llamacpp,
    "cohere.rerank": _is_ranked,
    "huggingface.generate": _is_sglang,
}


def _model(request: WireRequest) -> bool:
    in_path = any(f"/{name}/" in request.path for name in ("deployments", "serving-endpoints", "engines", "models"))
    return in_path or as_str(request.body.get("model")) is not None


def has_turns(body: Body) -> bool:
    """Whether ``messages`` is a list of turns with roles."""
    turns = as_list(body.get("messages"))
    return bool(turns) and all(isinstance(turn, Mapping) and as_str(turn.get("role")) for turn in turns[:8])


def _known_roles(body: Body) -> bool:
    return has_turns(body) and body["messages"][0]["role"] in _ROLES


def _any(body: Body, *names: str) -> bool:
    return any(body.get(name) is not None for name in names)


def _text_or_list(value: object) -> bool:
    return isinstance(value, str) or bool(as_list(value))


def _chat(request: WireRequest) -> bool:
    body = request.body
    return _known_roles(body) or (_model(request) and isinstance(body.get("messages"), list))


def _responses(request: WireRequest) -> bool:
    body = request.body
    asked = isinstance(body.get("input"), str) or any(
        isinstance(item, Mapping) and (item.get("role") or item.get("type")) for item in as_list(body.get("input"))[:1]
    )
    asked = asked or _any(body, "previous_response_id", "conversation")
    return (asked and _model(request)) or isinstance(body.get("prompt"), Mapping)


def _completions(request: WireRequest) -> bool:
    body = request.body
    settings = _any(body, "max_tokens", "temperature", "stream", "top_p", "stop", "n_predict")
    return _text_or_list(body.get("prompt")) and (_model(request) or settings)


def _embeddings(request: WireRequest) -> bool:
    return (_text_or_list(request.body.get("input")) or "inputs" in request.body) and _model(request)


def _images(request: WireRequest) -> bool:
    body = request.body
    return as_str(body.get("prompt")) is not None and _any(body, "model", "size", "n", "quality", "response_format")


def _audio(request: WireRequest) -> bool:
    spoken = as_str(request.body.get("input")) is not None or not request.path.endswith("/speech")
    return spoken and _model(request)


def _moderations(request: WireRequest) -> bool:
    return _text_or_list(request.body.get("input")) and _model(request)


def _runs(request: WireRequest) -> bool:
    body = request.body
    return as_str(body.get("assistant_id")) is not None or isinstance(body.get("tool_outputs"), list)


def _messages(request: WireRequest) -> bool:
    body = request.body
    asked = has_turns(body) and all("content" in turn for turn in body["messages"][:8])
    return asked and (_model(request) or ("max_tokens" in body and "anthropic_version" in body))


def _complete(request: WireRequest) -> bool:
    return as_str(request.body.get("prompt")) is not None and "max_tokens_to_sample" in request.body


def is_contents(given: object) -> bool:
    """Whether this is Gemini's ``contents``: turns of parts, one turn, or its text."""
    turns = [given] if isinstance(given, Mapping) else as_list(given)
    return any(isinstance(turn, str) or (isinstance(turn, Mapping) and "parts" in turn) for turn in turns[:4])


def _gemini(request: WireRequest) -> bool:
    given = request.body.get("contents")
    return is_contents(given) or isinstance(given, str)


def _gemini_embed(request: WireRequest) -> bool:
    return any(name in request.body for name in ("content", "requests", "instances"))


def _instances(request: WireRequest) -> bool:
    given = as_list(request.body.get("instances"))  # TensorFlow's servers have numbers there
    return any(isinstance(one, Mapping) and _any(one, "prompt", "content", "image") for one in given[:1])


def _interactions(request: WireRequest) -> bool:
    return _any(request.body, "model", "agent") and "input" in request.body


def _converse(request: WireRequest) -> bool:
    turns = as_list(request.body.get("messages"))
    return has_turns(request.body) and isinstance(as_dict(turns[0]).get("content"), list)


def _invoke(request: WireRequest) -> bool:
    if "query" in request.body and "documents" in request.body:
        return True
    names = ("anthropic_version", "prompt", "inputText", "messages", "message", "texts", "input_type", "taskType")
    return _any(request.body, *names)


def _prompted(*names: str) -> Callable[[WireRequest], bool]:
    return lambda request: as_str(request.body.get("model")) is not None and _any(request.body, *names)


def _ollama_chat(request: WireRequest) -> bool:
    return as_str(request.body.get("model")) is not None and has_turns(request.body)


def _rerank(request: WireRequest) -> bool:
    body = request.body
    return as_str(body.get("query")) is not None and bool(as_list(body.get("documents")))


def _cohere_chat(request: WireRequest) -> bool:
    body = request.body
    return _ollama_chat(request) or (as_str(body.get("message")) is not None and _any(body, "model", "chat_history"))


def _is_generation(body: Body) -> bool:
    """Settings that nobody has but TGI and SGLang."""
    if "sampling_params" in body:
        return _any(body, "text", "input_ids")
    return "inputs" in body and "max_new_tokens" in as_dict(body.get("parameters"))


def _inputs(request: WireRequest) -> bool:
    given = request.body.get("inputs")
    if _is_generation(request.body):
        return True
    return isinstance(given, str) or any(isinstance(text, str) for text in as_list(given)[:1])


def _fim(request: WireRequest) -> bool:
    return _model(request) and as_str(request.body.get("prompt")) is not None


#: What each format is asked with.
_ASKED: dict[str, Callable[[WireRequest], bool]] = {
    "openai.chat": _chat,
    "openai.responses": _responses,
    "openai.completions": _completions,
    "openai.embeddings": _embeddings,
    "openai.images": _images,
    "openai.audio": _audio,
    "openai.moderations": _moderations,
    "openai.runs": _runs,
    "anthropic.messages": _messages,
    "anthropic.completions": _complete,
    "google.generate": _gemini,
    "google.embed": _gemini_embed,
    "google.predict": _instances,
    "google.interactions": _interactions,
    "bedrock.converse": _converse,
    "bedrock.invoke": _invoke,
    "cohere.chat": _cohere_chat,
    "cohere.embed": _prompted("texts", "inputs", "images"),
    "cohere.rerank": _rerank,
    "ollama.chat": _ollama_chat,
    "ollama.generate": _prompted("prompt", "suffix", "images"),
    "ollama.embed": _prompted("input", "prompt"),
    "huggingface.generate": _inputs,
    "mistral.fim": _fim,
    "mistral.ocr": _prompted("document"),
}

#: What an answer of a family has, where the request could not be read.
_ANSWERED: dict[str, tuple[Callable[[Body], bool], ...]] = {
    "openai": (
        lambda body: str(body.get("object")) in ("response", "thread.run", "text_completion"),
        lambda body: str(body.get("object")).startswith("chat.completion"),
        lambda body: bool(as_list(body.get("choices"))) and "model" in body,
        lambda body: body.get("object") == "list" and "model" in body,
    ),
    "anthropic": (lambda body: body.get("type") == "message" and "stop_reason" in body,),
    "google": (lambda body: "candidates" in body or "usageMetadata" in body,),
    "bedrock": (lambda body: "stopReason" in body and "usage" in body, lambda body: "stop_reason" in body),
    "ollama": (lambda body: "done" in body and "model" in body,),
}

#: Of formats whose path is common: a member that any answer of theirs has.
_TELLING: dict[str, tuple[str, ...]] = {
    "ollama.chat": ("message", "done", "error"),
    "ollama.generate": ("response", "done", "error"),
    "ollama.embed": ("embedding", "embeddings", "data", "error"),
    "cohere.rerank": ("results", "data", "error"),
    "huggingface.generate": ("generated_text", "data", "error", "details", "meta_info"),
    "cohere.chat": ("message", "text", "event_type", "generation_id", "finish_reason", "error"),
}
