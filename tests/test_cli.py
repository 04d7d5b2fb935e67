"""The command line, on a store that real calls made."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import amplitude_ai
from amplitude_ai import cli
from amplitude_ai.delivery._sender import make_store_client
from amplitude_ai.delivery._store import Store
from amplitude_ai.delivery._store_hours import sum_up

ROOT = Path(__file__).parent.parent
#: What a terminal, a spreadsheet and a reader are to be spared: escapes, NUL, a turned direction, a formula.
HOSTILE = "=SUM(1)[red]x[/red]\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066 \x9b31m"


@pytest.fixture(scope="module")
def made(simulator_process, tmp_path_factory):
    """A store: two users, a session of two turns, a tool, a failure with its retry, one hostile user."""
    path = tmp_path_factory.mktemp("store") / "events.db"
    url = f"{simulator_process.url}/v1/chat/completions"

    def ask(client, *messages, **more):
        headers = more.pop("headers", {})
        return client.post(url, json={"model": "gpt-4o-mini", "messages": list(messages), **more}, headers=headers)

    def user(text):
        return {"role": "user", "content": text}

    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    with amplitude_ai.instrumented_httpx(library="httpx", amplitude_client=make_store_client(path)) as client:
        with amplitude_ai.context(user_id="alice-1", session_id="alice-talk"):
            first = ask(client, user("Hello there")).json()["choices"][0]["message"]
            ask(client, user("Hello there"), first, user('Tell me 100% more_of "it"'))
        with amplitude_ai.context(user_id="bobby-1", session_id="bobby-talk"):
            asked = ask(client, user("Weather?"), tools=[tool]).json()["choices"][0]["message"]
            result = {"role": "tool", "tool_call_id": asked["tool_calls"][0]["id"], "content": "18 degrees"}
            ask(client, user("Weather?"), asked, result, tools=[tool])
            ask(client, user("Try [sim:fail_once=429]"))
            ask(client, user("Try [sim:fail_once=429]"))
        with amplitude_ai.context(user_id=HOSTILE, session_id=f"{HOSTILE}-talk"):
            ask(client, user(HOSTILE), headers={"x-sim": "reply=%3DSUM(1)%1B[31m%00"})
            ask(client, user("x" * 1_000_000))
    assert amplitude_ai.flush(10)
    return path


@pytest.fixture
def run(made, capfd, monkeypatch):
    """Runs a command on that store (or on ``store``): exit code, stdout, stderr."""
    for name in ("AMPLITUDE_API_KEY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*words, store=made):
        monkeypatch.setattr(sys, "argv", ["amplitude-ai-wire", "--store", str(store), *words])
        capfd.readouterr()
        code = cli.main()
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def of(store, statement):
    connection = sqlite3.connect(store)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_path_is_the_path_and_nothing_else(run, made, tmp_path):
    """stdout is for ``$(amplitude-ai-wire path)``; of a missing store too, with a hint beside it."""
    assert run("path") == (0, f"{made}\n", "")
    code, out, err = run("path", store=tmp_path / "none.db")
    assert (code, out) == (0, f"{tmp_path / 'none.db'}\n")
    assert "demo" in err
    assert json.loads(run("path", "--json")[1])["mode"] == "0600"


def test_logs_are_tab_separated_in_a_pipe(run):
    """A line a call, the newest first, as many cells each as there are heads."""
    code, out, _ = run("logs")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) == 9
    assert {line.count("\t") for line in lines} == {11}


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        (["--user", "alice-1"], 2),
        (["--session", "bobby-talk"], 4),
        (["--errors"], 1),
        (["--model", "GPT-4O"], 8),
        (["--model", "claude"], 0),
        (["--provider", "OpenAI"], 8),
        (["--text", "HELLO THERE"], 1),
        (["--text", '100% more_of "it"'], 1),
        (["--text", "100_"], 0),
        (["--text", "model_name"], 0),
        (["--since", "1h"], 8),
        (["--since", "2099-01-01"], 0),
        (["--until", "1h"], 0),
        (["-n", "3"], 3),
        (["--user", "bobby-1", "--errors"], 1),
    ],
)
def test_logs_by_filter(run, words, calls):
    """Each filter finds what it says, and text is looked for in texts only."""
    code, out, _ = run("logs", "--json", *words)
    assert code == 0
    found = json.loads(out)

    assert len(found) == calls


def test_show_a_session(run):
    """The conversation in order, with its tool, its attempts and what each cost by whom."""
    _, out, _ = run("show", "bobby-talk")
    assert "Weather?" in out
    assert "tool get_weather" in out
    assert "→ 18 degrees" in out
    assert "HTTP 429" in out
    assert "attempt 1" in out
    assert "(genai-prices)" in out
    assert out.index("Weather?") < out.index("18 degrees") < out.index("HTTP 429") < out.index("attempt 1")


def test_show_a_call_by_the_beginning_of_its_id(run, made):
    """With what the user said before, its attempts, and every property."""
    ((first,), (last,)) = of(
        made, "SELECT insert_id FROM llm_message WHERE session_id = 'bobby-talk' ORDER BY time DESC LIMIT 2"
    )
    for name in (first, last):
        code, out, _ = run("show", name[:9])
        assert code == 0
        assert "HTTP 429" in out
        assert "attempt 1" in out
        assert "Try" in out
        assert f"insert_id = {name}" in out
        assert "Weather?" not in out
    ((response,),) = of(made, "SELECT response_id FROM llm_message WHERE user_id = 'alice-1' ORDER BY time LIMIT 1")
    assert "Hello there" in run("show", response)[1]


def test_what_is_not_there_is_exit_code_1_and_what_to_do(run):
    """By name, so that a script can tell."""
    code, out, err = run("show", "no-such-call")
    assert (code, out) == (1, "")
    assert "logs" in err


@pytest.mark.parametrize("command", [["logs"], ["sessions"], ["costs"], ["tail"], ["show", "x"], ["query", "SELECT 1"]])
def test_no_store_is_exit_code_3_and_what_to_do(run, tmp_path, command):
    """And none is made by looking."""
    code, out, err = run(*command, store=tmp_path / "none.db")
    assert (code, out) == (3, "")
    assert "install_transport" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_another_file_is_exit_code_3(run, tmp_path, content):
    """It is left as it is."""
    (tmp_path / "x.db").write_bytes(content)
    code, out, err = run("logs", store=tmp_path / "x.db")
    assert (code, out) == (3, "")
    assert "x.db" in err
    assert (tmp_path / "x.db").read_bytes() == content
    with closing(sqlite3.connect(tmp_path / "other.db")) as other, other:
        other.execute("CREATE TABLE t (x)")
    assert run("logs", store=tmp_path / "other.db")[0] == 3


@pytest.mark.parametrize("command", [["logs"], ["sessions"], ["costs", "--by", "day"], ["tail"]])
def test_an_empty_store_says_what_to_do_next(run, tmp_path, command):
    """stdout stays empty, or an empty list; that is no failure."""
    store = Store(tmp_path / "events.db")
    store.write(insert_id="1", event_type="x", time_ms=1, user_id=None, device_id=None, properties="{}")
    store.close()
    code, out, err = run(*command, store=store.path)
    assert (code, out) == (0, "")
    assert command == ["tail"] or "install_transport" in err
    code, out, _ = run(*command, "--json", store=store.path)
    assert (code, out) == (0, "" if command == ["tail"] else "[]\n")


def test_wrong_words_are_exit_code_2(run):
    """With the way to write it."""
    code, _, err = run("logs", "--since", "soon")
    assert code == 2
    assert "7d" in err
    assert run("costs", "--by", "weather")[0] == 2
    assert run("nothing")[0] == 2


def test_sessions(run):
    """One row a session: calls are attempts, failures are counted, money is the sum."""
    found = {row["session_id"]: row for row in json.loads(run("sessions", "--json")[1])}
    bobby = found["bobby-talk"]
    assert (bobby["user_id"], bobby["calls"], bobby["errors"], bobby["tools"]) == ("bobby-1", 4, 1, 1)
    assert bobby["cost_usd"] > 0
    assert [row["session_id"] for row in json.loads(run("sessions", "--json", "--user", "alice-1")[1])] == [
        "alice-talk"
    ]


@pytest.mark.parametrize(("by", "column"), [("model", "model_name"), ("user", "user_id"), ("session", "session_id")])
def test_costs_equal_the_query_to_the_digit(run, made, by, column):
    """The sums are those of SQL on the documented table."""
    wanted = of(
        made, f"SELECT {column}, count(*), sum(cost_usd), sum(total_tokens) FROM llm_message GROUP BY 1 ORDER BY 1"
    )
    rows = json.loads(run("costs", "--by", by, "--json")[1])
    assert sorted((row[by], row["calls"], row["cost_usd"], row["total_tokens"]) for row in rows) == wanted


def test_costs_of_what_nobody_knows_are_unknown(run):
    """No agent was named, and a failed call has no price: said, and not 0."""
    (row,) = json.loads(run("costs", "--by", "agent", "--json")[1])
    assert (row["agent"], row["calls_without_cost"]) == (None, 1)
    assert "1 calls have no price" in run("costs")[2]


def test_turns(run, made):
    """One row a turn, whose calls are those of the turn."""
    rows = json.loads(run("turns", "--json")[1])
    wanted = of(made, "SELECT turn_id, count(*) FROM llm_message WHERE turn_id IS NOT NULL GROUP BY 1")
    assert sorted((row["turn_id"], row["calls"]) for row in rows) == wanted
    assert {row["session_id"] for row in json.loads(run("turns", "--json", "--user", "bobby-1")[1])} == {"bobby-talk"}


@pytest.fixture
def old(tmp_path):
    """A store as the first version made it: no columns beside the JSON, no turns."""
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.execute(
        "CREATE TABLE events (id INTEGER PRIMARY KEY, insert_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL, "
        "time_ms INTEGER NOT NULL, user_id TEXT, device_id TEXT, properties TEXT NOT NULL, details TEXT NOT NULL)"
    )
    said = json.dumps(
        {"session_id": "s1", "model_name": "gpt-4o", "cost_usd": 0.5, "success": False, "total_tokens": 7}
    )
    connection.execute(
        "INSERT INTO events VALUES (1, 'one', 'llm_message', 1767225600000, 'ann', NULL, ?, '{}')", [said]
    )
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    return tmp_path / "old.db"


def test_an_older_store_is_read_and_not_changed(run, old):
    """Every list works on it as it is; without turn ids `turns` says so."""
    before = old.read_bytes()
    assert [row["id"] for row in json.loads(run("logs", "--errors", "--model", "4O", "--json", store=old)[1])] == [
        "one"
    ]
    assert [row["session_id"] for row in json.loads(run("sessions", "--json", store=old)[1])] == ["s1"]
    (row,) = json.loads(run("costs", "--by", "day", "--json", store=old)[1])
    assert (row["day"], row["cost_usd"], row["errors"]) == ("2026-01-01", 0.5, 1)
    assert "one" in run("show", "s1", "--json", store=old)[1]
    code, out, err = run("turns", store=old)
    assert (code, out) == (0, "")
    assert "turn_id" in err
    assert old.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events",
        "UPDATE events SET user_id = 1",
        "DROP TABLE events",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x AS SELECT * FROM events",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 9",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "VACUUM",
        "BEGIN IMMEDIATE",
        "SELECT load_extension('x')",
        "SELECT 1; DELETE FROM events",
        "WITH x AS (SELECT 1) INSERT INTO events SELECT * FROM x",
        "REINDEX",
        "not sql",
    ],
)
def test_query_cannot_write(run, made, statement, tmp_path, monkeypatch):
    """Whatever it is asked: the store, the directory and the file's layout stay as they are."""
    monkeypatch.chdir(tmp_path)
    before = made.read_bytes()
    code, out, err = run("query", statement)
    assert (code, out) == (2, "")
    assert "llm_message" in err
    assert made.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_query(run):
    """The specification's query as it stands; columns of one name are both there."""
    code, out, _ = run("query", "SELECT model_name, COUNT(*) AS n FROM llm_message GROUP BY model_name", "--json")
    assert code == 0
    assert json.loads(out) == [{"model_name": "gpt-4o-mini", "n": 8}]
    assert json.loads(run("query", "SELECT 1 AS a, 2 AS a", "--json")[1]) == [{"a": 1, "a_2": 2}]
    assert run("query", "SELECT 1 WHERE 0") == (0, "", "No rows.\n")


