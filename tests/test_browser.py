"""The page in a real browser: every view, its policy, its keyboard, its accessibility; and a HAR file it writes.

Needs Chromium (Debian's package) and ``make browser``, which installs Playwright and axe-core; skipped without.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

from amplitude_ai.delivery._store import Store  # noqa: E402

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
#: ``AMPLITUDE_AI_SCREENSHOTS=docs`` renews the pictures of the documentation.
PICTURES = os.environ.get("AMPLITUDE_AI_SCREENSHOTS")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The demo's store, and one hostile call."""
    path = tmp_path_factory.mktemp("store") / "demo.db"
    if PICTURES:
        subprocess.run([sys.executable, "-m", "benchmarks.store_world", str(path), "20000"], cwd=ROOT, check=True)
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(path), "demo"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    add(
        path, "hostile", user=HOSTILE, model_name=HOSTILE, output_content=HOSTILE, session_id=HOSTILE, tool_call_count=0
    )
    return path


def add(path, name, user="ann-1", **properties):
    made = Store(path)
    said = json.dumps({"success": True, "model_name": "gpt-4o-mini", "session_id": "late", **properties})
    now = int(time.time() * 1000)
    made.write(insert_id=name, event_type="llm_message", time_ms=now, user_id=user, device_id=None, properties=said)
    made.close()


@pytest.fixture(scope="module")
def address(store):
    """What the command prints."""
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(store), "ui", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield json.loads(process.stdout.readline())["url"]
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def chromium():
    """A browser of the system's."""
    with playwright.sync_playwright() as running:
        # Root in a container has no sandbox; without a proxy, as everything is on loopback.
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--no-proxy-server"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, address):
    """Opens the printed address; whatever the page complains of, and any dialog, fails the test."""
    contexts, complaints = [], []

    def opened(**options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def picture(page, name):
    if PICTURES:
        # Where a store usually is, and not where the test has put it.
        page.evaluate("document.querySelector('.store').textContent = '~/.local/share/amplitude-ai/events.db'")
        page.screenshot(path=str(ROOT / PICTURES / f"look-{name}.png"))


def test_every_view_by_clicking(visit):
    """From the overview to a session, a call and back, by links alone; the token is not in the address."""
    page = visit()
    assert "token" not in page.url
    assert page.locator("h1").inner_text() == "Overview"
    picture(page, "overview")
    page.click("text=24h")
    page.wait_for_url("**range=24h*")  # a click goes on before the page is there
    assert page.locator("[aria-current=true]").inner_text() == "24h"
    page.click("nav >> text=Sessions")
    page.click("text=alice-talk")
    page.wait_for_selector("svg.waterfall rect")
    assert page.locator("svg.waterfall rect").count() >= 5
    assert page.locator("svg.waterfall text.agent").all_text_contents() == ["concierge", "weather"]
    assert page.locator("li.tool").count() == 1
    assert page.locator("li.failed").count() == 1
    picture(page, "session")
    page.click("li.assistant a")
    assert page.locator("dl.facts").inner_text().count("gpt-6-luna") >= 1
    page.click("text=The session it belongs to")
    page.click("nav >> text=Calls")
    page.fill("input[name=user]", "bobby-1")
    page.check("input[name=errors]")
    page.click("button")
    page.wait_for_url("**user=bobby-1*")
    assert page.locator("tbody tr").count() == 1
    page.go_back()
    page.go_forward()
    page.wait_for_url("**user=bobby-1*")
    assert page.input_value("input[name=user]") == "bobby-1"


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}])
def test_accessible_in_light_dark_and_on_a_phone(visit, options):
    """axe-core finds nothing, colours included, and no view is wider than its window."""
    page = visit(**options)
    base = page.url.rstrip("/")
    for view in ("/?range=all", "/sessions", "/search", "/session?id=alice-talk", "/search?user=nobody"):
        page.goto(base + view)
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # A name may break, but not after every third letter; a time stands on one line.
        tall = "Math.max(0, ...[...document.querySelectorAll('tbody th')].map((one) => one.offsetHeight))"
        assert page.evaluate(tall) < 150
        name = "dark" if "color_scheme" in options else "phone" if "viewport" in options else None
        if name and view.startswith("/?"):
            picture(page, name)


