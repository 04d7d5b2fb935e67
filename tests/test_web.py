"""Web frameworks: whose request a model is called for, never crossed, whatever the framework does with threads."""

import asyncio
import base64
import hashlib
import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote
from wsgiref.util import FileWrapper

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amplitude_ai
from amplitude_ai.testing import EventList
from amplitude_ai.web import ASGIMiddleware, WSGIMiddleware, extract, identify, inject, key_user
from amplitude_ai.web._request import read

pytest.importorskip("fastapi")
pytest.importorskip("flask")

ANSWER = {
    "id": "c-1",
    "model": "gpt-4o-mini",
    "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
URL = "https://api.openai.com/v1/chat/completions"
BROWSER_SESSION = 1_767_225_600_000


def cookie_of(said):
    """The cookie of Amplitude's browser SDK."""
    return (
        "theme=dark; AMP_MKTG_a2dbce0e18=x; AMP_a2dbce0e18="
        + base64.b64encode(quote(json.dumps(said)).encode()).decode()
    )


def headers_of(user):
    """What the browser of a user sends."""
    return {
        "Authorization": user,
        "X-Amplitude-Session-Id": f"chat-of-{user}",
        "Cookie": cookie_of({"deviceId": f"device-of-{user}", "sessionId": BROWSER_SESSION}),
    }


def get(url, user):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers_of(user)), timeout=30) as answer:
        return answer.read().decode()


class Model:
    """A model that is called by two clients, sync and async; and whose its calls were."""

    def __init__(self):
        self.seen = EventList()
        options = {"amplitude_client": self.seen}
        handler = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
        self.client = amplitude_ai.instrumented_httpx(transport=handler, **options)
        self.async_client = amplitude_ai.instrumented_async_httpx(transport=handler, **options)

    def ask(self, text):
        self.client.post(URL, json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]})
        return text

    async def ask_async(self, text):
        await self.async_client.post(
            URL, json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
        )
        return text

    def bodies(self):
        amplitude_ai.flush()
        return [event.get_event_body() for event in self.seen.events if event.event_type == "user_message"]

    def check(self, calls):
        """Every call was recorded for the user whose name is in its text, in the session and device of that user."""
        bodies = self.bodies()
        assert len(bodies) == calls
        for body in bodies:
            user = body["event_properties"]["content"].partition(" ")[0]
            assert body["user_id"] == user
            assert body["device_id"] == f"device-of-{user}"
            assert body["session_id"] == BROWSER_SESSION
            assert body["event_properties"]["session_id"] == f"chat-of-{user}"


@pytest.fixture
def model():
    return Model()


def fastapi_app(model):
    """One with each way FastAPI has to run code."""
    from fastapi import BackgroundTasks, Depends, FastAPI, Header
    from fastapi.responses import StreamingResponse

    app = FastAPI()
    app.add_middleware(ASGIMiddleware)

    def in_thread(authorization: str = Header()):
        identify(user_id=authorization)
        return authorization

    async def in_task(authorization: str = Header()):
        identify(user_id=authorization)
        return authorization

    @app.get("/sync")
    def sync(tasks: BackgroundTasks, user: str = Depends(in_thread)):
        tasks.add_task(model.ask, f"{user} later")
        return model.ask(f"{user} now")

    @app.get("/task")
    async def task(user: str = Depends(in_task)):
        await asyncio.gather(model.ask_async(f"{user} one"), asyncio.to_thread(model.ask, f"{user} two"))
        return user

    @app.get("/stream")
    async def stream(user: str = Depends(in_thread)):
        async def parts():
            yield await model.ask_async(f"{user} a")
            await asyncio.sleep(0)
            yield await model.ask_async(f"{user} b")

        return StreamingResponse(parts())

    @app.get("/generator")
    def generator(user: str = Depends(in_thread)):
        return StreamingResponse(model.ask(f"{user} {part}") for part in "ab")

    return app


@pytest.fixture
def served():
    """Serve an ASGI application by a real server: served(app) -> its URL."""
    import uvicorn

    servers = []

    def serve(app):
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            time.sleep(0.005)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield serve
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


