"""`Guard`: who may see the page, and what a browser may do with it. ASGI middleware around everything.

The page holds prompts, and every program and every web page on this machine can reach its port. So a request must
name this machine as its host (a foreign name that was made to point here is DNS rebinding), come from the page itself
or from nobody (another origin's script or frame is refused), and hold the token: once in the address, from then on in
a cookie that scripts cannot read. It only ever reads.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Nothing inline, nothing from elsewhere, no frame around it, no form that leads away.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_NAMES = ("127.0.0.1", "localhost")


class Guard:
    """Lets through who holds ``token``, at ``port`` of this machine.

    Args:
        app: what is guarded.
        token: the key to it.
        port: where it listens.
        once: another key, that opens it once: for a place that others can read, as the arguments of a program are.
    """

    def __init__(self, app: App, token: str, port: int, once: str | None = None) -> None:
        self._app = app
        self._token = token.encode()
        self._once = None if once is None else once.encode()
        self._hosts = frozenset(f"{name}:{port}" for name in _NAMES)
        self._cookie = f"amplitude_ai_ui_{port}"  # cookies know no ports: a second page must not log out the first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no WebSockets here
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        refused = self._refused(scope["method"], headers)
        if refused is not None:
            await _answer(send, *refused)
            return
        asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in asked if name == "token"]
        if tokens and (self._is_token(tokens[0]) or self._is_first_use(tokens[0])):
            rest = urlencode([(name, value) for name, value in asked if name != "token"])
            # Quoted: a header has no line breaks, and a path that begins with // or /\ is another host to a browser.
            location = "/" + quote(scope["path"].lstrip("/"), errors="replace") + (f"?{rest}" if rest else "")
            cookie = f"{self._cookie}={self._token.decode()}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, "", (b"location", location.encode()), (b"set-cookie", cookie.encode()))
        elif self._is_token(self._cookie_of(headers)):
            await self._app(scope, receive, _with_headers(send))
        else:
            await _answer(send, 403, "Open the address that `amplitude-ai-wire ui` has printed: it holds the key.\n")

    def _refused(self, method: str, headers: dict[str, list[str]]) -> tuple[int, str] | None:
        hosts = headers.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 421, "This page is for this machine only.\n"
        origins = headers.get("origin", [])
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            return 403, "Another origin gets nothing.\n"
        sites = headers.get("sec-fetch-site", [])
        if any(site not in ("none", "same-origin") for site in sites):
            return 403, "Another site gets nothing.\n"
        if method not in ("GET", "HEAD"):
            return 405, "This page only reads.\n"
        return None

    def _is_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode("utf-8", "surrogateescape"), self._token)

    def _is_first_use(self, value: str) -> bool:
        if self._once is None or not hmac.compare_digest(value.encode("utf-8", "surrogateescape"), self._once):
            return False
        self._once = None
        return True

    def _cookie_of(self, headers: dict[str, list[str]]) -> str:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load("; ".join(headers.get("cookie", [])))
        except CookieError:
            return ""
        return jar[self._cookie].value if self._cookie in jar else ""


async def _answer(send: Send, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    body = text.encode()
    own = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *_HEADERS, *headers]})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            mine = {name for name, _ in _HEADERS}
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in mine]
            message = {**message, "headers": [*kept, *_HEADERS]}
        await send(message)

    return sending
