"""How the code is laid out, in figures: ``python -m benchmarks.house`` prints the table, before the redesign and now.

"Before" are the figures the redesign began with (November 2026). "Now" is measured at each run: from imports and names
as they stand, and by one streamed call over an in-memory transport whose way on the worker's thread is followed.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import itertools
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx2

import amplitude_ai
from amplitude_ai._runtime import runtime
from amplitude_ai.testing import EventList
from tests import test_rooms

from .__main__ import CHUNK, REQUEST, URL

PACKAGE = Path(amplitude_ai.__file__).parent
TABLE = Path("sessions/schema.py")
#: The switches by this very count (calls and returns), at the commit before the first move. By calls alone they were
#: 201; the 249 the redesign began with were counted in a way that nobody wrote down.
BEFORE = {
    "lines": "15,374",
    "rooms": "30",
    "floors": "13",
    "imports that point up": "3",
    "circles of rooms": "1 (11 files)",
    "switches of file on the worker, one streamed call": "406 (31 files)",
    "switches of room on the worker, the same": "128 (15 rooms)",
    "types a user id passes through": "6",
    "files that spell tool_parameters outside the table": "8",
}


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def rooms() -> dict[str, str]:
    """The graph that `tests.test_rooms` guards; floors are the longest way down, not the test's allowance."""
    knows: dict[str, set[str]] = defaultdict(set)
    for _, room, target in test_rooms.arrows():
        knows[room].add(target)
        knows.setdefault(target, set())
    up = sum(test_rooms.FLOOR[target] > test_rooms.FLOOR[room] for room in knows for target in knows[room])
    floors: dict[str, int] = {}

    def floor(room: str, way: tuple[str, ...] = ()) -> int:
        if room in way:
            raise ValueError(f"a circle: {(*way, room)}")
        if room not in floors:
            floors[room] = 1 + max((floor(below, (*way, room)) for below in knows[room]), default=0)
        return floors[room]

    try:
        height, circles = str(max(map(floor, list(knows)))), "0"
    except ValueError as found:
        height, circles = "-", str(found)
    return {"rooms": str(len(knows)), "floors": height, "imports that point up": str(up), "circles of rooms": circles}


def switches() -> tuple[str, str]:
    """How often the worker goes from one file of ours to another, calls and returns, for one streamed call."""
    seen: list[str] = []

    def follow(frame: Any, event: str, _: object) -> None:
        frame = frame if event == "call" else frame.f_back if event == "return" else None
        if frame is not None and frame.f_code.co_filename.startswith(str(PACKAGE)):
            seen.append(frame.f_code.co_filename)

    def hook(_: object) -> list[Any]:
        sys.setprofile(follow)
        return []

    headers = {"content-type": "text/event-stream"}
    body = CHUNK * 3 + b"data: [DONE]\n\n"
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, headers=headers, content=body))
    events = EventList()
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events, session_id="s") as client:
        for text in ("Hello", "Hello again"):  # the first makes what is made once
            runtime.worker.submit(hook)
            assert amplitude_ai.flush(60)
            seen.clear()
            client.post(URL, json={**REQUEST, "stream": True, "messages": [{"role": "user", "content": text}]})
            assert amplitude_ai.flush(60)
        assert len(events.of_type("llm_message")) == 2
    rooms = [Path(name).relative_to(PACKAGE).parts[0] for name in seen]
    by_file, by_room = (sum(a != b for a, b in itertools.pairwise(way)) for way in (seen, rooms))
    return f"{by_file} ({len(set(seen))} files)", f"{by_room} ({len(set(rooms))} rooms)"


def holders() -> list[str]:
    """The types that hold a user id and that a call passes through: records of ours with such a field."""
    found = []
    for path in files():
        room = path.relative_to(PACKAGE).parts[0]
        if room in ("cli", "look", "page", "plugins", "web", "clients"):
            continue  # beside the way
        module = importlib.import_module(".".join(("amplitude_ai", *path.relative_to(PACKAGE).with_suffix("").parts)))
        for name, value in vars(module).items():
            own = isinstance(value, type) and value.__module__ == module.__name__ and dataclasses.is_dataclass(value)
            if own and any(field.name == "user_id" for field in dataclasses.fields(value)):
                found.append(name)
    return found


def spellings(name: str) -> list[str]:
    """The files with that text as a whole literal, the table's own left out."""
    return [
        str(path.relative_to(PACKAGE))
        for path in files()
        if path.relative_to(PACKAGE) != TABLE
        and any(isinstance(node, ast.Constant) and node.value == name for node in ast.walk(ast.parse(path.read_text())))
    ]


def main() -> None:
    held, spelt = holders(), spellings("tool_parameters")
    by_file, by_room = switches()
    now = {
        "lines": f"{sum(len(path.read_text().splitlines()) for path in files()):,}",
        **rooms(),
        "switches of file on the worker, one streamed call": by_file,
        "switches of room on the worker, the same": by_room,
        "types a user id passes through": f"{len(held)} ({', '.join(held)})",
        "files that spell tool_parameters outside the table": f"{len(spelt)} ({', '.join(spelt)})",
    }
    print(f"{'':52}{'before':>16}  now")
    for name, figure in now.items():
        print(f"{name:52}{BEFORE[name]:>16}  {figure}")


if __name__ == "__main__":
    main()
