"""The page: who gets it, what it shows, and that what strangers wrote does nothing there."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest

pytest.importorskip("starlette")
from starlette.testclient import TestClient

import amplitude_ai
from amplitude_ai.delivery._sender import make_store_client
from amplitude_ai.delivery._store import Store
from amplitude_ai.look._cube import shares
from amplitude_ai.look._filter import Filter
from amplitude_ai.look._reader import Reader
from amplitude_ai.page import _serve
from amplitude_ai.page._guard import Guard
from amplitude_ai.page._overview import overview
from amplitude_ai.page._pages import Pages

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-of-some-length"
HOST = "127.0.0.1:8642"
HOSTILE = (
    "</title></div><script>alert(1)</script><img src=x onerror=alert(2)> \x1b[2J \u202egnp.exe "
    "{{7*7}} \" ' javascript:alert(3)"
)
VIEWS = ("/", "/?range=all", "/sessions", "/search", "/search?errors=1", "/search?text=Hello")


@pytest.fixture(scope="module")
def made(simulator_process, tmp_path_factory):
    """A store that real calls made, one of them by somebody hostile."""
    path = tmp_path_factory.mktemp("store") / "events.db"
    url = f"{simulator_process.url}/v1/chat/completions"
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}

    def ask(client, user, session, text, headers=None, **more):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more}
        with amplitude_ai.context(user_id=user, session_id=session):
            client.post(url, json=body, headers=headers or {})

    with amplitude_ai.instrumented_httpx(library="httpx", amplitude_client=make_store_client(path)) as client:
        ask(client, "alice-1", "alice-talk", "Hello there")
        ask(client, "alice-1", "alice-talk", "Weather?", tools=[tool])
        ask(client, "alice-1", "alice-talk", "Fail [sim:status=500]")
        ask(client, HOSTILE, HOSTILE, HOSTILE, model=HOSTILE, headers={"x-sim": f"reply={quote(HOSTILE)}"})
        ask(client, HOSTILE, HOSTILE, "<b>" * 400_000)
    assert amplitude_ai.flush(10)
    return path


@pytest.fixture
def client(made):
    """A browser that has opened the printed address."""
    with TestClient(Guard(Pages(made).app(), TOKEN, 8642), base_url=f"http://{HOST}") as made_client:
        assert made_client.get(f"/?token={TOKEN}").status_code == 200
        yield made_client


@pytest.fixture
def stranger(made):
    """Somebody without the address."""
    with TestClient(Guard(Pages(made).app(), TOKEN, 8642), base_url=f"http://{HOST}") as made_client:
        yield made_client


class Page(HTMLParser):
    """What a browser makes of a page: elements with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def test_without_the_token_there_is_nothing(stranger):
    """Not a page, not a style sheet, not a number; and no word of the store."""
    for view in (*VIEWS, "/static/style.css", "/version", "/nothing", "/session?id=alice-talk"):
        for tried in (view, view + ("&" if "?" in view else "?") + "token=wrong", view + "?token="):
            answer = stranger.get(tried)
            assert answer.status_code == 403
            assert "alice" not in answer.text
            assert "set-cookie" not in answer.headers
    stranger.cookies.set("amplitude_ai_ui_8642", "wrong")
    assert stranger.get("/").status_code == 403
    for cookie in (b'amplitude_ai_ui_8642=\xe4"', b"=;;\x01", b"amplitude_ai_ui_8642", b"[]=1"):
        assert stranger.get("/", headers=[(b"cookie", cookie)]).status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger):
    """So it is in no history and no screenshot; scripts and other sites do not get it."""
    answer = stranger.get(f"/search?user=alice-1&token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/search?user=alice-1"
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    away = stranger.get(f"//evil.example/?token={TOKEN}", follow_redirects=False)
    assert not away.headers.get("location", "").startswith("//")


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\r\nx: y"]
)
async def test_the_way_on_leads_nowhere_else(path):
    """Whatever the path is made of, as a server unquotes it: a browser stays here, and the header is one line."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": f"token={TOKEN}".encode()}
    await Guard(None, TOKEN, 8642)({**scope, "headers": [(b"host", HOST.encode())]}, None, send)
    assert sent[0]["status"] == 303
    location = dict(sent[0]["headers"])[b"location"].decode()
    assert re.fullmatch(r"/[\w.%:/-]*", location)
    assert urlsplit(urljoin(f"http://{HOST}/", location.replace("\\", "/"))).netloc == HOST


def test_a_key_that_others_may_have_read_works_once(made, monkeypatch):
    """``--open`` gives the browser one of its own: arguments of programs can be read by every user of the machine."""
    guard = Guard(Pages(made).app(), TOKEN, 8642, once="used-once")
    with TestClient(guard, base_url=f"http://{HOST}") as browser, TestClient(guard, base_url=f"http://{HOST}") as other:
        assert browser.get("/?token=used-onc").status_code == 403
        assert browser.get("/?token=used-once").status_code == 200
        assert browser.get("/sessions").status_code == 200
        assert other.get("/?token=used-once").status_code == 403
        assert other.get("/", headers={"cookie": "amplitude_ai_ui_8642=used-once"}).status_code == 403
    opened, told = [], []
    monkeypatch.setattr(_serve.webbrowser, "open", opened.append)
    monkeypatch.setattr(_serve.uvicorn.Server, "run", lambda self, sockets: sockets[0].close())
    _serve.serve(made, 0, True, told.append)
    key, shown = (address.partition("token=")[2] for address in (opened[0], told[0]))
    assert key
    assert shown
    assert key != shown


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8642"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1:8643"}, 421),
        ({"host": "127.0.0.1.evil.example:8642"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "https://127.0.0.1:8642"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "localhost:8642", "origin": "http://localhost:8642", "sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_other_hosts_and_origins_get_nothing(client, headers, status):
    """DNS rebinding and other pages, though they hold the cookie."""
    cookie = {"cookie": f"amplitude_ai_ui_8642={TOKEN}"}
    answer = client.get("/sessions", headers={**headers, **cookie})
    assert answer.status_code == status
    assert ("alice" in answer.text) == (status == 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_it_only_reads(client, method):
    """No method that changes anything."""
    assert client.request(method, "/").status_code == 405


def test_every_answer_has_the_policy(client, stranger):
    """Nothing inline, nothing from elsewhere, no frame; pages, files and refusals alike."""
    for who, address in ((client, "/"), (client, "/static/live.js"), (client, "/nothing"), (stranger, "/")):
        headers = who.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("view", [*VIEWS, f"/session?id={quote(HOSTILE)}", "CALL"])
def test_what_strangers_wrote_stays_text(client, made, view):
    """No element, attribute or address of theirs; control characters and turned directions are spelled out."""
    if view == "CALL":
        with Reader(made) as reader:
            view = "/call?id=" + reader.one("SELECT insert_id FROM llm_message WHERE user_id = ? LIMIT 1", (HOSTILE,))
    answer = client.get(view)
    assert answer.status_code == 200
    page = Page(answer.text)
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"src": "/static/live.js", "defer": None}]
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "style", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            assert attributes.get(name, "/").startswith(("/", "#")), attributes
    assert not set(answer.text) & set("\x1b\x00\u202e")
    assert len(answer.text) < 400_000


def test_the_overview_says_what_sql_says(made):
    """The four groups of key metrics, to the digit, as the specification's tables give them."""
    with Reader(made) as reader:
        data = overview(made, Filter())
        (wanted,) = reader.rows(
            """SELECT count(*) AS calls, count(DISTINCT user_id) AS users, count(DISTINCT session_id) AS sessions,
            sum(success = false) AS errors, sum(total_tokens) AS tokens, sum(cost_usd) AS cost,
            avg(latency_ms) AS latency FROM llm_message"""
        )
        models = reader.rows("SELECT model_name AS model, count(*) AS calls FROM llm_message GROUP BY 1 ORDER BY 1")
        latencies = sorted(row["x"] for row in reader.rows("SELECT latency_ms AS x FROM llm_message"))
    assert shares(latencies, (0.0, 0.5, 1.0)) == [latencies[0], latencies[2], latencies[4]]
    assert data.latency == shares(latencies, (0.5, 0.95))
    assert (data.total["calls"], data.users, data.sessions) == (wanted["calls"], wanted["users"], wanted["sessions"])
    assert (data.total["errors"], data.total["total_tokens"]) == (wanted["errors"], wanted["tokens"])
    assert data.total["cost_usd"] == pytest.approx(wanted["cost"], abs=1e-12)
    assert data.total["avg_latency_ms"] == pytest.approx(wanted["latency"])
    assert sorted(((row["model"], row["calls"]) for row in data.by["model"]), key=str) == sorted(
        ((row["model"], row["calls"]) for row in models), key=str
    )
    assert sum(row["calls"] for row in data.errors) == 1
    assert [row["tool"] for row in data.tools] == ["get_weather"]


