"""The options that several commands share."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import __version__, _clock
from ..delivery._location import default_path
from ..look._filter import Filter
from ..look._reader import Reader
from ..look._when import moment_ms
from ._output import write

if TYPE_CHECKING:
    from collections.abc import Iterator

Store = Annotated[
    Path | None,
    typer.Option(
        "--store", help="The store's file; by default AMPLITUDE_AI_STORE, else the user's own.", metavar="FILE"
    ),
]


def _say_version(asked: bool) -> None:
    if asked:
        write(f"amplitude-ai-wire {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option("-n", "--limit", min=1, max=1_000_000, help="How many at the most.")]
User = Annotated[str | None, typer.Option("--user", help="Only of this user id.")]
Session = Annotated[str | None, typer.Option("--session", help="Only of this session id.")]
Model = Annotated[str | None, typer.Option("--model", help="Only of models with this in their name.")]
Provider = Annotated[str | None, typer.Option("--provider", help="Only of this provider.")]
Agent = Annotated[str | None, typer.Option("--agent", help="Only of this agent.")]
Errors = Annotated[bool, typer.Option("--errors", help="Only failed calls.")]
Text = Annotated[str | None, typer.Option("--text", help="Only with this text in prompt, answer or error.")]
Since = Annotated[str | None, typer.Option("--since", help="Not before: 15m, 2h, 7d (ago), today, 2026-01-31.")]
Until = Annotated[str | None, typer.Option("--until", help="Before: as --since.")]

#: What ``--store`` before the command said.
chosen: list[Path] = []


def path_of(store: Path | None) -> Path:
    """The store's path: the command's option, the one before the command, the environment's, the default."""
    named = store or (chosen[0] if chosen else None)
    return named.expanduser() if named is not None else default_path()


@contextmanager
def reader(store: Path | None) -> Iterator[Reader]:
    """The store, open for reading."""
    with Reader(path_of(store)) as opened:
        yield opened


def is_empty(store: Path | None) -> bool:
    """Whether there is a store, with nothing in it."""
    with reader(store) as opened:
        return not opened.one("SELECT EXISTS (SELECT 1 FROM events)")


def moment(text: str | None, name: str) -> int | None:
    """The moment an option names, in ms."""
    if text is None:
        return None
    try:
        return moment_ms(text, _clock.wall_ms())
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint=name) from None


def calls(
    *,
    user: str | None = None,
    session: str | None = None,
    model: str | None = None,
    provider: str | None = None,
    agent: str | None = None,
    errors: bool = False,
    text: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """The filter that the options ask for."""
    return Filter(
        user, session, model, provider, agent, errors, text, moment(since, "--since"), moment(until, "--until")
    )
