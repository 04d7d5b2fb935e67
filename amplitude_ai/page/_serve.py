"""Serving the page on loopback, until interrupted."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from ._guard import Guard
from ._pages import Pages

#: Asked for first, so that the address stays the same; any other when it is taken.
PORT = 8642


def serve(path: Path, port: int | None, open_browser: bool, tell: Callable[[str], None]) -> None:
    """Serve the store at ``path`` on 127.0.0.1.

    Args:
        port: the port; ``None`` for the usual one, or another when that is taken.
        open_browser: open the page, too.
        tell: given the address, which holds the token.

    Raises:
        OSError: the port is taken.
    """
    listening = _listen(port)
    number = listening.getsockname()[1]
    token, once = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    # Its log would hold the token, and what was looked for.
    config = uvicorn.Config(
        Guard(Pages(path).app(), token, number, once),
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    address = f"http://127.0.0.1:{number}/?token={token}"
    tell(address)
    if open_browser:
        # A browser is a program with arguments, which every user of the machine can read: this key works once.
        webbrowser.open(f"http://127.0.0.1:{number}/?token={once}")
    uvicorn.Server(config).run(sockets=[listening])


def _listen(port: int | None) -> socket.socket:
    for wanted in (PORT, 0) if port is None else (port,):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(("127.0.0.1", wanted))
            made.listen(128)
        except OSError:
            made.close()
            if port is not None or wanted == 0:
                raise
        else:
            return made
    raise AssertionError("unreachable")
