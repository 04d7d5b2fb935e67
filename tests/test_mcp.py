"""Tools that an application calls on MCP servers over HTTP: one event each, with what really went in and came out."""

import asyncio
import json
import socket
import threading

import httpx
import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

CHAT = "https://api.openai.com/v1/chat/completions"
SERVER = "https://tools.acme.example/mcp"
TURNS = [{"role": "user", "content": "Weather?"}]
ASKED = {
    "model": "gpt-4o",
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": f"call_{city}",
                        "type": "function",
                        "function": {"name": "look", "arguments": f'{{"city":"{city}"}}'},
                    }
                    for city in ("Paris", "Rome")
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
DONE = {**ASKED, "choices": [{"message": {"role": "assistant", "content": "Sunny"}, "finish_reason": "stop"}]}
SUNNY = {"content": [{"type": "text", "text": "sunny"}]}


def ask(city="Rome", ident=1, method="tools/call"):
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": {"name": "look", "arguments": {"city": city}}}


def answer(result, stream=False, ident=1, **more):
    """The server's answer, plain or as a stream with a notification before it."""
    message = {"jsonrpc": "2.0", "id": ident, **({"result": result} if result is not None else {}), **more}
    if not stream:
        return httpx.Response(200, json=message)
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}
    body = "".join(f"event: message\ndata: {json.dumps(one)}\n\n" for one in (progress, message))
    return httpx.Response(200, content=body.encode(), headers={"content-type": "text/event-stream"})


def played(*steps, **told):
    """The tool events of (URL, body, answer), each client its own: the model's and the server's."""
    events = EventList()
    given = iter(steps)
    transport = httpx.MockTransport(lambda request: next(given)[2])
    clients = [
        amplitude_ai.instrumented_httpx(library="httpx", transport=transport, amplitude_client=events, **told)
        for _ in range(2)
    ]
    for url, body, _ in steps:
        clients[url == SERVER].post(url, json=body)
    assert amplitude_ai.flush()
    for client in clients:
        client.close()
    assert amplitude_ai.flush()
    return events


@pytest.mark.parametrize("stream", [False, True])
def test_one_event(stream):
    """The model's call and the server's are one: its id, its arguments, the result and how long it took."""
    chat = (CHAT, {"model": "gpt-4o", "messages": TURNS}, httpx.Response(200, json=ASKED))
    results = [{"role": "tool", "tool_call_id": "call_Rome", "content": "sunny"}]
    later = (CHAT, {"model": "gpt-4o", "messages": [*TURNS, *results]}, httpx.Response(200, json=DONE))
    events = played(chat, (SERVER, ask(), answer(SUNNY, stream)), later)
    tools = {one["tool_call_id"]: one for one in events.of_type("tool_called")}
    assert set(tools) == {"call_Rome", "call_Paris"}
    rome = tools["call_Rome"]
    assert (rome["tool_name"], rome["tool_parameters"], rome["tool_result"]) == ("look", '{"city":"Rome"}', "sunny")
    assert (rome["success"], rome["model_provider"], rome["tool_type"]) == (True, "openai", "mcp")
    assert rome["latency_ms"] > 0
    assert "tool_result" not in tools["call_Paris"]
    assert len(events.of_type("llm_message")) == 2
    assert {one["session_id"] for one in events.of_type("tool_called")} == {
        one["session_id"] for one in events.of_type("llm_message")
    }


def test_without_a_model():
    """A tool nobody's model asked for is an event of its own."""
    events = played((SERVER, ask(), answer({"content": [], "structuredContent": {"degrees": 20}})))
    (tool,) = events.of_type("tool_called")
    assert (tool["tool_name"], tool["tool_result"], tool["success"]) == ("look", '{"degrees":20}', True)
    assert not events.of_type("llm_message")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (answer({"isError": True, "content": [{"type": "text", "text": "No such city"}]}), "No such city"),
        (answer(None, error={"code": -32602, "message": "Unknown tool"}), "Unknown tool"),
        (answer(None, True, error={"code": -32602, "message": "Unknown tool"}), "Unknown tool"),
        (httpx.Response(401, json={"error": "unauthorized"}), "unauthorized"),
    ],
)
def test_errors(reply, message):
    """The tool's own error, the protocol's and the server's."""
    (tool,) = played((SERVER, ask(), reply)).of_type("tool_called")
    assert (tool["success"], tool["error_message"]) == (False, message)


@pytest.mark.parametrize("method", ["initialize", "tools/list", "notifications/initialized", "resources/read", "ping"])
def test_what_is_no_call(method):
    """The rest of the protocol is no tool call; nor is another API at such a path."""
    events = played((SERVER, ask(method=method), answer({"tools": []})), (SERVER, {"query": "x"}, answer({})))
    assert not [*events.of_type("tool_called"), *events.of_type("llm_message")]


def test_other_arguments_are_another_call():
    """The same tool with other arguments was not asked for by the model: two events."""
    chat = (CHAT, {"model": "gpt-4o", "messages": TURNS}, httpx.Response(200, json=ASKED))
    events = played(chat, (SERVER, ask("Oslo"), answer(SUNNY)))
    assert [one.get("tool_call_id") for one in events.of_type("tool_called")].count(None) == 1
    assert len(events.of_type("tool_called")) == 3


def test_private():
    """Neither arguments nor results leave in privacy mode; matching still works."""
    chat = (CHAT, {"model": "gpt-4o", "messages": TURNS}, httpx.Response(200, json=ASKED))
    events = played(chat, (SERVER, ask(), answer(SUNNY)), ai_config=amplitude_ai.AIConfig(privacy_mode=True))
    tools = events.of_type("tool_called")
    assert len(tools) == 2
    assert not [one for one in tools if "tool_parameters" in one or "tool_result" in one]


@pytest.fixture
def server():
    """A server made with the protocol's own SDK, on a real socket."""
    uvicorn, mcpserver = pytest.importorskip("uvicorn"), pytest.importorskip("mcp.server.mcpserver")
    made = mcpserver.MCPServer("weather")

    @made.tool()
    def look(city: str) -> str:
        """The weather."""
        return f"sunny in {city}"

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who comes before the server does is kept waiting, not refused
    running = uvicorn.Server(uvicorn.Config(made.streamable_http_app(), log_level="critical"))
    thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    running.should_exit = True
    thread.join(10)


def test_the_sdk(server):
    """The protocol's own client under the hook: of all it sends the one call is a tool's event."""
    mcp = pytest.importorskip("mcp")
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events)

    async def run():
        async with mcp.Client(server) as client:
            await client.list_tools()
            return await client.call_tool("look", {"city": "Rome"})

    try:
        answered = asyncio.run(run())
        assert amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()
    (tool,) = events.of_type("tool_called")
    assert answered.content[0].text == tool["tool_result"] == "sunny in Rome"
    assert (tool["tool_parameters"], tool["success"], tool["tool_type"]) == ('{"city":"Rome"}', True, "mcp")
    assert not events.of_type("llm_message")
