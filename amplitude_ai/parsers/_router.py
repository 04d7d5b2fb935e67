"""(method, host, path) -> `Route`, by table. Two tables: the path names the wire format, the host names the provider.

A host nobody knows (a ``base_url`` on localhost, a company's gateway) is routed by the path's shape and credited to
the provider whose shape it is. Asked on the caller's thread for every request: one dictionary look-up when the path
was seen before, one regular expression when not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate

from . import compatible


@dataclass(frozen=True, slots=True)
class Route:
    """Where an exchange goes. ``price_provider`` is genai-prices' id; ``None`` when only the model name can tell."""

    provider: str
    format: str
    price_provider: str | None = None


#: The files in which batches are answered: no wire format, for they hold answers of many (``_batches``).
BATCH_RESULTS = "batch.results"

#: (path pattern, wire format, the provider whose shape it is). First match wins; matched against the whole path.
_PATHS: tuple[tuple[str, str, str], ...] = (
    (r".*/chat/completions", "openai.chat", "openai"),
    (r".*/(?:cortex/inference:complete|serving-endpoints/[^/]+/invocations)", "openai.chat", "openai"),
    (r".*/responses(?:/compact|/resp_[^/]+)?", "openai.responses", "openai"),
    (r".*/threads/(?:[^/]+/)?runs(?:/[^/]+(?:/submit_tool_outputs)?)?", "openai.runs", "openai"),
    (r".*/fim/completions", "mistral.fim", "mistral"),
    (r".*/completions", "openai.completions", "openai"),
    (r".*/v2/embed", "cohere.embed", "cohere"),
    (r".*/v[12]/rerank", "cohere.rerank", "cohere"),
    (r".*/embeddings", "openai.embeddings", "openai"),
    (r".*/images/(?:generations|edits|variations)", "openai.images", "openai"),
    (r".*/audio/(?:speech|transcriptions|translations)", "openai.audio", "openai"),
    (r".*/moderations", "openai.moderations", "openai"),
    (r".*/ocr", "mistral.ocr", "mistral"),
    (r".*/messages", "anthropic.messages", "anthropic"),
    (r".*/v1/complete", "anthropic.completions", "anthropic"),
    (r".*/publishers/anthropic/models/[^/]+:(?:streamRawPredict|rawPredict)", "anthropic.messages", "anthropic"),
    (r".*/models/[^/]+:(?:generateContent|streamGenerateContent)", "google.generate", "google"),
    (r".*/[^/]+:(?:generateContent|streamGenerateContent)", "google.generate", "google"),
    (r".*/models/[^/]+:(?:embedContent|batchEmbedContents)", "google.embed", "google"),
    (r".*/publishers/google/models/(?:text|gemini|multimodal)[^/]*embedding[^/]*:predict", "google.embed", "google"),
    (r".*/models/[^/]+:(?:predict|predictLongRunning)", "google.predict", "google"),
    (r".*/interactions", "google.interactions", "google"),
    (r".*/model/[^/]+/converse(?:-stream)?", "bedrock.converse", "bedrock"),
    (r".*/model/[^/]+/invoke(?:-with-response-stream)?", "bedrock.invoke", "bedrock"),
    (r".*/v[12]/chat", "cohere.chat", "cohere"),
    (r".*/api/chat", "ollama.chat", "ollama"),
    (r".*/api/generate", "ollama.generate", "ollama"),
    (r".*/api/embed(?:dings)?", "ollama.embed", "ollama"),
    (r".*/generate(?:_stream)?", "huggingface.generate", "huggingface"),
    (r".*/files/[^/]+/content", BATCH_RESULTS, "openai"),
    (r".*/messages/batches/[^/]+/results", BATCH_RESULTS, "anthropic"),
)
#: Paths so common elsewhere that on an unknown host they mean nothing.
_ONLY_ON_KNOWN_HOSTS = frozenset(
    {"huggingface.generate", "google.interactions", "google.predict", "mistral.ocr", "cohere.chat", "cohere.rerank"}
    | {BATCH_RESULTS}
)
_SHARED_TAIL = re.compile(r"/(?:messages|responses)$")

_PATH = re.compile("|".join(f"(?P<p{index}>{path})" for index, (path, _, _) in enumerate(_PATHS)))

#: (host pattern, provider, genai-prices id) of hosts with wire formats of their own; compatible hosts: `compatible`.
_HOSTS: tuple[tuple[str, str, str | None], ...] = (
    (r"api\.anthropic\.com", "anthropic", "anthropic"),
    (r"claude\.googleapis\.com", "vertex", "google"),
    (r".*\.services\.ai\.azure\.com", "azure", "azure"),
    (r"generativelanguage\.(?:mtls\.)?googleapis\.com", "google", "google"),
    (r"(?:[a-z0-9-]+-)?aiplatform(?:\.[a-z]+\.rep)?(?:\.mtls)?\.googleapis\.com", "vertex", "google"),
    (r"bedrock-runtime(?:-fips)?\..*amazonaws\.com(?:\.cn)?", "bedrock", "aws"),
    (r"bedrock-mantle\..*\.api\.aws", "bedrock", "aws"),
    (r"aws-external-anthropic\..*\.api\.aws", "anthropic", "anthropic"),
    (r"api\.cohere\.(?:com|ai)", "cohere", "cohere"),
    (r".*\.inference\.huggingface\.co|api-inference\.huggingface\.co", "huggingface", None),
)