def test_users_of_fastapi_are_never_crossed(model, served):
    """Two users at once, by threads, tasks, background tasks and both kinds of streams: each call is its user's."""
    url = served(fastapi_app(model))
    visits = [(path, user) for path in ("sync", "task", "stream", "generator") for user in ("ann-1", "bob-2")] * 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda visit: get(f"{url}/{visit[0]}", visit[1]), visits))
    model.check(2 * len(visits))


def flask_app(model):
    from flask import Flask, Response, request

    app = Flask(__name__)
    app.wsgi_app = WSGIMiddleware(app.wsgi_app, user_id=lambda environ: environ.get("HTTP_AUTHORIZATION"))
    pool = amplitude_ai.propagate_context(ThreadPoolExecutor(4))

    @app.get("/view")
    def view():
        user = request.headers["Authorization"]
        later = pool.submit(model.ask, f"{user} pooled")
        return model.ask(f"{user} now") + later.result()

    @app.get("/stream")
    def stream():
        user = request.headers["Authorization"]
        return Response(model.ask(f"{user} {part}") for part in "ab")

    return app


def test_users_of_flask_are_never_crossed(model):
    """Two users at once, in views, in a pool of the application's and while responses are being sent."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, flask_app(model), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    visits = [(path, user) for path in ("view", "stream") for user in ("ann-1", "bob-2")] * 10
    with ThreadPoolExecutor(8) as visitors:
        list(visitors.map(lambda visit: get(f"http://127.0.0.1:{server.port}/{visit[0]}", visit[1]), visits))
    server.shutdown()
    thread.join(10)
    model.check(2 * len(visits))


def test_django_sync_and_async(tmp_path):
    """Django's handlers, sync and async, streamed too: run in a process of its own, Django has one configuration."""
    import subprocess
    import sys
    from pathlib import Path

    pytest.importorskip("django")
    script = Path(__file__).parent / "web_django.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "18 calls"


