"""The error bodies of every provider, read by shape. One place, because gateways return each other's.

Shapes and where they come from:
    OpenAI and compatibles  ``{"error": {"message", "type", "code", "param"}}`` (openai ``_exceptions.py``)
    Anthropic               ``{"type": "error", "error": {"type", "message"}}`` (anthropic ``types/shared/``)
    Google                  ``{"error": {"code": 404, "message", "status": "NOT_FOUND"}}``, or that in a one-item list
    Bedrock                 ``{"message"}`` with the type in ``x-amzn-errortype`` (AWS REST-JSON protocol)
    Cohere, Mistral         ``{"message", "type"?}``, ``{"detail": [{"msg"}]}`` (FastAPI validation)
    Ollama, Hugging Face    ``{"error": "text", "error_type"?}``; xAI with ``code``
    watsonx, Cloudflare     ``{"errors": [{"code", "message"}]}``; Writer with ``key`` and ``description``
    Databricks              ``{"error_code", "message"}``
    NVIDIA                  ``{"type": "about:blank", "title", "detail"}`` (RFC 9457)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._models import JSON, CallError
from ._format import WireRequest
from ._json import as_dict, as_list, as_str

_TEXT_LIMIT = 2000


def read_error(body: JSON, headers: Mapping[str, str] | None = None) -> CallError | None:
    """The provider's error in ``body``, or ``None`` when it holds none.

    Args:
        body: decoded JSON, or text when the server answered with something else (a proxy's HTML page).
        headers: response headers, lower-case names.
    """
    error = _read(body, headers)
    # A failed response of OpenAI's, an interaction of Google's have only a code, a word; OpenRouter's is a number.
    if error is None or error.type is not None or error.code is None or error.code.isdigit():
        return error
    return CallError(type=error.code, message=error.message, code=error.code)


def _read(body: JSON, headers: Mapping[str, str] | None) -> CallError | None:
    header_type = _aws_error_type(headers or {})
    if isinstance(body, list):
        body = body[0] if body else None
    if isinstance(body, str):
        return CallError(type=header_type, message=body.strip()[:_TEXT_LIMIT] or None)
    outer = as_dict(body)
    outer = as_dict(outer.get("Output")) or outer  # AWS, of an operation it does not know
    error = outer.get("error") or outer.get("errors")
    if isinstance(error, list):
        error = _first(error)
    elif error is outer.get("errors"):  # whose fault each field of a form is
        error = None
    if isinstance(error, str):
        return CallError(
            type=as_str(outer.get("error_type")) or as_str(outer.get("type")) or header_type,
            message=error or None,
            code=_code(outer.get("code")),
        )
    if isinstance(error, Mapping) and error:
        return CallError(
            type=as_str(error.get("type")) or as_str(error.get("status")) or as_str(outer.get("tpe")) or header_type,
            message=as_str(error.get("message")) or as_str(error.get("detail")),
            code=_code(error.get("code")),
        )
    message = as_str(outer.get("message")) or as_str(outer.get("Message")) or _detail(outer)
    message = message or _detail(as_dict(outer.get("message")))  # Mistral
    kind = _kind(outer) or (as_str(outer.get("__type")) or "").rpartition("#")[2] or header_type
    if message is None and header_type is None and "__type" not in outer:
        return None
    return CallError(type=kind, message=message, code=_code(outer.get("code")))


def error_of(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """The error of a refused request, or the one inside a 200 (a stream's), whose body has it under ``"error"``."""
    return read_error(body, request.response_headers) if request.refused or body.get("error") else None


def _aws_error_type(headers: Mapping[str, str]) -> str | None:
    # "ThrottlingException:http://internal.amazon.com/coral/..." : only the name is of use.
    return headers.get("x-amzn-errortype", "").split(":", 1)[0] or None


def _kind(outer: Mapping[str, Any]) -> str | None:
    """The word for it: ``type``, Databricks' ``error_code``; of a problem's (RFC 9457), whose type is an address, a
    name of NVIDIA's (``urn:``) or left out, the title.
    """
    kind = as_str(outer.get("type")) or as_str(outer.get("error_code"))
    return as_str(outer.get("title")) if kind is None or kind.startswith(("about:", "http", "urn:")) else kind


def _first(errors: list[Any]) -> str | Mapping[str, Any] | None:
    """The first of several: a text, or an object whose code may be a word. One that says nothing is none."""
    error = errors[0] if errors else None
    found = as_dict(error)
    message = as_str(found.get("message")) or as_str(found.get("description"))
    if message is None:
        return as_str(error)
    return {"type": as_str(found.get("code")) or as_str(found.get("key")), **found, "message": message}


def _code(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return as_str(value)


def _detail(outer: Mapping[str, Any]) -> str | None:
    detail = outer.get("detail")
    if isinstance(detail, str):
        return detail or None
    parts = [as_str(as_dict(item).get("msg")) for item in as_list(detail)]
    return "; ".join(part for part in parts if part) or None
