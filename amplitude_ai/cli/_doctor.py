"""``doctor``: what is here, what is watched, what stays unseen, and whether it works; an exit code for CI.

Each check is a `Finding`. Nothing leaves the machine: the self-test calls a provider on loopback.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.text import Text

from .. import _clock, _public
from .._config import env_api_key, env_server_url, env_server_zone, env_spool
from ..delivery._ai_event import is_refused
from ..delivery._spooling import spool_path
from ..instrumentation.install import install_transport, uninstall_transport, watched_libraries
from ..look._about import about
from ..look._reader import Reader, StoreMissingError, StoreUnreadableError
from ..look._text import one_line
from ..testing import EventList
from . import _doctor_lists as lists
from ._loopback import STACKS, Loopback, chat, is_here
from ._output import as_json, console, is_terminal, write

OK, INFO, WARNING, PROBLEM = "ok", "info", "warning", "problem"
#: Prices older than so many days may be wrong.
_OLD_PRICES = 120
#: Newest calls whose user ids are looked at.
_IDS = 20_000
#: Below so many bytes free, the store will soon fail.
_LITTLE = 200 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; ``do`` is what to do about it."""

    section: str
    name: str
    status: str
    said: str
    do: str | None = None


def doctor(path: Path, json: bool, strict: bool) -> bool:
    """Print the findings; whether there is no problem (``strict``: and no warning)."""
    findings = list(examine(path))
    bad = {PROBLEM, WARNING} if strict else {PROBLEM}
    healthy = not any(each.status in bad for each in findings)
    if json:
        as_json({"healthy": healthy, "findings": [asdict(each) for each in findings]})
    else:
        _print(findings)
    return healthy


def examine(path: Path) -> Iterator[Finding]:
    """All checks, in order."""
    launched = [by for module, by in lists.LAUNCHED.items() if module in sys.modules]
    here = _installed()
    yield from _python(here)
    yield from _packages(here)
    yield from _stacks(here)
    yield from _others(here, launched)
    yield from _key()
    yield from _store(path)
    yield from _spool()
    yield from _prices(here)


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for each in metadata.distributions():
        name = each.metadata["Name"] if each.metadata is not None else None
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), each.version or "?")
    return found


def _python(here: dict[str, str]) -> Iterator[Finding]:
    version = here.get("amplitude-ai-wire", "not installed (run from its source)")
    yield Finding("this", "amplitude-ai-wire", OK, f"{version}, Python {platform.python_version()}")
    yield Finding("this", "amplitude-analytics", OK, here.get("amplitude-analytics", "?"))
    if "amplitude-ai" in here:
        yield Finding(
            "this",
            "amplitude-ai",
            PROBLEM,
            f"{here['amplitude-ai']}: Amplitude's own package has the module amplitude_ai too: one has overwritten "
            "the other",
            "keep one: pip uninstall amplitude-ai amplitude-ai-wire, then pip install the one you want",
        )


def _packages(here: dict[str, str]) -> Iterator[Finding]:
    for section, names in (("SDKs", lists.SDKS), ("frameworks", lists.FRAMEWORKS)):
        found = [name for name in names if name in here]
        for name in found:
            yield Finding(section, name, OK, here[name])
        if not found:
            yield Finding(section, "none", INFO, "none that is known here is installed")
    for name, why in lists.UNSEEN.items():
        if name in here:
            yield Finding(
                "unseen", name, INFO, f"{here[name]}: {why}", "record such calls by hand: llm_session, emit_*"
            )


def _stacks(here: dict[str, str]) -> Iterator[Finding]:
    watched = watched_libraries()
    for name, call in STACKS.items():
        if not is_here(name):
            continue
        version = platform.python_version() if name == "http.client" else here.get(name, "?")
        if name not in watched:
            yield Finding("HTTP", name, WARNING, f"{version}: not watched by this version")
            continue
        failure = _self_test(call)
        if failure is None:
            yield Finding("HTTP", name, OK, f"{version}, watched; a call on loopback was recorded")
        else:
            yield Finding(
                "HTTP",
                name,
                PROBLEM,
                f"{version}: {failure}",
                "is another tool wrapping it? report it with the output of doctor --json",
            )


def _self_test(call: Any) -> str | None:
    """Make one call by a library; what is wrong with what was recorded of it, ``None`` where nothing is."""
    events = EventList()
    quiet = logging.getLogger("amplitude.ai")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    install_transport(amplitude_client=events, console=False)
    try:
        with Loopback() as provider:
            call(f"{provider.url}/v1/chat/completions", [chat({"role": "user", "content": "Hello"})])
            _public.flush(5)
            answers = provider.answers
    except Exception as exc:
        return f"the call itself failed: {type(exc).__name__}: {one_line(exc)}"
    finally:
        uninstall_transport()
        quiet.setLevel(level)
    recorded = events.of_type("llm_message")
    if len(recorded) != answers:
        return f"{answers} call was made and {len(recorded)} recorded"
    if recorded[0].get("output_tokens") != 25:
        return "the call was recorded without its tokens"
    return None


def _others(here: dict[str, str], launched: list[str]) -> Iterator[Finding]:
    active = {name: f"{variable} is set" for variable, name in lists.SWITCHES.items() if _is_on(variable)}
    active.update(dict.fromkeys(launched, "this process was started by it"))
    for name in [name for name in lists.INSTRUMENTATION if name in here and name not in active]:
        yield Finding(
            "others", name, INFO, f"{here[name]}: installed; where it records the same calls, add only one up"
        )
    for name, why in active.items():
        yield Finding(
            "others", name, WARNING, f"active ({why}): it records the same calls", "add only one of the two up"
        )


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no")