#: (host, path, route) of parsers that were registered, the latest first.
registered: list[tuple[re.Pattern[str], re.Pattern[str], Route]] = []

_paths: dict[bytes, bool] = {}
_cache: dict[tuple[str, str, str, bool], Route | None] = {}
_hosts: dict[str, tuple[str, str | None] | None] = {}
_CACHE_LIMIT = 1024
#: Responses, interactions and batch results are also read back with GET.
_METHODS = frozenset({"POST", "GET"})


#: The longest path and host that are looked at. A model's path has some 300 characters; a host's name, 253 at most. A
#: longer one is no model call: the patterns are run on the caller's thread, and the tables hold what they were asked.
MAX_PATH = 1024
MAX_HOST = 255


def route(method: str, host: str, path: str) -> Route | None:
    """The route of a request, or ``None`` when its path is no model call we know."""
    if len(path) > MAX_PATH or len(host) > MAX_HOST or method not in _METHODS:
        return None
    key = (method, host, path, False)
    try:
        return _cache[key]
    except KeyError:
        pass
    found = _route(method, host.lower(), path)
    if len(_cache) >= _CACHE_LIMIT:
        _cache.clear()
    _cache[key] = found
    return found


def _route(method: str, host: str, path: str) -> Route | None:
    for hosts, paths, found in registered:
        if method == "POST" and hosts.match(host) and paths.match(path):
            return found
    matched = _PATH.fullmatch(path.rstrip("/"))
    if matched is None or matched.lastgroup is None:
        return None
    _, name, shape_owner = _PATHS[int(matched.lastgroup[1:])]
    # What is read back with GET: a stored response, a run. (A list of runs has no id of its own to be told by.)
    fetched = (name == "openai.responses" and "/resp_" in path) or (name == "openai.runs" and "/run_" in path)
    if (method == "GET" and not fetched) if name != BATCH_RESULTS else method != "GET":
        return None
    known = host_provider(host)
    if known is not None:
        provider, price_provider = known
        return Route(provider, name, price_provider)
    if name in _ONLY_ON_KNOWN_HOSTS and not _local(host):
        return None
    return Route(shape_owner, name)


def forget() -> None:
    """Forget what was routed so far: the tables have changed."""
    _cache.clear()
    _paths.clear()


def host_provider(host: str) -> tuple[str, str | None] | None:
    """(provider, genai-prices id) of a host, or ``None`` for a host nobody knows."""
    if len(host) > MAX_HOST:
        return None
    try:
        return _hosts[host]
    except KeyError:
        pass
    found: tuple[str, str | None] | None = None
    for pattern, provider, price_provider in (*_HOST_PATTERNS, *_COMPATIBLE_PATTERNS):
        if pattern.fullmatch(host):
            found = (provider, price_provider)
            break
    if len(_hosts) >= _CACHE_LIMIT:
        _hosts.clear()
    _hosts[host] = found
    return found


def _local(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "::1", "0.0.0.0"} or host.endswith(".local")


def is_any(raw_path: bytes) -> bool:
    """Whether a request to this path (the query with it) may be a model call, whatever host it goes to: a quick no."""
    raw_path = raw_path.partition(b"?")[0]  # a query may be a megabyte, another each time, and hold a key
    if len(raw_path) > MAX_PATH:
        return False
    try:
        return _paths[raw_path]
    except KeyError:
        pass
    path = raw_path.decode("latin-1").rstrip("/")
    found = _PATH.fullmatch(path) is not None or "%" in path or bool(registered)
    if len(_paths) >= _CACHE_LIMIT:
        _paths.clear()
    _paths[raw_path] = found
    return found


def watches(method: str, host: str, path: str, explicit: bool) -> bool:
    """Whether a request is watched at all. On a client instrumented by hand any POST may be a model call."""
    return route(method, host, path) is not None or (explicit and method == "POST" and not _known_other(host, path))


#: Searched for, not matched from the start, and each alternative begins with its own characters: linear.
_OTHER = re.compile(
    r"(?:count[-_]?tokens|:counttokens|input_tokens|tokenize|detokenize|/files|/models|/batches|/conversations"
    r"|/vector_stores|/fine_tuning|/uploads|/assistants|/threads|/count-tokens|/token)(?:/|$)|/oauth",
)


def _known_other(host: str, path: str) -> bool:
    return len(path) > MAX_PATH or _OTHER.search(path.lower()) is not None or host_provider(host) is not None


_HOST_PATTERNS = tuple((re.compile(pattern), provider, price) for pattern, provider, price in _HOSTS)
_COMPATIBLE_PATTERNS = tuple(
    (re.compile(translate(row.pattern)), row.provider, row.price_provider) for row in compatible.HOSTS
)
