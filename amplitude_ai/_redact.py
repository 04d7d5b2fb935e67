"""The patterns behind `_privacy`: binary data, personal data and secrets in a text, each replaced by its kind.

Pure functions from text to text. Every pattern is bounded or starts only where its run starts, so that none is
quadratic on hostile input.
"""

from __future__ import annotations

import re

from ._elide import MARK, whole_length
from ._pattern import lazy_pattern

_DATA_URL = lazy_pattern(
    r"data:([\w.+-]{1,64}/[\w.+-]{1,64})?(?:;[\w=.+-]{1,64}){0,4};base64,[A-Za-z0-9+/_=%-]*"
    rf"(?:{MARK}[A-Za-z0-9+/_=%-]*)?"
)
#: A run this long without a space is no prose. The lookbehind keeps the search from restarting inside a run.
_BASE64 = lazy_pattern(rf"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{{200,}}(?:{MARK}[A-Za-z0-9+/_-]*)?={{0,2}}")
#: The same, wrapped into lines as MIME and PEM do.
_WRAPPED = lazy_pattern(r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{60,76}\r?\n){3,}[A-Za-z0-9+/]{0,76}={0,2}")

#: Nothing shorter is found by these two: three lines of 60 characters and their ends, or a run of 200.
_SHORTEST = 183
_EMAIL = lazy_pattern(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
# Each begins with the characters it may begin with, and what must not stand before them comes after that: so `re`
# goes from one to the next in one step, and tries nothing in between. The same for the `\b` in front of the secrets.
_CARD = lazy_pattern(r"\d(?<![\d.-]\d)(?:[ -]?\d){12,18}(?![\d.]*\d)")
_PHONE = lazy_pattern(
    r"[+(\d](?<![\w.+-][+(\d])(?:"
    r"(?<=\+)\d{1,3}[ .()-]{0,2}\d(?:[ .()-]{0,2}\d){6,12}"  # +1 (555) 123-4567
    r"|(?:(?<=\()\d{3}|(?<=\d)\d{2})\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # (555) 123-4567
    r"|(?<=[2-9])\d{2}[2-9]\d{6}"  # 5552345678; a Unix time starts with 1
    r")(?!\w)"
)
_SSN = lazy_pattern(r"\d(?<![\w-]\d)\d{2}-\d{2}-\d{4}(?![\w-])")
_SECRETS = lazy_pattern(
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,8192}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?"
    r"|\b(?:"
    r"(?i:bearer)\s{1,4}(?:[\w.~+/-]*\[secret\][\w.~+/-]*|[\w.~+/-]{8,})=*"  # of a JWT its mark
    r"|sk-[\w-]{12,}"  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}"  # Google
    r"|(?:gsk|hf|xai|pplx|r8|csk|fw|nvapi)[_-][A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{20,}"
    r"|xox[abeprs]-[\w-]{10,}"  # Slack
    r"|[rsp]k_(?:live|test)_\w{10,}"  # Stripe
    r")"
)
# A JWT is ``eyJ``, and what belongs to it, up to a point, and two parts more. Tried at each ``eyJ`` of a run that no
# point follows, a long one would be gone through as often: so runs that a second part follows are found first.
_JWT_RUN = lazy_pattern(r"(?<![\w-])(?=[\w-]*eyJ)[\w-]{11,}(?=\.[\w-]{8,}\.)")
_JWT_HEAD = lazy_pattern(r"\beyJ[\w-]{8,}")
_JWT_REST = lazy_pattern(r"\.[\w-]{8,}\.[\w-]*")


def remove_blobs(text: str) -> str:
    """``text`` with base64 data and data URLs replaced by a short description."""
    if len(text) < 20:
        return text
    if "base64," in text:
        text = _DATA_URL.sub(lambda found: _described(found[1], found[0].rpartition(",")[2]), text)
    if len(text) < _SHORTEST or _is_spaced(text):
        return text
    text = _WRAPPED.sub(_blob, text)
    return _BASE64.sub(_blob, text)


def _is_spaced(text: str) -> bool:
    """Whether no lines or run of base64 can be in it: there are spaces all over. A pattern takes ten times as long."""
    at, last = 0, len(text) - _SHORTEST
    while at <= last:
        space = text.rfind(" ", at, at + _SHORTEST)
        if space < 0:
            return False
        at = space + 1
    return True


def redact_secrets(text: str) -> str:
    """``text`` without API keys, bearer tokens, JWTs and private keys."""
    if "eyJ" in text:
        text = _without_jwts(text)
    return _SECRETS.sub("[secret]", text)


def _without_jwts(text: str) -> str:
    kept, done = [], 0
    for run in _JWT_RUN.finditer(text):
        head = _JWT_HEAD.search(text, run.start(), run.end()) if run.start() >= done else None
        rest = head and _JWT_REST.match(text, run.end())
        if head and rest:
            kept += [text[done : head.start()], "[secret]"]
            done = rest.end()
    return "".join((*kept, text[done:]))


def redact_pii(text: str) -> str:
    """``text`` without secrets, e-mail addresses, card, phone and social security numbers."""
    text = redact_secrets(text)
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    text = _CARD.sub(lambda found: "[card]" if _luhn(found[0]) else found[0], text)
    text = _SSN.sub("[ssn]", text)
    return _PHONE.sub("[phone]", text)


def _blob(found: re.Match[str]) -> str:
    run = found[0]
    sample = run[:4096]
    # Random bytes in base64 hold every class of character; a long word, a path or a row of x does not.
    mixed = any(map(str.isupper, sample)) and any(map(str.islower, sample)) and any(map(str.isdigit, sample))
    return _described(None, run) if mixed and len(set(sample)) >= 24 else run


def _described(media_type: str | None, data: str) -> str:
    size = whole_length(data) * 3 // 4
    human = f"{size} B" if size < 1024 else f"{size // 1024} KB"
    return f"[{media_type or 'base64'} {human}]"


def _luhn(text: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed([int(char) for char in text if char.isdigit()])):
        doubled = digit * 2 if index % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