def test_the_session_is_a_conversation(client):
    """Who said what, the tool, the failure; and a waterfall of calls."""
    page = Page(client.get("/session?id=alice-talk").text)
    for said in ("Hello there", "Weather?", "Tool get_weather", "Failed", "HTTP 500"):
        assert said in page.text
    assert [attributes.get("class") for tag, attributes in page.elements if tag == "svg"] == [None] * 4 + ["waterfall"]
    assert client.get("/session?id=nobody").status_code == 404
    assert client.get("/call?id=nobody").status_code == 404


def test_filters_are_in_the_address_and_in_the_form(client):
    """A search can be sent to somebody, and be changed."""
    answer = client.get("/search?user=alice-1&errors=1")
    page = Page(answer.text)
    assert sum(tag == "tr" for tag, _ in page.elements) == 2
    assert {"user": "alice-1"}.items() <= {
        attributes.get("name"): attributes.get("value") for tag, attributes in page.elements if tag == "input"
    }.items()
    assert client.get("/search?since=soon").status_code == 400
    assert client.get("/search?before=x.y&page=-1").status_code == 200


def test_pages_of_many(tmp_path):
    """Each call once, in order, whatever the number of pages; times that are the same, too."""
    store = Store(tmp_path / "events.db")
    for number in range(120):
        said = json.dumps({"model_name": "m", "success": True, "session_id": f"s{number}"})
        store.write(
            insert_id=f"id-{number:03}",
            event_type="llm_message",
            time_ms=1_700_000_000_000 + number // 70,
            user_id="ann",
            device_id=None,
            properties=said,
        )
    store.close()
    client = TestClient(Pages(store.path).app())
    seen, address = [], "/search"
    while address:
        page = Page(client.get(address).text)
        seen += [a["href"] for tag, a in page.elements if tag == "a" and a.get("href", "").startswith("/call")]
        address = next((a["href"] for tag, a in page.elements if a.get("rel") == "next"), None)
    assert seen == [f"/call?id=id-{number:03}" for number in reversed(range(120))]
    ids, address = [], "/sessions"
    while address:
        page = Page(client.get(address).text)
        ids += [a["href"] for tag, a in page.elements if tag == "a" and a.get("href", "").startswith("/session?")]
        address = next((a["href"] for tag, a in page.elements if a.get("rel") == "next"), None)
    assert len(ids) == len(set(ids)) == 120


