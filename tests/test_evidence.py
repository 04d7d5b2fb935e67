"""What is no model call is no record: other APIs on the same paths, as they are documented, on hosts nobody knows.

The set is as large as that of true calls (``tests/fixtures``): path × body × client, generated from the shapes below.
"""

import asyncio
import http.server
import itertools
import json
import threading
import urllib.request
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
import yarl

import amplitude_ai
from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, Scope
from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._pricing import price
from amplitude_ai.testing import EventList

from .fixtures._wire import Example
from .fixtures.not_calls import NOT_CALLS
from .test_parsers import EXAMPLES

#: name -> (paths, bodies, an answer).
OTHERS = {
    "discord": (
        ["/api/v10/channels/112/messages", "/api/webhooks/1/abc/messages"],
        [{"content": "hi", "tts": False}, {"content": "hi", "embeds": [{"title": "x"}]}],
        {"id": "334", "type": 0, "content": "hi", "channel_id": "112"},
    ),
    "mailgun": (
        ["/v3/acme.example/messages"],
        [{"from": "a@b.example", "to": ["c@d.example"], "text": "hi"}],
        {"id": "<1>"},
    ),
    "graph": (
        ["/v1.0/me/messages", "/v1.0/chats/19/messages", "/v1.0/teams/1/channels/2/messages"],
        [{"subject": "x", "body": {"content": "hi"}}, {"body": {"content": "hi", "contentType": "text"}}],
        {"id": "m1", "body": {"content": "hi"}},
    ),
    "whatsapp": (
        ["/v20.0/1550/messages", "/v1/messages"],
        [{"messaging_product": "whatsapp", "to": "1", "type": "text", "text": {"body": "hi"}}],
        {"messages": [{"id": "wamid.1"}]},
    ),
    "threads": (
        ["/v1/threads/thread_1/messages", "/v1/conversations/c1/messages", "/v1/threads/thread_1/runs/run_1"],
        [{"role": "user", "content": "hi"}, {"metadata": {"a": "b"}}],
        {"id": "msg_1", "object": "thread.message"},
    ),
    "survey": (
        ["/survey/responses", "/v3/surveys/9/responses", "/forms/x/responses", "/v1/responses"],
        [{"answers": [{"id": 1, "text": "yes"}]}, {"response": "yes", "question": 3}, {"input": "yes", "form": 7}],
        {"id": "r1", "status": "completed"},
    ),
    "responses with a model of cars": (["/v1/responses"], [{"model": "T", "rating": 5}], {"id": 1}),
    "exa": (
        ["/search", "/contents"],
        [{"query": "x", "contents": {"text": True}}, {"ids": ["a"], "contents": {}}],
        {"results": []},
    ),
    "course completions": (
        ["/completions", "/api/v2/courses/4/completions", "/v1/completions"],
        [{"user_id": 3, "course_id": 4}, {"prefix": "def f", "suffix": ""}, {"model": "car", "year": 3}],
        {"id": 1, "completed": True},
    ),
    "editors": (
        ["/v1/complete", "/complete"],
        [{"prefix": "def", "prompt": "x"}, {"text": "x", "offset": 3}],
        {"items": []},
    ),
    "vectors": (
        ["/v1/embeddings", "/api/embeddings"],
        [{"document_id": 4}, {"text": "hi"}, {"vectors": [[1.0]], "model": "x"}],
        {"ok": True},
    ),
    "photos": (
        ["/v1/images/edits", "/images/variations"],
        [{"url": "https://x.example/a.png", "crop": [1, 2]}, {"prompt": "Delete?"}],
        {"id": 4},
    ),
    "calls": (
        ["/v1/audio/transcriptions", "/calls/4/audio/speech"],
        [{"recording": 5}, {"url": "https://x.example/a.wav"}, {"input": "mic"}],
        {"id": 4},
    ),
    "forum": (["/v1/moderations", "/forum/moderations"], [{"post": 5, "action": "hide"}, {"input": "x"}], {"id": 4}),
    "a chat's back end": (
        ["/api/chat", "/v1/chat", "/v2/chat"],
        [
            {"message": "hi", "session": "s"},
            {"messages": [{"id": "1", "parts": [{"type": "text", "text": "hi"}]}]},
            {"id": "c", "messages": [{"role": "user", "content": "hi"}]},
        ],
        {"reply": "hi"},
    ),
    "a chat's back end of another version": (
        ["/v1/chat", "/v2/chat"],
        [{"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}, {"model": "m", "message": "hi"}],
        {"reply": "hi"},
    ),
    "a chat's back end that takes a model": (
        ["/api/chat"],
        [{"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}],
        {"reply": "hi"},
    ),
    "reports": (
        ["/api/generate", "/generate", "/reports/generate"],
        [{"template": 4, "format": "pdf"}, {"prompt": "Sales 2025"}, {"model": "invoice"}, {"inputs": "Sales 2025"}],
        {"url": "https://x.example/r.pdf"},
    ),
    "codes": (
        ["/encode", "/generate"],
        [{"text": "x"}, {"model": "m", "text": ["x"]}],
        {"embedding": [0.5], "text": "y"},
    ),
    "search": (["/v1/rerank", "/rerank"], [{"query": "x", "ids": [4]}, {"items": []}], {"hits": []}),
    "texts that are ranked otherwise": (["/rerank"], [{"query": "x", "texts": ["a"]}], [{"id": 1}]),
    "oembed": (["/embed"], [{"url": "https://x.example"}, {"inputs": "https://x.example"}], {"html": "<p>"}),
    "vectors of one's own": (["/embed", "/embed_all"], [{"text": "x"}, {"inputs": ["x"]}], {"vectors": [[0.5]]}),
    "a model of one's own": (
        ["/predict"],
        [{"features": [1, 2]}, {"inputs": [[1.0, 2.0]]}, {"inputs": "x"}, {"data": "x"}],
        [0.5],
    ),
    "how alike": (["/similarity"], [{"inputs": {"source_sentence": "x"}}, {"a": "x", "b": "y"}], {"similarity": 0.5}),
    "scores": (
        ["/score", "/v1/score"],
        [{"text_1": "x", "text_2": "y"}, {"model": "m", "queries": ["x"], "items": [1]}, {"player": 4}],
        {"object": "list", "data": [{"score": 3}]},
    ),
    "labels of one's own": (["/classify"], [{"input": "x"}, {"model": "m", "input": "x"}], {"data": [{"label": "a"}]}),
    "pools": (["/pooling"], [{"input": "x"}, {"model": "m", "input": ["x"]}], {"object": "list", "data": [{"id": 1}]}),
    "ml": (
        ["/serving-endpoints/e/invocations", "/v1/models/iris:predict", "/model/iris/invoke"],
        [{"dataframe_split": {"columns": ["a"], "data": [[1]]}}, {"instances": [[1.0, 2.0]]}],
        {"predictions": [0]},
    ),
    "feeds": (["/interactions", "/api/v10/interactions"], [{"type": 1, "token": "t"}], {"type": 1}),
    "scans": (["/ocr", "/v1/ocr"], [{"image": "AAAA"}], {"text": "x"}),
}
HOSTS = ["api.acme.example", "localhost:8080", "api-7.internal"]
FALSE = [
    (name, f"https://{host}{path}", body, answer)
    for name, (paths, bodies, answer) in OTHERS.items()
    for path, body, host in itertools.product(paths, bodies, HOSTS)
]
#: On hosts of providers: what is documented there and is no call of a model.
KNOWN = [
    ("POST", "https://api.openai.com/v1/threads/thread_1/messages", {"role": "user", "content": "hi"}),
    ("POST", "https://api.openai.com/v1/messages", {"role": "user", "content": "hi"}),
    ("POST", "https://api.openai.com/v1/threads/thread_1/runs/run_1", {"metadata": {}}),
    ("POST", "https://api.openai.com/v1/threads/thread_1/runs/run_1/cancel", {}),
    ("POST", "https://api.openai.com/v1/evals/e1/runs", {"name": "x"}),
    ("POST", "https://api.openai.com/v1/conversations/c1/items", {"items": []}),
    ("POST", "https://api.openai.com/v1/responses/resp_1/cancel", {}),
    ("POST", "https://api.openai.com/v1/chat/completions/chatcmpl-1", {"metadata": {}}),
    ("POST", "https://api.mistral.ai/v1/conversations/c1/messages", {"messages": []}),
    ("POST", "https://openrouter.ai/api/v1/generation", {}),
    ("POST", "https://api.groq.com/openai/v1/threads/x/messages", {"role": "user", "content": "hi"}),
    ("POST", "https://acme--app.modal.run/messages", {"content": "hi"}),
    ("POST", "https://acme.azure-api.net/crm/v1/messages", {"to": "x", "text": "hi"}),
    (
        "POST",
        "https://dbc-1.cloud.databricks.com/serving-endpoints/iris/invocations",
        {"dataframe_split": {"data": []}},
    ),
    ("POST", "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/iris/invocations", {"instances": [[1.0]]}),
    ("POST", "https://acme.cognitiveservices.azure.com/vision/v3.2/ocr", {"url": "https://x.example/a.png"}),
    ("POST", "https://acme.cognitiveservices.azure.com/language/:analyze-text", {"kind": "SentimentAnalysis"}),
    ("POST", "https://api.cohere.com/v1/tokenize", {"text": "hi"}),
    ("POST", "https://api.anthropic.com/v1/messages/count_tokens", {"model": "c", "messages": []}),
    ("POST", "https://discord.com/api/v10/channels/1/messages", {"content": "hi"}),
    ("POST", "https://graph.microsoft.com/v1.0/me/messages", {"subject": "hi"}),
    ("POST", "https://api.exa.ai/search", {"query": "x", "contents": {"text": True}}),
]


def recorded(url, body, answer, explicit, method="POST"):
    """Whether there is a record of this exchange."""
    found = Example("x", url, body, answer, {}).exchange()
    context = Scope(Binding(explicit=explicit))
    return read(replace(found, method=method, context=context)) is not None


@pytest.mark.parametrize("explicit", [False, True], ids=["global", "by hand"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_apis_on_unknown_hosts(name, explicit):
    """Nothing of them is recorded, not even on a client that was instrumented by hand."""
    rows = [row for row in FALSE if row[0] == name]
    assert not [row for row in rows if recorded(*row[1:], explicit)]


def test_other_apis_on_known_hosts():
    """A provider's host counts for its documented paths alone."""
    assert not [row for row in KNOWN for explicit in (False, True) if recorded(*row[1:], {"id": 1}, explicit, row[0])]


@pytest.mark.parametrize("explicit", [False, True], ids=["global", "by hand"])
@pytest.mark.parametrize(("name", "url", "body", "answer"), NOT_CALLS, ids=[one[0] for one in NOT_CALLS])
def test_other_apis_as_they_are_called(name, url, body, answer, explicit):
    """Requests of other products, on their own hosts, behind a gateway and on the user's machine; refused ones too."""
    parts = urlsplit(url)
    for host in (parts.netloc, "api.acme.example", "localhost:8080"):
        where = urlunsplit(parts._replace(netloc=host))
        assert not recorded(where, body, answer, explicit)
        assert not recorded(where, body, {"error": "no", "message": "no"}, explicit)


COUNTED = [
    ("/v1/messages/count_tokens", {"model": "c", "messages": [{"role": "user", "content": "hi"}]}, {"input_tokens": 9}),
    ("/v1/responses/input_tokens", {"model": "m", "input": "hi"}, {"object": "response.input_tokens"}),
    ("/v1beta/models/g:countTokens", {"contents": [{"parts": [{"text": "hi"}]}]}, {"totalTokens": 9}),
    ("/tokenize", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, {"count": 9}),
]


@pytest.mark.parametrize(("path", "body", "answer"), COUNTED)
@pytest.mark.parametrize("explicit", [False, True], ids=["global", "by hand"])
def test_tokens_that_are_counted_behind_a_gateway(path, body, answer, explicit):
    """The body is a call's, the path is not. No client lets it through; a recording that is replayed has it."""
    assert not recorded(f"https://api.acme.example{path}", body, answer, explicit)


def test_the_set_is_large():
    """As many false calls as true ones."""
    assert len(FALSE) + len(KNOWN) + len(NOT_CALLS) >= len(EXAMPLES)
    assert len(NOT_CALLS) >= 100


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
        ("/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/openai/deployments/d/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/completions", {"model": "m", "prompt": "hi"}),
        ("/v1/responses", {"model": "m", "input": "hi"}),
        ("/v1/responses", {"model": "m", "input": [{"role": "user", "content": "hi"}]}),
        ("/v1/embeddings", {"model": "m", "input": ["hi"]}),
        ("/v1/messages", {"model": "c", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
        ("/api/chat", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
        ("/api/generate", {"model": "m", "prompt": "hi"}),
        ("/v1beta/models/g:generateContent", {"contents": [{"parts": [{"text": "hi"}]}]}),
        ("/model/m/converse", {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}),
        ("/v1/rerank", {"model": "r", "query": "q", "documents": ["a"]}),
        ("/v1/images/generations", {"prompt": "cat", "size": "1024x1024"}),
        ("/v1/threads/t/runs", {"assistant_id": "a"}),
        ("/v2/chat", {"model": "command-a", "messages": [{"role": "user", "content": "hi"}]}),
        ("/cohere/v1/rerank", {"query": "q", "documents": ["a"]}),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_true_calls_to_unknown_hosts(path, body, status):
    """A body that looks like the format is evidence enough, answered well or badly."""
    answer = (
        {"error": {"message": "no"}} if status == 500 else {"model": "m", "message": {}, "response": "", "results": []}
    )
    found = replace(Example("x", f"http://llm.acme.example{path}", body, answer, {}).exchange(), status=status)
    assert read(found) is not None


ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
ACTIONS = ["converse", "invoke", "converse-stream", "invoke-with-response-stream"]
ASK = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}


class _Server(http.server.BaseHTTPRequestHandler):
    """Answers anything as Converse does, and remembers the paths as they came."""

    def do_POST(self):
        """One request."""
        self.rfile.read(int(self.headers["content-length"]))
        self.server.paths.append(self.path)
        body = {
            "output": {"message": {"content": [{"text": "Hi"}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 3},
        }
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        """Nothing is said."""


@pytest.fixture
def server():
    """A server on a real socket."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    made.paths = []
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def by_sync(module):
    """One POST of httpx or httpx2."""
    return lambda url: module.post(url, json=ASK)


def by_async(module):
    """The same, async."""

    async def run(url):
        async with module.AsyncClient() as client:
            await client.post(url, json=ASK)

    return lambda url: asyncio.run(run(url))


def by_aiohttp(url):
    """One of aiohttp, whose URLs are taken as they are."""

    async def run():
        async with aiohttp.ClientSession() as session, session.post(yarl.URL(url, encoded=True), json=ASK) as response:
            await response.read()

    asyncio.run(run())


WAYS = {
    "httpx": by_sync(httpx),
    "httpx2": by_sync(httpx2),
    "async httpx": by_async(httpx),
    "async httpx2": by_async(httpx2),
    "requests": lambda url: requests.post(url, json=ASK, timeout=10),
    "urllib3": lambda url: urllib3.PoolManager().request("POST", url, json=ASK),
    "aiohttp": by_aiohttp,
    "http.client": lambda url: urllib.request.urlopen(urllib.request.Request(url, json.dumps(ASK).encode())).read(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "not escaped"])
def test_bedrock_by_arn(server, way, escaped):
    """The model is the whole ARN under every library, its slash escaped or not; the path stays as it was."""
    spelled = ARN.replace(":", "%3A").replace("/", "%2F") if escaped else ARN
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events)
    try:
        for action in ACTIONS:
            WAYS[way](f"http://127.0.0.1:{server.server_port}/model/{spelled}/{action}")
        assert amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()
    assert [one["requested_model"] for one in events.of_type("llm_message")] == [ARN] * 4
    assert server.paths == [f"/model/{spelled}/{action}" for action in ACTIONS]


@pytest.mark.parametrize(
    ("arn", "priced"),
    [
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", True),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0", True),
        (ARN, False),
    ],
)
def test_bedrock_prices_by_arn(arn, priced):
    """A resource that names a model has that model's price; a profile of one's own, none."""
    url = (
        f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{arn.replace(':', '%3A').replace('/', '%2F')}/converse"
    )
    usage = {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}
    answer = {"output": {"message": {"content": [{"text": "Hi"}]}}, "stopReason": "end_turn", "usage": usage}
    call = read(Example("x", url, ASK, answer, {}).exchange())
    assert (call.model, price(call, None, AIConfig())[0] is not None) == (arn, priced)
