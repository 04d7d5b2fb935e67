"""A model server for crowds, in a process of its own: asyncio, nothing else. It streams the caller's words back.

``python -m tests.stress.models`` prints its port. Each answer holds the id of its call in every chunk, and tells as
many tokens as the id's number says, so a record that belongs to another call cannot pass.
"""

from __future__ import annotations

import asyncio
import json
import sys

CHUNKS = 20


def pieces(name: str, stream: bool) -> list[bytes]:
    """The answer to the call ``name`` (``call-17``), as it goes over the wire."""
    usage = {"prompt_tokens": int(name.rpartition("-")[2]), "completion_tokens": CHUNKS}
    usage["total_tokens"] = sum(usage.values())
    if not stream:
        message = {"role": "assistant", "content": f"{name} " * CHUNKS}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return [json.dumps({"id": name, "model": "gpt-4o-mini", "choices": choices, "usage": usage}).encode()]
    chunk = {"id": name, "object": "chat.completion.chunk", "model": "gpt-4o-mini"}
    deltas = [{**chunk, "choices": [{"index": 0, "delta": {"content": f"{name} "}}]} for _ in range(CHUNKS)]
    last = [{**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    events = [*deltas, *last, {**chunk, "choices": [], "usage": usage}]
    return [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = json.loads(await reader.readexactly(int(lengths[0].partition(b":")[2])))
            name = body["messages"][-1]["content"]
            stream = bool(body.get("stream"))
            kind = b"text/event-stream" if stream else b"application/json"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces(name, stream):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
                if stream:
                    await asyncio.sleep(0.005)
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=2048, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
