"""The commands, and what each is asked; ``--help`` prints their docstrings."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..look import _calls, _sums
from ..look._reader import Row
from ..sessions.schema import SCHEMA
from . import _options as opt
from . import _output as out
from . import _show, _tables
from ._errors import Failure

app = typer.Typer(
    help="Look at the LLM calls that amplitude_ai has recorded on this machine. No account, no key.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_WIDER = "Nothing matches. Leave a filter out, or look further back: --since 30d"
_EMPTY = (
    "The store has no calls yet. Call amplitude_ai.install_transport() in your program, or try: amplitude-ai-wire demo"
)

By = StrEnum("By", {name.upper(): name for name in _sums.BY})  # type: ignore[misc]


class Format(StrEnum):
    """What `export` writes."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


@app.callback()
def root(store: opt.Store = None, version: opt.Version = False) -> None:
    """Look at the LLM calls that amplitude_ai has recorded on this machine. No account, no key."""
    opt.chosen[:] = [store] if store is not None else []


@app.command()
def path(store: opt.Store = None, json: opt.Json = False) -> None:
    """Where the store is: its path, and nothing else, for $(amplitude-ai-wire path)."""
    where = opt.path_of(store)
    if json:
        from ..look._about import about

        out.as_json(about(where))
        return
    out.write(str(where))
    if not where.exists():
        out.hint(_EMPTY)


@app.command()
def logs(
    store: opt.Store = None,
    limit: opt.Limit = 20,
    user: opt.User = None,
    session: opt.Session = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    agent: opt.Agent = None,
    errors: opt.Errors = False,
    text: opt.Text = None,
    since: opt.Since = None,
    until: opt.Until = None,
    json: opt.Json = False,
) -> None:
    """The newest calls, the newest first."""
    which = opt.calls(
        user=user,
        session=session,
        model=model,
        provider=provider,
        agent=agent,
        errors=errors,
        text=text,
        since=since,
        until=until,
    )
    with opt.reader(store) as reader:
        _list(_calls.newest(reader, which, limit), _tables.CALLS, json, filtered=which != opt.calls())