@pytest.mark.parametrize(
    "words", [["logs"], ["tail"], ["sessions"], ["costs", "--by", "user"], ["show", f"{HOSTILE}-talk", "--full"]]
)
@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_texts_are_shown_harmlessly(run, monkeypatch, words, terminal):
    """No escape sequence, control character or mark of direction of a stranger's reaches the terminal."""
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "400")
    code, out, _ = run(*words)
    assert code == 0
    assert "\\x1b[2J" in out  # spelled out
    assert "[red]x[/red]" in out  # no markup of ours
    rest = out
    for own in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[1;31m", "\x1b[1;33m"):
        rest = rest.replace(own, "")
    assert not set(rest) & set("\x1b\x00\x07\x9b\u202e\u2066")
    if words == ["logs"]:
        assert max(map(len, out.splitlines())) < 5_000  # of the million nothing is shown


def test_json_is_ascii_and_whole(run):
    """A terminal shows it harmlessly, and a program reads what was said."""
    _, out, _ = run("show", f"{HOSTILE}-talk", "--json")
    assert out.isascii()
    contents = [each["properties"].get("content") for each in json.loads(out)["events"]]
    assert HOSTILE in contents


def test_no_color(run, monkeypatch):
    """NO_COLOR is obeyed where there is a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("logs")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    out = run("logs")[1]
    assert not {code for code in ("\x1b[31m", "\x1b[36m") if code in out}


def test_export_csv_is_neutral(run, made):
    """A spreadsheet takes no text for a formula; numbers stay numbers."""
    code, out, _ = run("export", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 8
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert "\0" not in cell
    assert {row["user_id"] for row in rows} == {"alice-1", "bobby-1", "'" + HOSTILE}
    assert sum(float(row["cost_usd"] or 0) for row in rows) == pytest.approx(
        of(made, "SELECT sum(cost_usd) FROM llm_message")[0][0]
    )


def test_export_csv_to_a_terminal(run, monkeypatch):
    """There a stranger's words are spelled out, as by every command; in a pipe they are what was said."""
    assert HOSTILE in run("export", "csv")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, out, _ = run("export", "csv")
    assert "\\x1b[2J" in out
    assert not set(out) & set("\x1b\x07\x9b\u202e\u2066")


def test_half_a_pair_of_surrogates(run, tmp_path):
    """From a program of somebody's own: no file takes it, and the rest of the export is there."""
    made = Store(tmp_path / "events.db")
    said = json.dumps({"session_id": "half \ud83d", "output_content": "whole \U0001f600, half \ud83d", "success": True})
    assert "ud83d" in said
    made.write(insert_id="a-call", event_type="llm_message", time_ms=1, user_id="ann", device_id=None, properties=said)
    made.close()
    code, out, _ = run("export", "csv", store=made.path)
    assert code == 0
    assert "whole \U0001f600, half \ufffd" in out
    assert run("show", "a-call", "--json", store=made.path)[0] == 0


def test_export_jsonl_is_every_event(run, made, tmp_path):
    """To a file that only its owner may read, whole or not at all."""
    target = tmp_path / "out.jsonl"
    code, out, err = run("export", "jsonl", "-o", str(target))
    assert (code, out) == (0, "")
    events = [json.loads(line) for line in target.read_text().splitlines()]
    assert [each["insert_id"] for each in events] == [
        row[0] for row in of(made, "SELECT insert_id FROM events ORDER BY id")
    ]
    assert str(len(events)) in err
    if os.name == "posix":
        assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    only = run("export", "jsonl", "--type", "tool_called")[1].splitlines()
    assert len(only) == 1


def test_export_parquet_needs_pyarrow(run, tmp_path, monkeypatch):
    """And says so in one line, leaving nothing behind."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = run("export", "parquet", "-o", str(tmp_path / "x.parquet"))
    assert code == 2
    assert "pip install pyarrow" in err
    assert list(tmp_path.iterdir()) == []


def test_export_parquet(run, made, tmp_path):
    """The table as it is documented, with types."""
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("export", "parquet", "-o", str(tmp_path / "x.parquet"))[0] == 0
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.num_rows == 8
    assert (
        sum(filter(None, table["total_tokens"].to_pylist()))
        == of(made, "SELECT sum(total_tokens) FROM llm_message")[0][0]
    )


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the store, to be changed."""
    with sqlite3.connect(made) as source, sqlite3.connect(tmp_path / "copy.db") as target:
        source.backup(target)
    source.close()
    target.close()
    return tmp_path / "copy.db"


def test_purge_asks_and_removes(run, copy, monkeypatch):
    """What is older, for good; never without a word where nobody can be asked."""
    assert run("purge", "--older-than", "1d", store=copy)[1] == "0 events removed\n"
    before = of(copy, "SELECT count(*) FROM events")[0][0]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, _, err = run("purge", "--older-than", "0s", store=copy)
    assert code == 2
    assert "--yes" in err
    assert run("purge", "--older-than", "0s", "--dry-run", store=copy)[1] == f"{before} events would be removed\n"
    assert of(copy, "SELECT count(*) FROM events")[0][0] == before
    assert run("purge", "--older-than", "0s", "--yes", store=copy)[1] == f"{before} events removed\n"
    assert of(copy, "SELECT count(*) FROM events")[0][0] == 0
    assert b"Hello there" not in copy.read_bytes()
    assert run("purge", "--older-than", "x", store=copy)[0] == 2


def test_send_sends_each_event_once(run, copy, server, monkeypatch):
    """Each with its insert_id; a second time nothing, a failed one again."""
    monkeypatch.setenv("AMPLITUDE_API_KEY", "a-key")
    everything = {row[0] for row in of(copy, "SELECT insert_id FROM events")}
    refused = next(iter(sorted(everything)))
    server.judge = lambda events: (
        (400, {"error": "bad", "events_with_invalid_fields": {"x": [ids.index(refused)]}})
        if refused in (ids := [event["insert_id"] for event in events])
        else None
    )
    code, out, err = run("send", store=copy)
    assert code == 1
    assert out.startswith(f"{len(everything) - 1} events sent")
    assert "1 events were not taken: answer 400" in err
    assert set(server.ids()) == everything - {refused}
    server.judge = lambda events: None
    code, out, _ = run("send", store=copy)
    assert (code, out) == (0, f"1 events sent, {len(everything) - 1} had been sent before\n")
    assert sorted(server.ids()) == sorted(everything)
    assert run("send", store=copy)[1].startswith("0 events sent")
    assert len(server.ids()) == len(everything)


def test_purge_leaves_nothing_of_whom(run, copy, server, monkeypatch):
    """What was summed up, and the ids that ``send`` noted, go with the events; ids of what is left stay."""
    monkeypatch.setenv("AMPLITUDE_API_KEY", "a-key")
    assert run("send", store=copy)[0] == 0
    store = Store(copy)
    store.write(
        insert_id="another",
        event_type="x",
        time_ms=9_999_999_999_999,
        user_id="bobby-1",
        device_id=None,
        properties="{}",
    )
    store.close()
    run("send", store=copy)
    connection = sqlite3.connect(copy, isolation_level=None)
    for (hour,) in connection.execute("SELECT DISTINCT time_ms / 3600000 FROM events").fetchall():
        sum_up(connection, hour)
    first = connection.execute("SELECT insert_id FROM events").fetchone()[0].encode()
    connection.close()
    sent = copy.with_name(copy.name + ".sent")
    assert first in sent.read_bytes()
    assert b"alice-talk" in copy.read_bytes()
    assert run("purge", "--older-than", "0s", "--yes", store=copy)[0] == 0
    assert first not in sent.read_bytes()
    assert of(sent, "SELECT insert_id FROM sent") == [("another",)]
    assert b"alice" not in copy.read_bytes()
    assert run("send", store=copy)[1].startswith("0 events sent")


def test_send_without_a_key(run):
    """It says what is missing; a dry run needs none."""
    code, _, err = run("send")
    assert code == 2
    assert "AMPLITUDE_API_KEY" in err
    assert "would be sent" in run("send", "--dry-run")[1]


def test_demo(run, tmp_path):
    """A store of its own by real calls, with a tool and a retry in it."""
    code, out, err = run("demo", store=tmp_path / "demo.db")
    assert code == 0
    assert str(tmp_path / "demo.db") in out
    assert "costs --by model" in err
    found = of(
        tmp_path / "demo.db", "SELECT count(*), sum(success = 0), sum(attempt), sum(tool_call_count) FROM llm_message"
    )
    assert found == [(12, 2, 2, 2)]


def test_tail_follows(made, tmp_path):
    """What is stored while it runs is a line at once; a store that is not there yet is waited for."""
    path = tmp_path / "events.db"
    command = [sys.executable, "-m", "amplitude_ai", "--store", str(path), "tail", "-f", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert "Waiting" in process.stderr.readline()
        store = Store(path)
        for number in range(3):
            properties = json.dumps({"model_name": f"m{number}", "success": True})
            store.write(
                insert_id=str(number),
                event_type="llm_message",
                time_ms=number,
                user_id="ann",
                device_id=None,
                properties=properties,
            )
            assert json.loads(process.stdout.readline())["model_name"] == f"m{number}"
        store.close()
    finally:
        process.kill()
        process.communicate()


def test_a_reader_of_the_pipe_that_leaves_is_no_error(made):
    """``| head`` ends it quietly."""
    shell = (
        f"{sys.executable} -m amplitude_ai --store {made} query 'SELECT * FROM events a, events b' | head -1 >/dev/null"
    )
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {shell}"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_extra_it_says_which(made):
    """The library alone brings no typer: one line, no traceback."""
    code = "import sys; sys.modules['typer'] = None; from amplitude_ai.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "amplitude-ai-wire[cli]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_in_a_directory_that_is_read_only(run, copy):
    """A copy on a read-only disk is read as well."""
    copy.parent.chmod(0o500)
    try:
        assert run("logs", store=copy)[0] == 0
    finally:
        copy.parent.chmod(0o700)


def test_looking_is_lazy():
    """Importing the package, or watching, imports nothing of the command line."""
    code = "import amplitude_ai, sys; amplitude_ai.install_transport(); print([m for m in sys.modules if 'typer' in m])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_documented_queries_equal_the_commands(run):
    """The four groups of key metrics: by SQL as docs/look.md has it, and by command, to the digit."""
    page = (ROOT / "docs" / "look.md").read_text()
    statements = re.findall(r"`(SELECT [^`]+)`", page)
    assert len(statements) == 4
    usage, performance, cost, behaviour = (
        [tuple(row.values()) for row in json.loads(run("query", each, "--json")[1])] for each in statements
    )

    def rows(command, *names):
        return [tuple(row[name] for name in names) for row in json.loads(run(*command.split(), "--json")[1])]

    assert sorted(rows("costs --by user", "user", "calls")) == sorted(usage)
    assert rows("costs --by model", "model", "avg_latency_ms", "avg_ttft_ms") == performance
    assert rows("costs --by model", "model", "cost_usd", "total_tokens") == cost
    assert sorted(rows("sessions", "session_id", "calls")) == sorted(behaviour)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("words", [["logs"], ["costs"], ["sessions"]])
def test_no_number_is_cut_on_a_narrow_terminal(run, monkeypatch, words, width):
    """A column is left out sooner than half of a number is shown."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    lines = re.sub(r"\x1b\[[\d;]*m", "", run(*words)[1]).splitlines()
    assert max(map(len, lines)) <= width
    # What was cut is a text: of the hostile user, or the model's name.
    cut = [word for line in lines for word in line.split("  ") if word.strip().endswith("…")]
    assert not [word for word in cut if re.match(r"[$\d]", word.strip())]
    assert "cost" in lines[0]
    if width == 200:
        assert {"in", "out", "calls" if words != ["logs"] else "TTFT"} <= set(lines[0].split())


def test_version(run):
    """Alone on stdout, without a store."""
    assert run("--version") == (0, f"amplitude-ai-wire {amplitude_ai.__version__}\n", "")


def test_a_directory_is_no_store(run, tmp_path):
    """It is said so, and not as an error of the disk."""
    code, out, err = run("logs", store=tmp_path)
    assert (code, out) == (3, "")
    assert "is a directory" in err


def test_a_report_of_nothing(run, tmp_path):
    """Zeros, and what to do next; of a store with calls there is no such hint."""
    empty = Store(tmp_path / "events.db")
    empty.write(insert_id="a", event_type="llm_message", time_ms=1, user_id="ann", device_id=None, properties="{}")
    empty.close()
    assert run("purge", "--older-than", "0s", "--yes", store=empty.path)[0] == 0
    code, out, err = run("report", "--md", store=empty.path)
    assert code == 0
    assert "| Calls | 0 |" in out
    assert "amplitude-ai-wire demo" in err
    assert "demo" not in run("report", "--md")[2]