def test_no_store_yet(tmp_path):
    """The page says what to do, and shows what comes."""
    client = TestClient(Pages(tmp_path / "events.db").app())
    assert "install_transport" in client.get("/").text
    assert not (tmp_path / "events.db").exists()
    (tmp_path / "events.db").write_text("nonsense " * 500)
    assert client.get("/").status_code == 503


def test_pages_are_sound_to_a_screen_reader(client):
    """One h1, a main, a language, names for inputs and pictures, heads for columns."""
    for view in (*VIEWS, "/session?id=alice-talk"):
        page = Page(client.get(view).text)
        tags = [tag for tag, _ in page.elements]
        assert tags.count("h1") == tags.count("main") == 1
        assert ("html", {"lang": "en"}) in page.elements
        for tag, attributes in page.elements:
            if tag == "svg" and attributes.get("aria-hidden") != "true":
                assert attributes["role"] == "img"
                assert attributes["aria-label"]
            if tag == "th":
                assert attributes.get("scope") in ("col", "row")


@pytest.fixture
def served(made):
    """The command, in a process of its own: the address it prints."""
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(made), "ui", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.communicate()


def test_the_command_serves_this_machine_only(served, made):
    """By the printed address; on loopback, with no word of what serves it."""
    parts = urlsplit(served)
    assert parts.hostname == "127.0.0.1"
    with httpx.Client(trust_env=False) as browser:
        answer = browser.get(served, follow_redirects=True)
        assert answer.status_code == 200
        assert "alice-1" in answer.text
        assert "token" not in str(answer.url)
        assert "server" not in answer.headers
        version = browser.get(f"http://{parts.netloc}/version").text
        store = Store(made)
        store.write(insert_id="late", event_type="x", time_ms=1, user_id=None, device_id=None, properties="{}")
        store.close()
        assert browser.get(f"http://{parts.netloc}/version").text != version
    connection = HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().status == 403
    connection.close()


def report(made, *words):
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(made), "report", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_report_is_one_file(made, tmp_path):
    """It loads nothing and runs nothing; it holds sums and names, and no prompt."""
    done = report(made, "--html", str(tmp_path / "out.html"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out.html").read_text()
    page = Page(text)
    for tag, attributes in page.elements:
        assert tag not in ("script", "img", "iframe", "link", "form", "object")
        assert not {"src", "href", "action"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text
    assert "Hello there" not in text
    assert "alice-1" in page.text
    assert sum(tag == "svg" and "aria-label" in attributes for tag, attributes in page.elements) == 6


def test_the_report_in_markdown(made):
    """What strangers named stands in code spans, and ends no cell."""
    done = report(made, "--md")
    assert done.returncode == 0, done.stderr
    assert "| `alice-1` | 3 | 1 |" in done.stdout
    for line in done.stdout.splitlines():
        if "script" in line:
            assert line.startswith("| `</title>")
            assert line.count("`") % 2 == 0
    assert not set(done.stdout) & set("\x1b\u202e")
    assert report(made).returncode == 2


def test_a_text_too_long_to_look_for(client):
    """It is refused as what it is, not as a store that is busy."""
    answer = client.get("/search", params={"text": "a" * 3_000})
    assert answer.status_code == 400
    assert "2,000 characters" in answer.text
