"""Answers without a network, for httpx and httpx2 alike: no network hides microseconds."""

import asyncio
import json

TEXT = "Fine. " * 40
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
}
CHUNKS = 200
_HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}


def _sse(data, name=None):
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def _openai_stream():
    for _ in range(CHUNKS):
        yield _sse({**_HEAD, "choices": [{"index": 0, "delta": {"content": "word "}}]})
    yield _sse({**_HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _sse({**_HEAD, "choices": [], "usage": ANSWER["usage"]})
    yield b"data: [DONE]\n\n"


def _anthropic_stream():
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 14, "output_tokens": 1},
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 200}}
    yield _sse({"type": "message_start", "message": message}, "message_start")
    yield _sse(block, "content_block_start")
    for _ in range(CHUNKS):
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
        yield _sse(delta, "content_block_delta")
    yield _sse({"type": "content_block_stop", "index": 0}, "content_block_stop")
    yield _sse(end, "message_delta")
    yield _sse({"type": "message_stop"}, "message_stop")


OPENAI_STREAM = tuple(_openai_stream())
ANTHROPIC_STREAM = tuple(_anthropic_stream())
PLAIN = json.dumps(ANSWER).encode()


def transports(library):
    """(one that answers, one that also passes the answer through a stream of its own: the floor of watching)."""

    class Pieces(library.SyncByteStream, library.AsyncByteStream):
        def __init__(self, pieces):
            self.pieces = pieces

        def __iter__(self):
            yield from self.pieces

        async def __aiter__(self):
            for piece in self.pieces:
                yield piece

    class Through(library.SyncByteStream, library.AsyncByteStream):
        def __init__(self, stream):
            self.stream = stream

        def __iter__(self):
            yield from self.stream

        async def __aiter__(self):
            async for piece in self.stream:
                yield piece

        def close(self):
            self.stream.close()

        async def aclose(self):
            await self.stream.aclose()

    class Memory(library.BaseTransport, library.AsyncBaseTransport):
        def handle_request(self, request):
            body = request.content
            if b'"stream":true' in body[-200:] or b'"stream":true' in body[:200]:
                pieces = ANTHROPIC_STREAM if request.url.path.endswith("/messages") else OPENAI_STREAM
                return library.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(pieces))
            return library.Response(200, headers={"content-type": "application/json"}, stream=Pieces((PLAIN,)))

        async def handle_async_request(self, request):
            await asyncio.sleep(0.001)
            return self.handle_request(request)

    class PassThrough(Memory):
        def handle_request(self, request):
            response = Memory.handle_request(self, request)
            response.stream = Through(response.stream)
            return response

    return Memory(), PassThrough()
