"""The import rule: rooms stand on floors, and nobody imports from a floor above, lazily or for types alone either."""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "amplitude_ai"
#: From the ground up. A room may import from its own floor's other rooms only where no circle comes of it (checked).
FLOORS = (
    ("_harmless", "_guard", "_native", "_fact", "_pattern", "_elide", "_safe", "_alias", "_mistakes", "_usage"),
    ("_clock",),
    ("pricing",),
    ("_config",),
    ("_models",),
    ("_redact", "_process_hooks", "_arguments"),
    ("_foreign", "_threads", "_surroundings"),
    ("_worker", "_flush_tie", "_scope"),
    ("_propagate", "transports", "parsers", "web"),
    ("parsing", "sessions"),
    ("look", "_preload"),
    ("delivery",),
    ("_ends",),
    ("_runtime",),
    ("_public", "testing", "_cassette", "manual", "plugins", "instrumentation"),
    ("clients",),
    ("page", "otel", "pytest_plugin"),
    ("cli",),
    ("__main__", "__init__", "_pyinstaller"),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
#: What a room must not know, whatever its floor.
NEVER = {
    "transports": {"parsers", "sessions", "delivery", "_runtime"},
    "parsers": {"transports", "sessions", "delivery", "_clock", "_runtime"},
    "sessions": {"transports", "delivery", "_runtime"},
}
#: HTTP libraries, which parsers and sessions know nothing of.
HTTP = {"httpx", "httpx2", "requests", "aiohttp", "urllib3", "http"}


def imports():
    """(file, its room, imported module's absolute name, whether it is ours) of every import there is."""
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        package = ["amplitude_ai", *relative.parts[:-1]]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((relative, room, alias.name, alias.name.startswith("amplitude_ai")) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    yield relative, room, f"{module}.{alias.name}", module.startswith("amplitude_ai")


def arrows():
    """From each file to the rooms it imports from, its own left out."""
    for relative, room, name, ours in imports():
        parts = name.split(".")
        if (
            ours
            and len(parts) > 1
            and parts[1] != room
            and (PACKAGE / parts[1]).exists() | (PACKAGE / f"{parts[1]}.py").exists()
        ):
            yield relative, room, parts[1]


def test_the_imports_are_found():
    """Or the rules below would hold of nothing: hundreds, lazy ones and such as name a module of ours in full too."""
    found = {(str(relative), target) for relative, _, target in arrows()}
    assert len(found) > 300
    assert {("parsers/_read.py", "_models"), ("_runtime.py", "sessions")} <= found
    assert any(not ours and name.split(".")[0] == "httpx2" for _, _, name, ours in imports())


def test_every_room_has_its_floor():
    """A new file or folder at the top is given one here."""
    rooms = {
        path.name.removesuffix(".py")
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms <= FLOOR.keys()


def test_no_arrow_points_up():
    """Whoever is above knows those below, never the other way round."""
    wrong = {f"{relative} imports from {target}" for relative, room, target in arrows() if FLOOR[target] > FLOOR[room]}
    assert not wrong


def test_no_circle_of_rooms():
    """On one floor too: from no room a way leads back to it."""
    knows = defaultdict(set)
    for _, room, target in arrows():
        knows[room].add(target)
    for start in list(knows):
        seen, waiting = set(), list(knows[start])
        while waiting:
            room = waiting.pop()
            assert room != start, f"{start} is in a circle"
            if room not in seen:
                seen.add(room)
                waiting += knows.get(room, ())


def test_what_a_room_must_not_know():
    """Transports know no provider, parsers no HTTP library and no session, sessions nothing of either way out."""
    wrong = {f"{relative} knows {target}" for relative, room, target in arrows() if target in NEVER.get(room, ())}
    wrong |= {
        f"{relative} imports {name}"
        for relative, room, name, ours in imports()
        if not ours and room in ("parsers", "sessions") and name.split(".")[0] in HTTP
    }
    assert not wrong


def test_no_private_of_another_room():
    """What a file keeps to itself (a name with an underscore in it, not a file's own name) no other room imports."""
    wrong = set()
    for relative, room, name, ours in imports():
        parts = name.split(".")
        module = PACKAGE.joinpath(*parts[1:])
        is_file = module.with_suffix(".py").exists() or module.is_dir()
        if ours and len(parts) > 2 and parts[1] != room and parts[-1][0] == "_" != parts[-1][1] and not is_file:
            wrong.add(f"{relative} imports {name}")
    assert not wrong


def test_the_error_threshold_is_one():
    """Which status is a refusal says `_models.is_refusal`, for parsers, sessions and SDKs' errors alike."""
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Constant) and part.value in (399, 400) for part in (node.left, *node.comparators))
    }
    # A redirect, and what Amplitude itself answers, are other questions.
    assert found == {"_models.py", "parsers/_read.py", "delivery/_delivery.py"}


def heads():
    """(file, its room, what its head says) of every file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        said = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
        yield relative, relative.parts[0].removesuffix(".py"), said


def test_what_heads_promise_of_imports():
    """A file that says it needs the standard library only, or knows no other room, does."""
    known = list(imports())
    promised, wrong = 0, set()
    for relative, _, said in heads():
        mine = [(name, ours) for file, _, name, ours in known if file == relative]
        if "Standard library only" in said or "Imports nothing but the standard library" in said:
            promised += 1
            wrong |= {
                (str(relative), name)
                for name, ours in mine
                if not ours and name.split(".")[0] not in sys.stdlib_module_names
            }
        if "nows no other room" in said or "Knows no room" in said:
            promised += 1
            but = set(re.findall(r"`(_\w+)`", said.partition("nows no other room but")[2]))
            wrong |= {(str(relative), target) for file, _, target in arrows() if file == relative and target not in but}
    assert promised > 10
    assert not wrong


def test_parsers_are_pure():
    """Their room's head says: no clock, environment, log or thread."""
    never = {"logging", "os", "_thread", "time", "asyncio", "socket", "threading.Thread", "concurrent"}
    assert not {
        f"{relative} imports {name}"
        for relative, room, name, _ in imports()
        if room == "parsers" and (name in never or name.split(".")[0] in never)
    }
