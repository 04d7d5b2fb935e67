"""(method, host, path) -> `Route`, by table. Two tables: the path names the wire format, the host names the provider.

Paths are as they crossed the wire, percent-encoded: in ``/model/arn%3Aaws…%2Fx/converse`` one slash is the model's.
A host nobody knows (a ``base_url`` on localhost, a company's gateway) is routed by the path's shape and credited to
the provider whose shape it is, and then the body must look like it (`Route.guessed`). Asked on the caller's thread for
every request: one dictionary look-up when the path was seen before, else those patterns that share a word with it
(`_words`).
"""

from __future__ import annotations

import functools
import re
from urllib.parse import unquote

from msgspec import Struct

from .._pattern import lazy_pattern
from . import _formats, compatible
from ._paths import BATCH_RESULTS, COMPATIBLE, PATHS, SPOKEN, TENANTS, HostRow, PathRow
from ._words import Index


class Route(Struct, frozen=True):
    """Where an exchange goes. ``price_provider`` is genai-prices' id; ``None`` when only the model name can tell.

    ``guessed``: the path alone says so, and the bodies must look like the format.
    """

    provider: str
    format: str
    price_provider: str | None = None
    guessed: bool = False


_TABLE = (*_formats.PATHS, *PATHS)
_PATH_ROWS = Index(((row.pattern, row) for row in _TABLE), "/:")
_TENANTS = Index(
    ((pattern, pattern) for pattern in (*TENANTS, *(row.pattern for row in _formats.HOSTS if row.runs_anything))), "."
)

#: Hosts with wire formats of their own whose paths are in the shared table; compatible hosts: `compatible`.
_HOSTS: tuple[HostRow, ...] = (
    HostRow(r"api\.anthropic\.com", "anthropic", "anthropic"),
    HostRow(r"claude\.googleapis\.com", "vertex", "google"),
    HostRow(r".*\.services\.ai\.azure\.com", "azure", "azure"),
    HostRow(r"generativelanguage\.(?:mtls\.)?googleapis\.com", "google", "google"),
    HostRow(r"(?:[a-z0-9-]+-)?aiplatform(?:\.[a-z]+\.rep)?(?:\.mtls)?\.googleapis\.com", "vertex", "google"),
    HostRow(r"bedrock-runtime(?:-fips)?\..*amazonaws\.com(?:\.cn)?", "bedrock", "aws"),
    HostRow(r"bedrock-mantle\..*\.api\.aws", "bedrock", "aws"),
    HostRow(r"aws-external-anthropic\..*\.api\.aws", "anthropic", "anthropic"),
    HostRow(r"api\.cohere\.(?:com|ai)", "cohere", "cohere"),
    HostRow(r".*\.inference\.huggingface\.co|api-inference\.huggingface\.co", "huggingface"),
    HostRow(r"api\.voyageai\.com|ai\.mongodb\.com", "voyage", "voyageai"),
    HostRow(r".*\.api\.baseten\.co", "baseten"),
    HostRow(r"api\.runpod\.ai", "runpod"),
    *_formats.HOSTS,
)
_HOST_ROWS = Index(((row.pattern, row) for row in _HOSTS), ".")

#: (host, path, route) of parsers that were registered, the latest first.
registered: list[tuple[re.Pattern[str], re.Pattern[str], Route]] = []

_paths: dict[str, bool] = {}
_watched: dict[tuple[str, str, str, bool], bool] = {}
_cache: dict[tuple[str, str, str, bool], Route | None] = {}
_hosts: dict[str, tuple[str, str | None] | None] = {}
_CACHE_LIMIT = 1024
#: Stored responses, runs, deferred answers and batch results are read back with GET.
_METHODS = frozenset({"POST", "GET"})


#: The longest path and host that are looked at. A model's path has some 300 characters; a host's name, 253 at most. A
#: longer one is no model call: the patterns are run on the caller's thread, and the tables hold what they were asked.
MAX_PATH = 1024
MAX_HOST = 255
_MAX_METHOD = 16


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
    known = host_provider(host)
    row = _row(method, known[0] if known else "local" if _local(host) else None, _readable(path))
    if row is None:
        return None
    if known is None:
        return Route(row.owner, row.format, guessed=row.format != BATCH_RESULTS)
    provider, price_provider = known
    return Route(provider, row.format, price_provider, "all" in row.only or _is_tenant(host))


def _is_tenant(host: str) -> bool:
    return any(_compiled(pattern).fullmatch(host) for pattern in _TENANTS.candidates(host))


def _row(method: str, provider: str | None, path: str) -> PathRow | None:
    """The first row that holds on the hosts of ``provider`` (``local``; ``None``: nobody knows the host)."""
    is_known = provider is not None and provider != "local"
    spoken = SPOKEN.get(provider or "", COMPATIBLE) if is_known else ("",)
    for row in _PATH_ROWS.candidates(path):
        if method not in row.methods or not _holds(row, provider, spoken) or not _compiled(row.pattern).fullmatch(path):
            continue
        # Anthropic's SDK and everybody's copies of its door say /v1/messages; the rest are mails and chats.
        if is_known and row.format == "anthropic.messages" and not path.endswith(("/v1/messages", "awPredict")):
            continue
        return row
    return None


