"""The pages: what each shows of the store. Every text goes through Jinja's escaping and through `harmless` before."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec.structs import asdict, replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .. import _clock
from ..look import _calls, _sums
from ..look._filter import Filter
from ..look._reader import Reader, StoreMissingError, StoreUnreadableError
from ..look._text import harmless, one_line
from ..look._when import iso, moment_ms
from . import _charts
from ._overview import RANGES, overview
from ._session import placed, turns
from ._timeline import timeline

_PAGE = 50
#: Characters of one text that a page shows.
_TEXT = 20_000
#: Characters that can be looked for.
_LOOKED_FOR = 2_000
#: How long one page may read, in seconds.
_SECONDS = 20.0
_TEXTS = ("user", "session", "model", "provider", "agent", "text")


def environment() -> Environment:
    """Templates that escape everything."""
    made = Environment(
        loader=PackageLoader("amplitude_ai.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters.update(
        cell=one_line,
        text=lambda value: harmless(str(value), _TEXT, lines=True),
        plain=lambda value: format(Decimal(repr(value)), "f") if isinstance(value, float) else value,  # no 1e-05
        moment=lambda value: (value or "–")[:19].replace("T", " "),
        usd=usd,
        figure=_charts.figure,
        link=lambda values: urlencode(
            {name: value for name, value in values.items() if value not in (None, "", False)}
        ),
        percent=lambda value: "–" if value is None else f"{100 * value:.1f}%",
    )
    return made


def usd(value: Any) -> str:
    """An amount of money."""
    if not isinstance(value, int | float):
        return "–"
    return f"${value:,.2f}" if abs(value) >= 100 or value == 0 else f"${value:.6f}"


class Pages:
    """All pages of the store at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._templates = environment()
        # The last overview: it is asked for again and again while nothing has changed.
        self._last: tuple[Any, Any] | None = None

    def app(self) -> Starlette:
        """The application, without its guard."""
        views = {
            "/": self.overview,
            "/sessions": self.sessions,
            "/session": self.session,
            "/call": self.call,
            "/search": self.search,
            "/version": self.version,
        }
        static = StaticFiles(packages=[("amplitude_ai.page", "static")])
        return Starlette(
            routes=[
                *(Route(path, self._safe(view), methods=["GET"]) for path, view in views.items()),
                Mount("/static", static),
            ]
        )

    def _safe(self, view: Callable[[Request], Response]) -> Callable[[Request], Response]:
        # A plain function: Starlette runs it on a thread of its own.
        def safe(request: Request) -> Response:
            try:
                return view(request)
            except StoreMissingError:
                return self._page("empty.html", 200, missing=str(self._path))
            except StoreUnreadableError as exc:
                return self._page("message.html", 503, title="The store cannot be read", message=str(exc))
            except sqlite3.Error as exc:
                return self._page(
                    "message.html", 503, title="This took too long, or the store is busy", message=str(exc)
                )
            except ValueError as exc:
                return self._page("message.html", 400, title="This cannot be looked for", message=str(exc))

        return safe

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        values = {"store": str(self._path), "here": "", **values}
        return HTMLResponse(self._templates.get_template(template).render(values), status)

    def _reader(self) -> Reader:
        reader = Reader(self._path)
        reader.stop_after(_SECONDS, _clock.monotonic_s)
        return reader

    def version(self, request: Request) -> Response:
        """A number that changes when something was stored or removed."""
        with self._reader() as reader:
            return PlainTextResponse(
                str(reader.one("SELECT (SELECT max(id) FROM events) || '.' || (SELECT min(id) FROM events)") or 0)
            )

    def overview(self, request: Request) -> Response:
        """Usage, performance, cost and behaviour."""
        asked = request.query_params
        span = asked.get("range") if asked.get("range") in RANGES else "7d"
        which = _filter(asked)
        length = RANGES[str(span)]
        with self._reader() as reader:
            newest = reader.one("SELECT max(id) FROM events")
            first, last = _sums.bounds(reader)
        if newest is None:
            return self._page("empty.html", missing=None)
        if length is not None:
            which = replace(which, since_ms=_clock.wall_ms() // 60_000 * 60_000 - length)
        key = (newest, which)
        if self._last is None or self._last[0] != key:
            self._last = (key, overview(self._path, which))
        return self._page(
            "overview.html",
            here="overview",
            data=self._last[1],
            span=span,
            ranges=list(RANGES),
            chosen=_chosen(which),
            oldest=_minute(first),
            newest=_minute(last),
        )

    def sessions(self, request: Request) -> Response:
        """Sessions, the newest first."""
        which, page = _filter(request.query_params), _number(request.query_params.get("page"))
        with self._reader() as reader:
            rows = _sums.sessions(reader, which, _PAGE + 1, page * _PAGE)
        return self._page(
            "sessions.html",
            here="sessions",
            rows=rows[:_PAGE],
            page=page,
            more=len(rows) > _PAGE,
            chosen=_chosen(which),
        )

    def session(self, request: Request) -> Response:
        """One session as a conversation, with what ran when."""
        name = request.query_params.get("id", "")
        with self._reader() as reader:
            events = _calls.session(reader, name)
            rows = _sums.costs(reader, "session", Filter(session=name))
        if not events:
            return self._page("message.html", 404, title="No such session", message=name)
        session = placed(events)
        return self._page(
            "session.html",
            here="sessions",
            name=name,
            turns=turns(session),
            total=rows[0] if rows else None,
            timeline=timeline(session),
            cut=len(events) >= _calls.SESSION_EVENTS,
        )

    def call(self, request: Request) -> Response:
        """One event, whole."""
        with self._reader() as reader:
            found = _calls.find(reader, request.query_params.get("id", ""))
        if len(found) != 1:
            return self._page("message.html", 404, title="No such call", message=request.query_params.get("id", ""))
        return self._page("call.html", here="search", event=found[0])

    def search(self, request: Request) -> Response:
        """Calls by filters, all of which are in the address."""
        asked = request.query_params
        which = _filter(asked)
        before = None
        if asked.get("before"):
            at, _, row = asked["before"].partition(".")
            before = (_number(at), _number(row))
        with self._reader() as reader:
            rows = _calls.newest(reader, which, _PAGE + 1, before)
        more = len(rows) > _PAGE
        rows = rows[:_PAGE]
        return self._page(
            "search.html",
            here="search",
            rows=rows,
            chosen=_chosen(which) | {"since": asked.get("since") or "", "until": asked.get("until") or ""},
            older=f"{rows[-1]['time_ms']}.{rows[-1]['row']}" if more else None,
        )


def _minute(time_ms: int | None) -> str:
    return (iso(time_ms) or "–")[:16].replace("T", " ")


def _filter(asked: Any) -> Filter:
    """The filter in an address.

    Raises:
        ValueError: a moment that is none.
    """
    now = _clock.wall_ms()
    texts = {name: asked.get(name) or None for name in _TEXTS}
    if any(len(text) > _LOOKED_FOR for text in texts.values() if text):
        raise ValueError(f"texts of more than {_LOOKED_FOR:,} characters are not looked for")
    since, until = asked.get("since"), asked.get("until")
    return Filter(
        **texts,
        errors=asked.get("errors") in ("1", "on", "true"),
        since_ms=moment_ms(since, now) if since else None,
        until_ms=moment_ms(until, now) if until else None,
    )


def _chosen(which: Filter) -> dict[str, Any]:
    return {name: said or "" for name, said in asdict(which).items() if not name.endswith("_ms")}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else 0