def test_nothing_is_left_behind(model):
    """After a request nothing of it is said any more, also when the application failed."""

    def failing(environ, start_response):
        identify(user_id="ann-1")
        raise RuntimeError

    async def failing_async(scope, receive, send):
        identify(user_id="ann-1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        WSGIMiddleware(failing)({}, None)

    async def serve():
        with pytest.raises(RuntimeError):
            await ASGIMiddleware(failing_async)({"type": "http", "headers": []}, None, None)
        await model.ask_async("nobody")  # in the very same task

    asyncio.run(serve())
    model.ask("nobody")
    assert ["user_id" in body for body in model.bodies()] == [False, False]


def test_what_needs_no_context_stays_as_it_is():
    """A list, and a file that the server may send by itself, come back as the very objects the application made."""
    whole, file = [b"x"], FileWrapper(open(__file__, "rb"))  # noqa: SIM115
    assert WSGIMiddleware(lambda environ, start: whole)({}, None) is whole
    assert WSGIMiddleware(lambda environ, start: file)({"wsgi.file_wrapper": FileWrapper}, None) is file
    file.close()


def test_a_stream_is_closed_as_before():
    """The server's ``close()`` reaches the application's generator, in its context, once; and one without is none."""
    closed = []

    def parts():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(amplitude_ai.get_current_session_id())

    environ = {"HTTP_X_AMPLITUDE_SESSION_ID": "s-1"}
    body = WSGIMiddleware(lambda environ, start: parts())(environ, None)
    assert next(iter(body)) == b"a"
    body.close()
    assert closed == ["s-1"]
    body = WSGIMiddleware(lambda environ, start: iter([b"a"]))({}, None)
    assert list(body) == [b"a"]
    body.close()


def test_a_user_is_looked_up_when_a_model_is_called(model):
    """The function that finds the user runs once, and only for requests that call a model."""
    asked = []

    def user(environ):
        asked.append(environ)
        return 42_000

    app = WSGIMiddleware(lambda environ, start: [b""] if "quiet" in environ else [model.ask("a"), model.ask("b")], user)
    app({"quiet": 1}, None)
    assert asked == []
    app({}, None)
    assert len(asked) == 1
    assert {body["user_id"] for body in model.bodies()} == {"42000"}


@pytest.mark.swallows
def test_a_lookup_that_fails_costs_nothing(model):
    """The call is made and recorded, without a user."""
    app = WSGIMiddleware(lambda environ, start: [model.ask("a")], lambda environ: 1 / 0)
    assert app({}, None) == ["a"]
    assert ["user_id" in body for body in model.bodies()] == [False]


@pytest.mark.parametrize("middleware", [ASGIMiddleware, WSGIMiddleware])
def test_a_name_is_no_function(middleware):
    """``user_id="ann"`` for all requests is a mistake that is told at once."""
    with pytest.raises(TypeError, match="user_id must be a function"):
        middleware(None, user_id="ann")


def test_lifespan_and_websockets(model):
    """What starts an application belongs to no request; a websocket is one."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(amplitude_ai.get_current_session_id())

    for kind in ("lifespan", "websocket"):
        scope = {"type": kind, "headers": [(b"X-Amplitude-Session-Id", b"s-1")]}
        asyncio.run(ASGIMiddleware(app)(scope, None, None))
    assert scopes == [None, "s-1"]


# What a request says -------------------------------------------------------------------------------------------------


def test_the_users_name_is_not_believed():
    """A header or a cookie says which session and device, but not which user, unless the sender is trusted."""
    headers = {
        "x-amplitude-user-id": "mallory",
        "baggage": "amplitude.user_id=mallory,amplitude.session_id=s-9",
        "cookie": cookie_of({"deviceId": "d-1", "userId": "mallory", "sessionId": BROWSER_SESSION}),
    }
    found = read(headers.get, False)
    assert (found.user_id, found.session_id, found.device_id) == (None, None, "d-1")
    assert read(headers.get, True).user_id == "mallory"
    assert read(headers.get, True).session_id == "s-9"


def test_a_browsers_session_is_no_conversation():
    """A header with a browser's session (13 digits) joins it; any other text is the session of a conversation."""
    assert read({"x-amplitude-session-id": "1767225600000"}.get, False).amplitude_session_id == 1_767_225_600_000
    found = read({"x-amplitude-session-id": "chat-7"}.get, False)
    assert (found.session_id, found.amplitude_session_id) == ("chat-7", None)


def test_who_opted_out_is_not_joined():
    """A browser whose user opted out of Amplitude gives neither device nor session."""
    found = read({"cookie": cookie_of({"deviceId": "d-1", "sessionId": BROWSER_SESSION, "optOut": True})}.get, False)
    assert (found.device_id, found.amplitude_session_id) == (None, None)


@given(
    st.dictionaries(st.sampled_from(["cookie", "baggage", "x-amplitude-session-id", "x-amplitude-user-id"]), st.text())
)
def test_whatever_is_sent_is_read(headers):
    """No header makes the reading fail, whatever it holds."""
    read(headers.get, True)
    read({name: f"AMP_a2dbce0e18={value}; amplitude.{value}" for name, value in headers.items()}.get, True)


# Over process borders ------------------------------------------------------------------------------------------------


def test_baggage_there_and_back(model):
    """What `inject` says `extract` tells: ids of any script, beside what others keep in the same header."""
    with amplitude_ai.context(
        user_id="ann, 'ö' =1;%x",
        session_id="s 1",
        device_id="device-1",
        amplitude_session_id=5,
        agent="a",
        privacy_mode=True,
    ):
        headers = inject({"Baggage": "team=blue;ttl=1,amplitude.user_id=old"})
    assert headers["Baggage"].startswith("team=blue;ttl=1,amplitude.user_id=ann%2C%20")
    assert headers["Baggage"].isascii()
    with extract({"BAGGAGE": headers["Baggage"]}):
        model.ask("secret")
    (body,) = model.bodies()
    properties = body["event_properties"]
    assert (body["user_id"], body["device_id"], body["session_id"]) == ("ann, 'ö' =1;%x", "device-1", 5)
    assert (properties["session_id"], properties["agent"], properties.get("content")) == ("s 1", "a", None)


def test_nothing_said_nothing_sent():
    """Without a context there is no header, and `extract` of none is no context."""
    assert inject() == {}
    assert inject({"baggage": "team=blue"}) == {"baggage": "team=blue"}
    with extract({}):
        assert amplitude_ai.get_current_session_id() is None


@given(st.text(), st.text())
def test_any_ids_survive(user_id, session_id):
    """Whatever an id holds, it arrives as it was, or (too long for the header) not at all."""
    with amplitude_ai.context(user_id=user_id or None, session_id=session_id or None):
        headers = inject()
    with extract(headers):
        assert amplitude_ai.get_current_session_id() == (session_id or None)


@pytest.mark.parametrize("pool", ["threads", "eager"])
def test_celery(model, pool):
    """A task's calls belong to whoever sent it, so do those of a task that it sends, and of none after it."""
    celery = pytest.importorskip("celery")
    from celery import signals
    from celery.contrib.testing.worker import start_worker

    import amplitude_ai.web.celery as carrier

    app = celery.Celery("test", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.task_always_eager = pool == "eager"
    app.conf.task_allow_join_result = True

    @app.task
    def ask(text):
        return model.ask(text)

    @app.task
    def ask_another(text):
        inner = ask.delay(f"{text} inner")
        model.ask(text)
        return inner.id

    def send(user):
        context = amplitude_ai.context(
            user_id=user,
            session_id=f"chat-of-{user}",
            device_id=f"device-of-{user}",
            amplitude_session_id=BROWSER_SESSION,
        )
        with context:
            inner = ask_another.delay(f"{user} outer").get(timeout=20)
        if pool == "threads":
            app.AsyncResult(inner).get(timeout=20)

    def leave_logging_alone(**_):
        """Else Celery sets up the logging of the whole test process."""

    signals.setup_logging.connect(leave_logging_alone)
    carrier.install()
    carrier.install()
    try:
        if pool == "eager":
            for user in ("ann-1", "bob-2"):
                send(user)
        else:
            worker = start_worker(app, perform_ping_check=False, pool=pool, concurrency=4, shutdown_timeout=20)
            with worker, ThreadPoolExecutor(4) as senders:
                list(senders.map(send, ["ann-1", "bob-2"] * 3))
                for sent in [ask.delay("nobody") for _ in range(8)]:  # on threads that have just worked for somebody
                    sent.get(timeout=20)
    finally:
        carrier.uninstall()
        signals.setup_logging.disconnect(leave_logging_alone)
    amplitude_ai.flush()
    nobodys = [event for event in model.seen.events if event.event_properties.get("content") == "nobody"]
    assert len(nobodys) == (8 if pool == "threads" else 0)
    assert not any(event.user_id for event in nobodys)
    model.seen.events = [event for event in model.seen.events if event not in nobodys]
    model.check(4 if pool == "eager" else 12)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Authorization", "Bearer sk-ann"),
        ("Authorization", "bearer  sk-ann "),
        ("X-Api-Key", "sk-ann"),
        ("Api-Key", "sk-ann"),
        ("X-Goog-Api-Key", "sk-ann"),
        ("X-Litellm-Api-Key", "Bearer sk-ann"),
    ],
)
def test_a_key_is_a_user(header, value):
    """The same one wherever it stands, in ASGI and WSGI; not to be read from its name."""
    asgi = key_user({"type": "http", "headers": [(b"accept", b"*/*"), (header.lower().encode(), value.encode())]})
    wsgi = key_user({"REQUEST_METHOD": "POST", f"HTTP_{header.upper().replace('-', '_')}": value})
    assert asgi == wsgi == f"key-{hashlib.sha256(b'sk-ann').hexdigest()[:32]}"
    assert "ann" not in asgi
    assert asgi != key_user({"headers": [(b"authorization", b"Bearer sk-bob")]})
    assert key_user({"headers": [(b"authorization", b"Bearer ")]}) is None
    assert key_user({"headers": []}) is None


@pytest.mark.parametrize("trusted", [True, False])
def test_groups_of_a_request(trusted):
    """From a header of a service of one's own; `identify` adds to whoever's request."""
    header = {"x-amplitude-groups": '{"company": "acme", "teams": ["a", "b"], "bad": {"x": 1}}'}.get
    found = read(header, trusted)
    assert found.groups == ({"company": "acme", "teams": ["a", "b"]} if trusted else None)
    for broken in ("acme", "[]", "{", "null", "9" * 9000):
        assert read({"x-amplitude-groups": broken}.get, True).groups is None
    with pytest.raises(TypeError, match="groups must be a mapping"):
        identify(groups="acme")