def _holds(row: PathRow, provider: str | None, spoken: tuple[str, ...]) -> bool:
    """Whether a row counts on the hosts of a provider; before its pattern is tried, which takes longer."""
    if not row.only:
        return row.format.startswith(spoken) and (row.format != "openai.runs" or provider in _ASSISTANTS)
    return "all" in row.only or provider in row.only or ("known" in row.only and provider is not None)


#: Who has assistants, passes them on, or may have them: a host nobody knows.
_ASSISTANTS = ("openai", "azure", "helicone", "portkey", "cloudflare_gateway", "local", None)


def _readable(path: str) -> str:
    """The path without slashes at its end, escapes resolved but for the slash: a client may escape ``:`` or not."""
    path = path.rstrip("/")
    return unquote(path.replace("%2F", "%252F").replace("%2f", "%252F")) if "%" in path else path


def forget() -> None:
    """Forget what was routed so far: the tables have changed."""
    _cache.clear()
    _paths.clear()
    _watched.clear()


def host_provider(host: str) -> tuple[str, str | None] | None:
    """(provider, genai-prices id) of a host, or ``None`` for a host nobody knows."""
    if len(host) > MAX_HOST:
        return None
    try:
        return _hosts[host]
    except KeyError:
        pass
    found = _provider(host)
    if len(_hosts) >= _CACHE_LIMIT:
        _hosts.clear()
    _hosts[host] = found
    return found


def _provider(host: str) -> tuple[str, str | None] | None:
    for row in _HOST_ROWS.candidates(host):
        if _compiled(row.pattern).fullmatch(host):
            return row.provider, row.price_provider
    place = _PLACES.get(host, len(compatible.HOSTS))
    for at in _WILD.candidates(host):
        if at < place and _compiled(_WILDCARDS[at]).fullmatch(host):
            place = at
            break
    if place == len(compatible.HOSTS):
        return None
    return compatible.HOSTS[place].provider, compatible.HOSTS[place].price_provider


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the tables, of which a process needs few."""
    return re.compile(pattern)


def _local(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "::1", "0.0.0.0"} or host.endswith(".local")


def is_any(path: str) -> bool:
    """Whether a request to this path (without the query) may be a model call, whatever host it goes to: a quick no."""
    found = _paths.get(path)
    if found is None:
        if len(path) > MAX_PATH:
            return False
        # Most applications ask most of all for paths that are all different, and share no word with any row.
        # (One row's pattern has no word: that of the path that is nothing but a slash.)
        if not _PATH_ROWS.shares_word(path) and "%" not in path and not registered and path.strip("/"):
            return False
        found = "%" in path or bool(registered) or _is_path(path.rstrip("/"))
        if len(_paths) >= _CACHE_LIMIT:
            _paths.clear()
        _paths[path] = found
    return found


def _is_path(path: str) -> bool:
    return any(_compiled(row.pattern).fullmatch(path) for row in _PATH_ROWS.candidates(path))


#: Formats whose streams tell their usage only when the request has ``stream_options``; and hosts of these formats that
#: tell it unasked, and may refuse a field they do not know.
_ASKED = ("openai.chat", "openai.completions")
_UNASKED = frozenset({"watsonx", *(row.provider for row in compatible.HOSTS if row.quirks.usage_unasked)})


def takes_usage_option(method: str, host: str, path: str) -> bool:
    """Whether a stream there tells its usage when it is asked for it, and only then."""
    found = route(method, host, path)
    return found is not None and found.format in _ASKED and found.provider not in _UNASKED


def watches(method: str, host: str, path: str, explicit: bool) -> bool:
    """Whether a request is watched at all. On a client instrumented by hand any POST may be a model call."""
    key = (method, host, path, explicit)
    found = _watched.get(key)
    if found is None:
        found = route(method, host, path) is not None or (explicit and method == "POST" and not known_other(host, path))
        if len(path) <= MAX_PATH and len(host) <= MAX_HOST and len(method) <= _MAX_METHOD:
            if len(_watched) >= _CACHE_LIMIT:
                _watched.clear()
            _watched[key] = found
    return found


#: Searched for, not matched from the start, and each alternative begins with its own characters: linear.
_OTHER = lazy_pattern(
    r"(?:count[-_]?tokens|:counttokens|input_tokens|tokenize|detokenize|/files|/models|/batches|/conversations"
    r"|/vector_stores|/fine_tuning|/uploads|/assistants|/threads|/count-tokens|/token)(?:/|$)|/oauth",
)


def known_other(host: str, path: str) -> bool:
    """Whether a path that has no route is known to mean something else, or the host has routes for all it does."""
    return len(path) > MAX_PATH or _OTHER.search(path.lower()) is not None or host_provider(host) is not None


#: Where compatible hosts stand in their table, whose order counts: those that are named, and those with wildcards.
_PLACES = {row.pattern: at for at, row in reversed(tuple(enumerate(compatible.HOSTS))) if "*" not in row.pattern}
_WILDCARDS = {
    at: re.escape(row.pattern).replace(r"\*", ".*") for at, row in enumerate(compatible.HOSTS) if "*" in row.pattern
}
_WILD = Index(((pattern, at) for at, pattern in _WILDCARDS.items()), ".")
