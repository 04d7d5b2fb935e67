"""``python -m tests.simulator [--port N]``: listen on loopback, print the URL, serve until stopped."""

from __future__ import annotations

import argparse
import sys
import threading

from .server import Server


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="Simulate the model providers.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (the default) takes a free one")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    with Server(options.port) as server:
        if options.with_parent:
            threading.Thread(target=_follow_parent, args=(server,), daemon=True).start()
        print(server.url, flush=True)
        try:
            server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)


def _follow_parent(server: Server) -> None:
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