@app.command()
def tail(
    store: opt.Store = None,
    limit: opt.Limit = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    user: opt.User = None,
    session: opt.Session = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    errors: opt.Errors = False,
    text: opt.Text = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """The last calls, the newest last, one line each; -f waits for more."""
    from . import _tail

    which = opt.calls(user=user, session=session, model=model, provider=provider, errors=errors, text=text)
    _tail.tail(opt.path_of(store), which, limit, follow, json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Of a call (its beginning is enough) or of a session.")],
    store: opt.Store = None,
    full: Annotated[bool, typer.Option("--full", help="Texts to their end.")] = False,
    json: opt.Json = False,
) -> None:
    """A call with what belongs to it, or a whole session: conversation, tools, attempts, times, costs."""
    with opt.reader(store) as reader:
        events = _calls.session(reader, name)
        chosen = None
        if not events:
            found = _calls.find(reader, name)
            if not found:
                raise Failure(f"no call and no session is called {name!r}; `amplitude-ai-wire logs` lists calls")
            if len(found) > 1:
                raise Failure(f"{name!r} begins {len(found)} ids, such as {found[0]['id']} and {found[1]['id']}")
            chosen = found[0]["id"]
            of = found[0]["properties"].get("session_id")
            events = _calls.around(_calls.session(reader, of), chosen) if isinstance(of, str) else found
            events = events or found  # it lies beyond the events of a session that are read
    if json:
        out.as_json({"id": name, "events": events})
        return
    _show.conversation(events, chosen, full)
    if len(events) >= _calls.SESSION_EVENTS:
        out.hint(f"The first {_calls.SESSION_EVENTS} events of the session; show one call by its id for later ones.")


@app.command()
def sessions(
    store: opt.Store = None,
    limit: opt.Limit = 20,
    user: opt.User = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    agent: opt.Agent = None,
    errors: opt.Errors = False,
    since: opt.Since = None,
    json: opt.Json = False,
) -> None:
    """Sessions, those with the newest calls first."""
    which = opt.calls(user=user, model=model, provider=provider, agent=agent, errors=errors, since=since)
    with opt.reader(store) as reader:
        _list(_sums.sessions(reader, which, limit), _tables.SESSIONS, json, filtered=which != opt.calls())


@app.command()
def turns(
    store: opt.Store = None,
    limit: opt.Limit = 20,
    user: opt.User = None,
    session: opt.Session = None,
    since: opt.Since = None,
    json: opt.Json = False,
) -> None:
    """Turns: a user's message and all calls until its answer, the newest first."""
    which = opt.calls(user=user, session=session, since=since)
    with opt.reader(store) as reader:
        if not _sums.has_turns(reader):
            if json:
                out.as_json([])
            out.hint(
                "The events of this store name no turns (turn_id). `amplitude-ai-wire sessions` groups by session."
            )
            return
        _list(_sums.turns(reader, which, limit), _tables.TURNS, json, filtered=which != opt.calls())


@app.command()
def costs(
    by: Annotated[By, typer.Option("--by", help="What a row is.")] = By("model"),  # noqa: B008
    store: opt.Store = None,
    limit: opt.Limit = 1000,
    user: opt.User = None,
    session: opt.Session = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    agent: opt.Agent = None,
    since: opt.Since = None,
    until: opt.Until = None,
    json: opt.Json = False,
) -> None:
    """Calls, errors, tokens and costs by model, user, session, agent, day or provider."""
    which = opt.calls(user=user, session=session, model=model, provider=provider, agent=agent, since=since, until=until)
    with opt.reader(store) as reader:
        rows = _sums.costs(reader, str(by), which, limit)
    _list(rows, _tables.costs(str(by)), json, filtered=which != opt.calls())
    unpriced = sum(row["calls_without_cost"] for row in rows)
    if unpriced and not json:
        out.hint(f"{unpriced} calls have no price (failed, or of models whose price nobody gave): they are in no sum.")


@app.command()
def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help='One statement, such as "SELECT * FROM llm_message"; - is stdin.')
    ],
    store: opt.Store = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="Rows at the most.")] = 10_000,
    json: opt.Json = False,
) -> None:
    """Ask the store in SQL. It can only be read: whatever would write is refused."""
    import itertools
    import sqlite3

    statement = sys.stdin.read() if sql == "-" else sql
    with opt.reader(store) as reader:
        try:
            rows = list(itertools.islice(reader.each(statement), limit))
        except (sqlite3.Error, sqlite3.Warning) as exc:
            tables = ", ".join(("events", *SCHEMA))
            raise Failure(f"{exc}. This only reads; the tables are {tables}", 2) from None
    if json:
        out.as_json(rows)
    elif rows:
        out.table(rows, _tables.plain(list(rows[0])))
    else:
        out.hint("No rows.")
    if len(rows) == limit:
        out.hint(f"The first {limit} rows; --limit gives more.")


@app.command()
def export(
    format: Annotated[Format, typer.Argument(help="jsonl: whole events. csv, parquet: a column a property.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file, made for you alone to read.")] = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="One of the five events; by default all (jsonl) or llm_message.")
    ] = None,
    store: opt.Store = None,
    user: opt.User = None,
    session: opt.Session = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    errors: opt.Errors = False,
    since: opt.Since = None,
    until: opt.Until = None,
) -> None:
    """Write events to a file or to stdout."""
    from . import _export

    which = opt.calls(
        user=user, session=session, model=model, provider=provider, errors=errors, since=since, until=until
    )
    if which.errors and event_type not in (None, "llm_message", "tool_called", "llm_run_finished"):
        raise typer.BadParameter(f"{event_type} events do not fail", param_hint="--errors")
    if event_type is not None and event_type not in SCHEMA:
        raise typer.BadParameter(f"one of {', '.join(SCHEMA)}, not {event_type!r}", param_hint="--type")
    with opt.reader(store) as reader:
        written = _export.export(reader, which, str(format), event_type, output)
    if output is not None:
        out.hint(f"{written} events in {output}")
    elif not written:
        out.hint(_WIDER if which != opt.calls() else _EMPTY)