def test_hostile_texts_do_nothing(visit):
    """No dialog opens, no element is made of them; the fixture fails for a dialog."""
    page = visit()
    base = page.url.rstrip("/")
    for view in ("/", "/sessions", "/search"):
        page.goto(base + view)
        assert HOSTILE[:20] in page.content().replace("&lt;", "<").replace("&gt;", ">")
        assert page.locator("img").count() == 0
    page.click("text=" + HOSTILE[:30])
    page.wait_for_timeout(100)
    assert page.locator("main img, main script").count() == 0


def test_by_keyboard(visit):
    """The first stop leads to the content, the next to the views; what has the focus shows it."""
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto(page.url.partition("#")[0])  # without it: Chromium goes on from where the address points
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Sessions"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions")


def test_what_comes_is_shown(visit, store):
    """Without a reload, and without taking what somebody is typing."""
    page = visit()
    page.click("nav >> text=Calls")
    page.wait_for_url("**/search")
    page.wait_for_timeout(500)  # the page has asked for its number once
    add(store, "late-1", user="late-user-1")
    page.wait_for_selector("text=late-user-1", timeout=20_000)
    page.focus("input[name=text]")
    page.keyboard.type("half a wo")
    add(store, "late-2", user="late-user-2")
    page.wait_for_timeout(3_000)
    assert page.input_value("input[name=text]") == "half a wo"


def test_another_origin_gets_nothing(chromium, address):
    """A page of another port may hold the browser's cookie: it can neither read this one, nor frame, nor script it."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title>")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = chromium.new_context()
    try:
        context.new_page().goto(address)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        target = address.partition("/?")[0] + "/sessions"
        asks = """async (to) => { const out = [];
            for (const mode of ["cors", "no-cors", "same-origin"]) {
                try { out.push(await (await fetch(to, {mode, credentials: "include"})).text()); }
                catch { out.push(""); }
            }
            const frame = document.createElement("iframe"); frame.src = to; document.body.append(frame);
            await new Promise((done) => { frame.onload = done; setTimeout(done, 2000); });
            try { out.push(frame.contentDocument.body.innerText); } catch { out.push(""); }
            return out; }"""
        assert not any("alice" in each for each in page.evaluate(asks, target))
        frames = [frame for frame in page.frames if frame != page.main_frame]
        assert not any("alice" in frame.content() for frame in frames)
    finally:
        context.close()
        server.shutdown()
        server.server_close()


def test_a_har_file_of_chromium_is_replayed(chromium, simulator, tmp_path):
    """What a browser recorded of calls, plain and streamed, tells what the simulator knows."""
    har = tmp_path / "traffic.har"
    context = chromium.new_context(record_har_path=str(har))
    page = context.new_page()
    page.goto(simulator.url + "/nothing")
    ask = """async (more) => {
        const body = {model: "gpt-4o-mini", messages: [{role: "user", content: "Hello"}], ...more};
        await (await fetch("/v1/chat/completions", {method: "POST", headers: {"content-type": "application/json"},
        body: JSON.stringify(body)})).text(); }"""
    page.evaluate(ask, {})
    page.evaluate(ask, {"stream": True, "stream_options": {"include_usage": True}})
    context.close()
    command = [sys.executable, "-m", "amplitude_ai", "replay", str(har), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    told = [(each.told.input, each.told.output) for each in simulator.requests() if each.told]
    assert [(call["input_tokens"], call["output_tokens"]) for call in said["calls"]] == told
    assert len(told) == 2
    assert said["total"]["cost_usd"] > 0
    assert all(call["latency_ms"] > 0 for call in said["calls"])


def test_the_report_opens_from_a_disk(chromium, store, tmp_path):
    """It asks for nothing, and complains of nothing."""
    target = tmp_path / "out.html"
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(store), "report", "--html", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    context = chromium.new_context()
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(target.as_uri())
    assert asked == [target.as_uri()]
    assert said == []
    assert page.locator("figure").count() == 6
    assert page.evaluate("getComputedStyle(document.querySelector('rect.ok')).fill") != "rgb(0, 0, 0)"
    context.close()
