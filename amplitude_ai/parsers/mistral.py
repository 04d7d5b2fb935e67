"""What only Mistral has: fill-in-the-middle and OCR. Its chat is OpenAI's. https://docs.mistral.ai/api/"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_count, as_dict, as_str, dicts
from ._media import describe, describe_url
from ._openai import base_call, find_error
from .openai_chat import FORMAT as CHAT


class _Fim:
    """``/v1/fim/completions``: a prompt and a suffix in, a chat completion out."""

    name = "mistral.fim"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return CHAT.fold(frames, request)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        call = CHAT.parse(request, body)
        if call is None:
            return None
        given = (as_str(as_dict(request.body).get(name)) for name in ("prompt", "suffix"))
        said = tuple(Message("user", text) for text in given if text)
        return replace(call, operation="completion", messages=said)


class _Ocr:
    """``/v1/ocr``: a document in, pages of Markdown out; billed by the page (``usage_info.pages_processed``).

    A page that was annotated too has a price of its own (https://mistral.ai/pricing#api-pricing).
    """

    name = "mistral.ocr"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        call = base_call(request, body, "ocr", find_error(request, body))
        pages = as_count(as_dict(body.get("usage_info")).get("pages_processed"))
        texts = [page["markdown"] for page in dicts(body.get("pages")) if isinstance(page.get("markdown"), str)]
        asked = as_dict(request.body)
        annotated = asked.get("document_annotation_format") or asked.get("bbox_annotation_format")
        units = ("input_document_pages", "input_annotated_document_pages")[: 2 if annotated else 1]
        extra = {**call.usage.extra, **dict.fromkeys(units, pages)} if pages else call.usage.extra
        return replace(
            call,
            usage=replace(call.usage, extra=extra),
            messages=(Message("user", _document(as_dict(asked.get("document")))),),
            output_text="\n\n".join(texts) if texts else None,
        )


FORMATS = (_Fim(), _Ocr())


def _document(document: Mapping[str, Any]) -> str:
    name = as_str(document.get("document_name"))
    if document.get("image_url"):
        url = document["image_url"]
        return describe_url("image", as_dict(url).get("url") or url)
    return describe("document", name=name) if name else describe_url("document", document.get("document_url"))
