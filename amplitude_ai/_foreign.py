"""Text of others made fit to leave: URLs, exception messages, providers' error bodies and the names they choose.

Turned round where that can be done: of a URL's query an allow-list stays. Free text loses whatever looks like a
credential: what stands behind a telling name, what a library quotes as bytes, known keys, and long runs of letters and
digits that are no word. Pure; linear; knows no other room but the patterns of
known keys (`_redact`, `_pattern`).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from ._pattern import lazy_pattern
from ._redact import redact_secrets

#: Characters of a foreign text that are looked at, and of a name (a model's, an id, an error's type) that are kept.
MAX_TEXT, MAX_NAME = 16_000, 256
#: Query parameters that say what was called, and nothing else.
_QUERY_NAMES = frozenset(
    {"alt", "api-version", "api_version", "beta", "model", "model_id", "stream", "version"} | {"%24alt"}
)
_QUERY_VALUE = lazy_pattern(r"(?:[\w.:@/-]|%3B|%3D){1,128}")
_SECRET = "[secret]"

_USERINFO = lazy_pattern(r"(://)[^/@\s'\"<>]{1,512}@")
#: A password may hold what has a meaning in a URL; a port does not.
_PASSWORD = lazy_pattern(r"(://)[^/@:\s'\"<>]{0,128}:(?!\d{1,5}/)[^@\s'\"<>]{1,512}@")
#: ``?name=value`` and ``&name=value``, wherever they stand; of a URL in a message only its path is often there.
_PARAMETER = lazy_pattern(r"([?&;])([\w.~%-]{1,64})=([^&;\s'\"<>()]{0,4096})")
#: Bytes that a library quotes: httpx's and h11's ``Illegal header value b'...'``.
_BYTES = lazy_pattern(r"\bb(?:'(?:[^'\\]|\\.){0,8192}'?|\"(?:[^\"\\]|\\.){0,8192}\"?)", re.DOTALL)
#: A telling name, what joins it to its value, and the value, up to where one ends.
_TELLING = (
    r"(?i)\b((?:[\w-]{0,64}[_-])?(?:api[ _-]?key|access[ _-]?key(?:[ _-]?id)?|secret[ _-]?key|subscription[ _-]?key"
    r"|functions[ _-]?key|password|passwd|pwd|secret|token|signature|credentials?|authorization|cookie|auth|sig|key))"
)
_ASSIGNED = lazy_pattern(
    _TELLING + r"([\"']{0,2}\s{0,3}(?:=|:)\s{0,3})(?:(?:bearer|basic|token)\s{1,3})?"
    r"(\"(?:[^\"\\]|\\.){1,4096}\"?|'(?:[^'\\]|\\.){1,4096}'?|[^\s,;&'\"<>(){}\[\]]{4,4096})"
)
#: What is said in prose: "Incorrect API key provided: …", "invalid x-api-key …", "Basic …".
_SPOKEN = lazy_pattern(
    r"(?i)\b((?:api|access|secret|subscription)[ _-]?key|password|basic|bearer"
    r"|(?:key|token|secret|credentials?)\s{1,3}(?:is|was|provided|given|supplied|received|used|value))"
    r"((?:\s{1,3}(?:is|was|provided|given|supplied|received|used|value)){0,2}\s{0,3}[:=]?\s{1,3}[\"'`]?)"
    r"([^\s,;&'\"`<>(){}\[\]]{8,512})"
)
#: A run that is no word: hexadecimal, or letters and digits mixed.
_RUN = lazy_pattern(r"(?<![A-Za-z0-9_+-])(?=[A-Za-z0-9_+-]*\d)(?=[\d_+-]*[A-Za-z])[A-Za-z0-9_+-]{24,}={0,2}")
_UUID = lazy_pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME = lazy_pattern(r"[\w.:@/+-]{1,256}")
#: Segments of a path longer than this are looked at: the longest word in any documented path has some 20 letters.
_SEGMENT = 12


def clean_url(url: str) -> str:
    """The URL without user info, without fragment, and of its query only what says which API was called."""
    if "?" not in url and "@" not in url and "#" not in url:
        return url
    parts = urlsplit(url)
    kept = []
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if _says_api(name, value):
            kept.append(pair)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "&".join(kept), ""))


def clean_text(text: str) -> str:
    """A text that came from an exception or a provider, without what may be a credential."""
    text = text[:MAX_TEXT]
    text = _BYTES.sub("[bytes]", text)
    text = _USERINFO.sub(r"\1", text)
    text = _PASSWORD.sub(r"\1", text)
    text = _PARAMETER.sub(_parameter, text)
    text = _SPOKEN.sub(_spoken, text)
    text = _ASSIGNED.sub(_assigned, text)
    text = redact_secrets(text)
    return _RUN.sub(_run, text)


def clean_name(text: str, *, private: bool = False) -> str | None:
    """A name that a provider chose: a model's, an id, an error's type or code, a reason.

    Args:
        text: the name.
        private: nothing that could be prose is kept (``privacy_mode``): what holds a space is no name.
    """
    text = redact_secrets(text[:MAX_NAME])
    if private and _NAME.fullmatch(text) is None:
        return None
    return text


def clean_path(path: str) -> str:
    """A path without segments that are tokens; the ids of answers go too, and the path still says what was called."""
    if len(path) <= _SEGMENT:
        return path
    return "/".join([_SECRET if _is_token(part) else part for part in path[:1024].split("/")])


def _is_token(segment: str) -> bool:
    if len(segment) < _SEGMENT:
        return False
    if redact_secrets(segment) != segment or _UUID.search(segment):
        return True
    # A model's name is made of words and short numbers: its longest run of letters and digits without a break is short.
    return any(len(run) >= 20 and _is_run(run) for run in re.split(r"[^A-Za-z0-9]+", segment))


def _says_api(name: str, value: str) -> bool:
    """Whether a parameter says which API was called, and nothing else. ``$alt=json;...`` is Google's transport's."""
    if name.lower() not in _QUERY_NAMES or not _QUERY_VALUE.fullmatch(value):
        return False
    return not _is_run(value.replace("%3B", ";").replace("%3D", "="))


def _is_run(text: str) -> bool:
    return len(text) >= 20 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _parameter(found: re.Match[str]) -> str:
    before, name, value = found.groups()
    if _says_api(name, value):
        return found[0]
    return f"{before}{name}=..."


def _assigned(found: re.Match[str]) -> str:
    name, joint, value = found.groups()
    plain = value.strip("\"'")
    # "key: must be a string" and "Token: expired" are prose: a credential has a digit, or is long.
    if plain.startswith("...") or (len(plain) < 20 and not any(map(str.isdigit, plain)) and "=" not in joint):
        return found[0]
    return f"{name}{joint}{_SECRET}"


def _spoken(found: re.Match[str]) -> str:
    name, joint, value = found.groups()
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return found[0]  # a word, or a number
    return f"{name}{joint}{_SECRET}"


def _run(found: re.Match[str]) -> str:
    run = found[0]
    plain = run.rstrip("=")
    longest = max(re.split(r"[_+-]", plain), key=len)
    if len(longest) >= 24 and _is_run(longest):
        return _SECRET
    mixed = any(map(str.isupper, plain)) and any(map(str.islower, plain))
    return _SECRET if len(plain) >= 40 and mixed else run
