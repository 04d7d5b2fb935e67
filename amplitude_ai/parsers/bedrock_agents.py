"""Amazon Bedrock's agents and knowledge bases (the agent runtime): no tokens, but for the traces that were asked for.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html and
``_RetrieveAndGenerate.html``. InvokeAgent streams ``chunk`` (base64 text), ``trace``, ``returnControl``;
RetrieveAndGenerateStream ``output``, ``citation``, ``guardrail``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from .._models import LLMCall, Message, ToolCall, Usage
from .._pattern import lazy_pattern
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._json import add_counts, arguments, as_count, as_dict, as_str, dicts
from ._paths import HostRow, PathRow, on

_AGENT = lazy_pattern(r"/(?:agents|flows)/([^/]+)")
_TRACES = ("preProcessingTrace", "orchestrationTrace", "postProcessingTrace", "routingClassifierTrace")


class _Agent:
    name = "bedrock.agent"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        texts: list[str] = []
        usages: list[Mapping[str, Any]] = []
        failed, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            if event.get("error"):
                body["error"], failed = event["error"], True
                continue
            text = frame.data if isinstance(frame.data, str) else as_str(event.get("text"))
            if text is None and frame.event == "flowOutputEvent":
                text = as_str(as_dict(event.get("content")).get("document"))
            if text is not None and frame.event in ("chunk", "output", "flowOutputEvent"):
                texts.append(text)
                first = frame.end if first is None else first
            elif frame.event == "trace":
                usages.extend(_usages(as_dict(event.get("trace"))))
            elif frame.event == "returnControl":
                body["returnControl"] = event
        if texts:
            body["output"] = {"text": "".join(texts)}
        body["usages"] = usages
        # Nothing marks the end of these streams: `read` knows how the wire ended.
        return Folded(body, not failed and bool(texts or "returnControl" in body), first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        given = as_str(asked.get("inputText")) or as_str(as_dict(asked.get("input")).get("text"))
        text = as_dict(body.get("output")).get("text")
        counts = list(dicts(body.get("usages")))
        return LLMCall(
            provider=request.provider,
            operation="chat",
            requested_model=_model(request),
            usage=Usage(
                add_counts(*(as_count(one.get("inputTokens")) for one in counts)),
                add_counts(*(as_count(one.get("outputTokens")) for one in counts)),
            ),
            messages=(Message("user", given),) if given else (),
            output_text=text if isinstance(text, str) else None,
            tool_calls=tuple(_tools(as_dict(body.get("returnControl")))),
            finish_reason=as_str(body.get("guardrailAction")),
            error=error_of(request, body),
        )


class _Rerank:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html: billed by the query."""

    name = "bedrock.rerank"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        how = as_dict(as_dict(asked.get("rerankingConfiguration")).get("bedrockRerankingConfiguration"))
        named = as_str(as_dict(how.get("modelConfiguration")).get("modelArn"))
        texts = (as_str(as_dict(one.get("textQuery")).get("text")) for one in dicts(asked.get("queries")))
        return LLMCall(
            provider=request.provider,
            operation="rerank",
            requested_model=named,
            messages=tuple(Message("user", text) for text in texts if text),
            error=error_of(request, body),
        )


FORMATS = (_Agent(), _Rerank())
HOSTS = (HostRow(r"bedrock-agent-runtime(?:-fips)?\..*amazonaws\.com(?:\.cn)?", "bedrock", "aws"),)
PATHS = (
    PathRow(
        r"/agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text|/agents/[^/]+", "bedrock.agent", "bedrock", on("bedrock")
    ),
    PathRow(r"/rerank", "bedrock.rerank", "bedrock", on("bedrock")),
    PathRow(r"/retrieveAndGenerate(?:Stream)?|/flows/[^/]+/aliases/[^/]+", "bedrock.agent", "bedrock", on("bedrock")),
)


def _usages(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What each model invocation of a trace counted."""
    for name in _TRACES:
        output = as_dict(as_dict(trace.get(name)).get("modelInvocationOutput"))
        usage = as_dict(as_dict(output.get("metadata")).get("usage"))
        if usage:
            yield usage


def _model(request: WireRequest) -> str | None:
    """The model that generates; of an agent, its id: who answers for it is told nowhere."""
    how = as_dict(request.body.get("retrieveAndGenerateConfiguration"))
    for name in ("knowledgeBaseConfiguration", "externalSourcesConfiguration"):
        found = as_str(as_dict(how.get(name)).get("modelArn"))
        if found is not None:
            return found
    matched = _AGENT.search(request.path)
    return as_str(request.body.get("foundationModel")) or (unquote(matched.group(1)) if matched else None)


def _tools(control: Mapping[str, Any]) -> Iterator[ToolCall]:
    """Actions the caller is to run (``returnControl.invocationInputs``)."""
    ident = as_str(control.get("invocationId"))
    for one in dicts(control.get("invocationInputs")):
        function, api = as_dict(one.get("functionInvocationInput")), as_dict(one.get("apiInvocationInput"))
        found = function or api
        name = as_str(found.get("function")) or as_str(found.get("apiPath")) or as_str(found.get("actionGroup"))
        if name is not None:
            made = {str(given.get("name")): arguments(given.get("value")) for given in dicts(found.get("parameters"))}
            yield ToolCall(name=name, id=ident, arguments=made)
