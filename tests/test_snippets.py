"""Every snippet that README and documentation print runs as it stands, without a key, against the simulator.

Python blocks: each in a process of its own; a model call that reaches the simulator must have become an event. A block
that defines tests is given to pytest. Shell lines: those of our command on a store that the demo made, the others are
looked up (a target of the Makefile, an extra of the project, a file). SQL that no other test runs: on that store.

A block that cannot run says why: ``<!-- not run: REASON -->`` on the line before it.
"""

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from amplitude_ai import cli
from tests.fake_amplitude import FakeAmplitude

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^>]+) -->\n)?```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```$", re.M | re.S
)
#: Models of nobody's.
MADE_UP = {"acme-2", "my-model"}
#: Which others run: the questions, and the tree of agents on the page's own program.
OTHERS_SQL = {"questions.md", "agents.md"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: What a block is run by: what it would send to Amplitude and to OpenAI by their own names goes to loopback.
RUNNER = """
import runpy, sys
import amplitude.constants
for zone in amplitude.constants.SERVER_URL.values():
    for api in zone:
        zone[api] = sys.argv[2]
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def blocks(*languages):
    """(page and number, code) of each block that is to run."""
    found = []
    for page in PAGES:
        for number, match in enumerate(FENCE.finditer(page.read_text())):
            if match["language"] in languages and not match["reason"]:
                name = f"{page.relative_to(ROOT)}:{number}"
                found.append(pytest.param(match["code"], id=name))
    return found


def environment(simulator, place):
    """No key that opens anything, no store and no home but this test's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AMPLITUDE", "OTEL"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "HOME": str(place),
        "XDG_DATA_HOME": str(place),
        "AMPLITUDE_AI_STORE": str(place / "events.db"),
        "NO_PROXY": "127.0.0.1,localhost",
        "OPENAI_BASE_URL": f"{simulator.url}/v1",
        "ANTHROPIC_BASE_URL": simulator.url,
        "GOOGLE_GEMINI_BASE_URL": simulator.url,
        **{f"{name}_API_KEY": "fake" for name in ("OPENAI", "ANTHROPIC", "GEMINI")},
    }


def stored_calls(path):
    """How many model calls a store holds."""
    if not path.exists():
        return 0
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT count(*) FROM llm_message").fetchone()[0]
    finally:
        connection.close()


@pytest.fixture
def amplitude():
    """Amplitude, on loopback."""
    made = FakeAmplitude()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code, simulator, amplitude, tmp_path):
    """It ends well, complains of nothing of ours, and what it called is recorded."""
    code = code.replace("https://api.openai.com", simulator.url)
    env = environment(simulator, tmp_path)
    if re.search(r"^def test_", code, re.M):
        path = tmp_path / "test_block.py"
        path.write_text(code)
        runs = [["--llm-record"], []] if "llm_cassette" in code else [[]]
        for words in runs:
            ran([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), *words], tmp_path, env)
        assert simulator.requests()
        return
    path = tmp_path / "block.py"
    path.write_text(code)
    said = ran([sys.executable, "-c", RUNNER, str(path), amplitude.url], tmp_path, env)
    assert "amplitude_ai: " not in said.replace("amplitude_ai: events, prompts and answers included, go to", "")
    arrived = [event for event in amplitude.events if event["event_type"] == "llm_message"]
    assert len(arrived) + stored_calls(tmp_path / "events.db") >= len(simulator.requests())


def ran(command, place, env):
    """What it said, when it ended well."""
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A place with the demo's store as the user's own."""
    place = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(place / "events.db"), "demo"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return place


def lines():
    """(page, command) of each line of shell, those in running text included where they are ours."""
    found = []
    for page in PAGES:
        text = page.read_text()
        printed = [
            line for match in FENCE.finditer(text) if match["language"] == "sh" for line in match["code"].split("\n")
        ]
        # Indented blocks are blocks, too.
        prose = FENCE.sub("", text)
        printed += re.findall(r"^    ((?:make|pip|pytest|amplitude-ai-wire|python) .+)$", prose, re.M)
        printed += re.findall(r"`((?:amplitude-ai-wire|pip install|python -m|make) [^`]+)`", prose)
        for line in printed:
            line = re.sub(r"\s+#.*", "", line).strip()
            if line:
                found.append(pytest.param(line, id=f"{page.relative_to(ROOT)}: {line}"))
    return found


@pytest.mark.parametrize("line", lines())
def test_shell(line, simulator, demo, monkeypatch, tmp_path):
    """Ours runs; of others' what can be wrong in it is looked up."""
    program, *words = shlex.split(line)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
        assert [word for word in words if "=" not in word and word not in targets] == []
    elif program == "pip":
        extras = {name for word in words for name in re.findall(r"\[([\w,-]+)\]", word)}
        assert {one for each in extras for one in each.split(",")} <= set(PROJECT["optional-dependencies"])
        assert words[0] in ("install", "uninstall")
    elif program == "python" and words[:1] == ["-m"]:
        if words[1] == "amplitude_ai":
            ours(words[2:] or ["--help"], simulator, demo, monkeypatch, tmp_path)
        else:
            assert (ROOT / words[1].replace(".", "/")).with_suffix(".py").exists() or (ROOT / words[1]).is_dir(), line
    elif program == "python":
        assert (ROOT / words[0]).exists()
    else:
        assert program == "amplitude-ai-wire", line
        ours(words, simulator, demo, monkeypatch, tmp_path)


