"""``make newcomer``: the ten minutes of docs/start.md, walked by somebody who has only that page, and timed.

A clean environment gets the wheel of this tree and what the page says to install; then every block of the page is
done, in order, against the simulator under a fake key. Phoenix gets an environment of its own, as the page says
(``PHOENIX=DIRECTORY`` names one that is there), and what its API answers is compared with our store. Prints the page's
table; ``--write`` puts it there. Ends with an error at the first step that does not do what the page says.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import queue
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import venv
from contextlib import contextmanager
from pathlib import Path

from tests.simulator import Simulator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/start.md"
_direct = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
)


class Newcomer:
    """Somebody with an environment, a directory, and the page."""

    def __init__(self, place: Path, wheel: Path, simulator: Simulator) -> None:
        self.place, self.wheel = place, wheel
        self.python = place / "venv" / "bin" / "python"
        self.seconds: dict[str, float] = {}
        kept = {name: os.environ[name] for name in os.environ if not re.match("AMPLITUDE|OTEL|PYTHON|PHOENIX", name)}
        self.env = {
            **kept,
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "HOME": str(place),
            "XDG_DATA_HOME": str(place / "data"),
            "NO_PROXY": "127.0.0.1,localhost",
            "OPENAI_API_KEY": "fake",
            "OPENAI_BASE_URL": f"{simulator.url}/v1",
        }
        self.store = place / "data" / "amplitude-ai" / "events.db"
        text = PAGE.read_text()
        self.files = dict(re.findall(r'```python title="([\w.]+)"\n(.*?)```', text, re.DOTALL))

    @contextmanager
    def step(self, title: str):
        """Time one section of the page."""
        assert f"\n## {title}\n" in PAGE.read_text(), title
        began = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - began
        print(f"{self.seconds[title]:7.1f} s  {title}", flush=True)

    def run(self, *command: str) -> str:
        """One command; what it printed."""
        done = subprocess.run(command, cwd=self.place, env=self.env, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def pip(self, *words: str) -> None:
        """Install what the page names, the wheel in the place of our name."""
        mine = [
            re.sub(r"^amplitude-ai-wire(\[.*\])?$", rf"amplitude-ai-wire\1 @ {self.wheel.as_uri()}", word)
            for word in words
        ]
        self.run(str(self.python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *mine)

    def write(self, name: str) -> str:
        """A file of the page."""
        (self.place / name).write_text(self.files[name])
        return name

    @contextmanager
    def running(self, *command: str):
        """A server, until it is no longer needed. A thread reads what it says: a pipe that is full would stop it."""
        process = subprocess.Popen(
            command, cwd=self.place, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        reader = threading.Thread(target=lambda lines: [said.put(line) for line in lines], args=(process.stdout,))
        reader.start()
        try:
            yield said
        except OSError as error:  # it never answered: what it said tells why
            raise RuntimeError("".join(said.queue)) from error
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()

    def calls(self) -> list[tuple[str, str, str, int, float]]:
        """(user, session, model, tokens, cost) of each call of the store."""
        connection = sqlite3.connect(self.store)
        try:
            query = "SELECT user_id, session_id, model_name, total_tokens, cost_usd FROM llm_message ORDER BY time"
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def get(url: str, body: object = None, seconds: float = 60.0) -> bytes:
    """What a server on loopback answers, as soon as it is there."""
    data = None if body is None else json.dumps(body).encode()
    deadline = time.monotonic() + seconds
    while True:
        try:
            request = urllib.request.Request(url, data, {"Content-Type": "application/json"} if data else {})
            with _direct.open(request, timeout=10) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def walk(one: Newcomer, phoenix: Path | None) -> None:
    """All steps."""
    with one.step("1. Install"):
        venv.create(one.python.parents[1], with_pip=True)
        one.pip("amplitude-ai-wire[cli,ui]", "openai")
    with one.step("2. See something, without any key"):
        assert "calls by" in one.run("amplitude-ai-wire", "demo")
    with one.step("3. Your own call"):
        assert re.search(
            r"user-1  gpt-6-luna\S*  \d+ → \d+  \$0\.\d+  \d+ ms", one.run("python", one.write("hello.py"))
        )
        assert [call[:2] for call in one.calls()] == [("user-1", "chat-1")]
    with one.step("4. The page"):
        assert "user-1" in one.run("amplitude-ai-wire", "logs")
        with one.running("amplitude-ai-wire", "ui") as page:
            address = re.search(r"http://\S+", page.get(timeout=60))
            assert b"<h1>Overview</h1>" in get(address[0])
    with one.step("5. A web application"):
        one.pip("fastapi", "uvicorn")
        one.write("app.py")
        with one.running("uvicorn", "app:app", "--port", "8731"):
            assert get("http://127.0.0.1:8731/ask?question=Hello")
            deadline = time.monotonic() + 10
            while "user-2" not in {call[0] for call in one.calls()} and time.monotonic() < deadline:
                time.sleep(0.1)
        assert "user-2" in {call[0] for call in one.calls()}
    with one.step("6. A test of your own"):
        one.pip("pytest")
        assert "1 passed" in one.run("pytest", "-q", one.write("test_ask.py"))
    with one.step("7. Spans in Phoenix"):
        if phoenix is None:
            phoenix = one.place / "phoenix"
            venv.create(phoenix, with_pip=True)
            one.run(str(phoenix / "bin" / "python"), "-m", "pip", "install", "-q", "arize-phoenix")
        one.pip("amplitude-ai-wire[otel]", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")
        # Not where the page says: its port for gRPC, which another may have, and of which the page says nothing.
        one.env |= {"PHOENIX_HOST": "127.0.0.1", "PHOENIX_WORKING_DIR": str(one.place / "traces")}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            one.env["PHOENIX_GRPC_PORT"] = str(free.getsockname()[1])
        with one.running(str(phoenix / "bin" / "phoenix"), "serve"):
            get("http://127.0.0.1:6006/healthz", seconds=180)
            one.run("python", one.write("traced.py"))
            compare(one)


def compare(one: Newcomer) -> None:
    """What Phoenix's API says of the call, and what our store says."""
    (said,) = [call for call in one.calls() if call[1] == "chat-2"]
    deadline = time.monotonic() + 30
    spans: list[dict[str, object]] = []
    while not spans and time.monotonic() < deadline:
        spans = json.loads(get("http://127.0.0.1:6006/v1/projects/default/spans?limit=10"))["data"]
        time.sleep(0.2)
    (span,) = spans
    told = span["attributes"]
    assert isinstance(told, dict)
    assert (told["user.id"], told["session.id"], told["llm.model_name"]) == said[:3], (told, said)
    assert told["llm.token_count.prompt"] + told["llm.token_count.completion"] == said[3], (told, said)


def main() -> None:
    """Walk, and tell."""
    given = os.environ.get("PHOENIX")
    with tempfile.TemporaryDirectory() as made, Simulator() as simulator:
        place = Path(made)
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(place / "dist"), "-t", "wheel"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        one = Newcomer(place, next((place / "dist").glob("*.whl")), simulator)
        walk(one, Path(given) if given else None)
    text = PAGE.read_text()
    for title, seconds in one.seconds.items():
        text = re.sub(
            rf"(\| \[{re.escape(title.lower())}\]\(\S+\) \|) \S+ \|",
            rf"\1 {max(1, round(seconds))} |",
            text,
            flags=re.I,
        )
    if "--write" in sys.argv:
        PAGE.write_text(text)
    print(f"{sum(one.seconds.values()):7.1f} s  in all")


if __name__ == "__main__":
    main()