def _key() -> Iterator[Finding]:
    key = env_api_key()
    if key is None:
        yield Finding(
            "Amplitude",
            "key",
            INFO,
            "AMPLITUDE_API_KEY is not set: events go to the store",
            "set it to send to Amplitude",
        )
    elif not re.fullmatch(r"[0-9a-f]{32}", key):
        yield Finding(
            "Amplitude",
            "key",
            WARNING,
            f"AMPLITUDE_API_KEY has {len(key)} characters; keys of Amplitude have 32, of 0-9 and a-f",
            "copy the project's API key, not its secret key, without quotes",
        )
    else:
        yield Finding("Amplitude", "key", OK, "AMPLITUDE_API_KEY is set, and looks like one (it was not tried)")
    zone = os.environ.get("AMPLITUDE_SERVER_ZONE", "").strip()
    if zone and zone.upper() not in ("US", "EU"):
        yield Finding("Amplitude", "zone", PROBLEM, f"AMPLITUDE_SERVER_ZONE is {one_line(zone, 40)!r}", "US or EU")
    else:
        where = env_server_url()
        told = f"AMPLITUDE_SERVER_URL, {one_line(where, 100)}" if where else env_server_zone() or "US"
        yield Finding("Amplitude", "zone", OK, told)


def _store(path: Path) -> Iterator[Finding]:
    facts = about(path)
    if not facts["exists"]:
        yield Finding("store", "file", INFO, f"{path}: not there yet", "amplitude-ai-wire demo makes one to look at")
    elif "error" in facts:
        yield Finding("store", "file", PROBLEM, str(facts["error"]), "set AMPLITUDE_AI_STORE, or move the file away")
    else:
        span = f"{facts['oldest']} to {facts['newest']}" if facts["events"] else "empty"
        said = f"{path}: {facts['events']:,} events, {facts['bytes'] / 1e6:,.1f} MB, {span}"
        yield Finding("store", "file", OK, said)
        yield from _mode("store", path)
        yield from _ids(path)
    place = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not os.access(place, os.W_OK):
        yield Finding(
            "store", "place", PROBLEM, f"{place} cannot be written", "set AMPLITUDE_AI_STORE to a place that can"
        )
    elif (free := shutil.disk_usage(place).free) < _LITTLE:
        yield Finding("store", "place", WARNING, f"{free / 1e6:,.0f} MB are free at {place}", "make room, or purge")


def _mode(section: str, path: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        yield Finding(
            section, "mode", WARNING, f"{path} has mode {mode:04o}: others can read prompts", f"chmod 600 {path}"
        )


def _ids(path: Path) -> Iterator[Finding]:
    try:
        with Reader(path) as reader:
            newest = "SELECT user_id FROM events ORDER BY id DESC LIMIT ?"
            users = [row[0] for row in reader.tuples(f"SELECT DISTINCT user_id FROM ({newest})", (_IDS,))]
    except (StoreMissingError, StoreUnreadableError, sqlite3.Error):
        return
    refused = [user for user in users if isinstance(user, str) and is_refused(user)]
    if refused:
        yield Finding(
            "store",
            "user ids",
            WARNING,
            f"{len(refused)} user ids are too short or reserved for Amplitude, such as {one_line(refused[0], 40)!r}; "
            "their events are sent with a device id instead",
            "use ids of five characters or more",
        )


def _spool() -> Iterator[Finding]:
    where = env_spool()
    if not where:
        yield Finding("spool", "file", INFO, "off: what Amplitude has not acknowledged dies with the process")
        return
    path = spool_path(where)
    if not path.exists():
        yield Finding("spool", "file", OK, f"{path}: not there yet")
        return
    yield Finding("spool", "file", OK, f"{path}: {path.stat().st_size / 1e6:,.1f} MB")
    yield from _mode("spool", path)


def _prices(here: dict[str, str]) -> Iterator[Finding]:
    # The package does not say when its table was made; it cannot be younger than the file.
    try:
        files = [each for each in metadata.files("genai-prices") or () if each.name == "data.py"]
        made_s = Path(str(files[0].locate())).stat().st_mtime
    except (metadata.PackageNotFoundError, IndexError, OSError) as exc:
        yield Finding("prices", "genai-prices", WARNING, f"its table was not found: {type(exc).__name__}")
        return
    days = int((_clock.wall_s() - made_s) // 86400)
    said = f"{here.get('genai-prices', '?')}: its table is on this machine since {days} days"
    if days > _OLD_PRICES:
        yield Finding("prices", "genai-prices", WARNING, said, "pip install --upgrade genai-prices")
    else:
        yield Finding("prices", "genai-prices", OK, said)


_STYLES = {OK: "green", INFO: "dim", WARNING: "yellow", PROBLEM: "bold red"}


def _print(findings: list[Finding]) -> None:
    for each in findings:
        do = f"  → {each.do}" if each.do and each.status != INFO else ""
        if is_terminal():
            console().print(
                Text.assemble(
                    (f"{each.status:<8}", _STYLES[each.status]),
                    f" {each.section:<11}{each.name:<24} ",
                    one_line(each.said, 400),
                    (do, "bold"),
                ),
                soft_wrap=True,
            )
        else:
            write("\t".join((each.status, each.section, each.name, one_line(each.said, 400), one_line(each.do or ""))))
    counts = {kind: sum(each.status == kind for each in findings) for kind in (PROBLEM, WARNING)}
    write(f"{counts[PROBLEM]} problems, {counts[WARNING]} warnings")