def cells():
    """The first column of the table of commands."""
    text = (ROOT / "docs/look.md").read_text()
    table = text[text.index("| command | what |") :].partition("\n\n")[0]
    found = []
    for row in table.splitlines()[2:]:
        head = row.split(" | ")[0]
        base = ""
        for cell in re.findall(r"`([^`]+)`", head):
            # "`export jsonl`, `csv`": the second is the first with another last word.
            base = cell if " " in cell or not base else f"{base.split()[0]} {cell}"
            line = base if cell not in ("sessions", "turns", "--md") else cell
            found.append(line if cell != "--md" else "report --md")
    return found


@pytest.mark.parametrize("line", cells())
def test_the_table_of_commands(line, simulator, demo, monkeypatch, tmp_path):
    """Each command as the table has it."""
    if line.startswith("replay"):
        (tmp_path / "FILE.har").write_text('{"log": {"entries": []}}')
    line = (
        line.replace("FILE...", str(tmp_path / "FILE.har"))
        .replace("ID", "alice-talk")
        .replace("out.html", f"{tmp_path}/o")
    )
    words = ["query", "SELECT count(*) FROM llm_message"] if line.startswith("query") else shlex.split(line)
    ours(words, simulator, demo, monkeypatch, tmp_path)


def ours(words, simulator, demo, monkeypatch, place):
    """Our command, on the demo's store or a copy of it."""
    store = place / "copy.db"
    source, copy = sqlite3.connect(demo / "events.db"), sqlite3.connect(store)
    source.backup(copy)
    source.close()
    copy.close()
    for name, value in environment(simulator, place).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AMPLITUDE_AI_STORE", str(store))
    command = next((word for word in words if not word.startswith("-")), "")
    if command == "ui" or words[-1:] == ["-f"]:
        starts(words, place, os.environ)
        return
    if command == "send":
        words = [*words, "--dry-run"]
        monkeypatch.setenv("AMPLITUDE_API_KEY", "0123456789abcdef0123456789abcdef")
    if command == "purge":
        words = [*words, "--yes"] if "--older-than" in words else [*words, "--older-than", "30d", "--yes"]
    if command == "export" and len(words) == 1:
        words = [*words, "jsonl"]
    if "parquet" in words:
        pytest.importorskip("pyarrow")
    if command == "query" and len(words) == 1:
        words = [*words, "SELECT 1"]
    monkeypatch.setattr(sys, "argv", ["amplitude-ai-wire", *words])
    assert cli.main() == 0, words


def starts(words, place, env):
    """What runs until it is stopped: its first line comes, and the page behind it opens."""
    command = [sys.executable, "-m", "amplitude_ai", *words, "--json"]
    process = subprocess.Popen(command, cwd=ROOT, env={**env, "COLUMNS": "200"}, stdout=subprocess.PIPE, text=True)
    try:
        said = json.loads(process.stdout.readline())
        if "ui" in words:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
            with opener.open(said["url"], timeout=20) as answer:
                assert b"<h1>Overview</h1>" in answer.read()
        else:
            assert said["model_name"]
    finally:
        process.kill()
        process.communicate()


def test_sql(demo):
    """The statements that no other test runs answer something on the demo's store."""
    connection = sqlite3.connect(demo / "events.db")
    ran = 0
    for page in PAGES:
        for match in FENCE.finditer(page.read_text()):
            if match["language"] == "sql" and page.name not in OTHERS_SQL:
                assert connection.execute(match["code"]).fetchall(), match["code"]
                ran += 1
    connection.close()
    assert ran


def test_what_does_not_run_is_little():
    """Few blocks are left out, each for a reason, and every block says what it is in."""
    left_out = [match["reason"] for page in PAGES for match in FENCE.finditer(page.read_text()) if match["reason"]]
    assert len(left_out) <= 3
    languages = {match["language"] for page in PAGES for match in FENCE.finditer(page.read_text())}
    assert languages <= {"python", "sh", "sql", "text"}


def test_models_are_not_at_their_end():
    """Models that snippets and examples call are known, and neither SDK nor price table says that they end."""
    models = pytest.importorskip("anthropic.resources.messages.messages").DEPRECATED_MODELS
    from genai_prices.data import providers
    from openai.types.shared import ChatModel

    texts = [page.read_text() for page in PAGES] + [path.read_text() for path in (ROOT / "examples").glob("*.py")]
    named = {
        name for text in texts for name in re.findall(r"""model(?:_name)?["']?\s*[=:]\s*["']([\w.-]+)["']""", text)
    }
    assert named
    ended = {model.id for provider in providers for model in provider.models if model.deprecated}
    priced = {model.id for provider in providers for model in provider.models}
    # Newest first is how the SDK lists them; what is older than two years has been told its end.
    openais = list(ChatModel.__args__)
    current = set(openais[: openais.index("gpt-5")])
    for name in named - MADE_UP:
        assert name not in models
        assert name not in ended
        assert name in priced
        assert not name.startswith("gpt-") or name in current, name