@app.command()
def purge(
    older_than: Annotated[str, typer.Option("--older-than", help="30d, 12h, 4w ...; 0s is everything.")],
    store: opt.Store = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    json: opt.Json = False,
) -> None:
    """Remove old events from the store, for good: their bytes are overwritten."""
    from . import _purge

    _purge.purge(opt.path_of(store), older_than, yes, dry_run, json)


@app.command()
def send(
    store: opt.Store = None,
    since: opt.Since = None,
    limit: Annotated[int | None, typer.Option("-n", "--limit", min=1, help="How many at the most.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were acknowledged before.")] = False,
    json: opt.Json = False,
) -> None:
    """Send stored events to Amplitude (AMPLITUDE_API_KEY). Call it as often as you like: each arrives once."""
    from . import _send

    if not _send.send(opt.path_of(store), opt.moment(since, "--since"), limit, dry_run, again, json):
        raise typer.Exit(1)


@app.command()
def demo(store: opt.Store = None, json: opt.Json = False) -> None:
    """Make a store to look at, by calls to a provider on loopback. Your own store is not touched."""
    from . import _demo

    path = opt.path_of(store) if store is not None or opt.chosen else _demo.demo_path()
    _demo.demo(path, json)


@app.command()
def doctor(
    store: opt.Store = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are failures too.")] = False,
    json: opt.Json = False,
) -> None:
    """What is here, what is watched, what stays unseen, and whether it works. Exit code 1 where something is wrong."""
    from . import _doctor

    if not _doctor.doctor(opt.path_of(store), json, strict):
        raise typer.Exit(1)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="HAR files, VCR cassettes (YAML or JSON).")],
    into: Annotated[Path | None, typer.Option("--into", help="Store the events in this file, too.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Whose calls they were.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="The session they belong to.")] = None,
    json: opt.Json = False,
) -> None:
    """What a recording of old traffic called, and what it cost."""
    from . import _replay

    _replay.replay(files, into, user, session, json)


@app.command()
def ui(
    store: opt.Store = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="By default 8642, or any free one.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Serve the store as a page, on this machine only; the address it prints is the key. Ctrl-C ends it."""
    try:
        from ..page import _serve
    except ModuleNotFoundError as exc:
        raise Failure(f"{exc.name} is missing: pip install 'amplitude-ai-wire[cli,ui]'", 2) from None

    def tell(address: str) -> None:
        if json:
            out.as_json({"url": address}, indent=None)
        else:
            out.write(address)
        sys.stdout.flush()  # before the hint, where both go to one file
        if not json:
            out.hint("Whoever has this address can read the store. Ctrl-C ends it.")

    _serve.serve(opt.path_of(store), port, open_browser, tell)


@app.command()
def report(
    store: opt.Store = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained page to this file.")] = None,
    md: Annotated[bool, typer.Option("--md", help="Print Markdown, for a pull request.")] = False,
    user: opt.User = None,
    model: opt.Model = None,
    agent: opt.Agent = None,
    since: opt.Since = None,
    until: opt.Until = None,
) -> None:
    """The overview as a file to send to somebody: sums and names, no prompts and no answers."""
    if html is None and not md:
        raise typer.BadParameter("say --html out.html or --md")
    try:
        from ..page import _report
    except ModuleNotFoundError as exc:
        raise Failure(f"{exc.name} is missing: pip install 'amplitude-ai-wire[cli,ui]'", 2) from None
    which = opt.calls(user=user, model=model, agent=agent, since=since, until=until)
    where = opt.path_of(store)
    if html is not None:
        html.write_text(_report.html(where, which), encoding="utf-8")
        out.hint(f"The report is in {html}")
    if md:
        out.write(_report.markdown(where, which))
    if opt.is_empty(store):
        out.hint(_EMPTY)


def _list(rows: list[Row], columns: tuple[out.Column, ...], json: bool, filtered: bool) -> None:
    if json:
        out.as_json(rows)
    elif rows:
        out.table(rows, columns)
    if not rows:
        out.hint(_WIDER if filtered else _EMPTY)
