"""``make suites``: the own suites of the HTTP libraries and SDKs whose sdists carry them, in three modes.

Without us, under the hook, and with every request watched: the same tests must pass. Each suite is fetched from the
package registry when this runs, into ``.suites/``, with an environment of its own; nothing of it is copied here.
``make suites LIBRARIES=requests,httpx`` runs some.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".suites"
MODES = ("without", "hook", "every")
#: How long one run of a suite may take, in seconds.
PATIENCE = 900


@dataclass(frozen=True, slots=True)
class Suite:
    """One library's tests.

    Attributes:
        needs: what they import.
        tests: files and folders of the sdist to run.
        copied: folders of the sdist that they need beside them.
        options: of pytest.
    """

    needs: tuple[str, ...]
    tests: tuple[str, ...]
    copied: tuple[str, ...] = ("tests",)
    options: tuple[str, ...] = ()


_AIOHTTP = ("request", "response", "session", "functional", "middleware", "exceptions", "connection", "proto")
_SDK = ("respx", "pytest-asyncio", "dirty-equals", "time-machine", "nest_asyncio", "pytest-xdist", "boto3")
SUITES = {
    "requests": Suite(
        ("pytest<9", "pytest-httpbin", "httpbin", "pytest-mock", "PySocks", "trustme", "flask<3.2"), ("tests",)
    ),
    "urllib3": Suite(
        (
            *("pytest", "trustme", "anyio[trio]", "h2", "httpx", "hypercorn", "pysocks", "pytest-socket"),
            *("pytest-timeout", "quart", "quart-trio", "cryptography", "pyopenssl", "idna"),
        ),
        # The whole of it takes a quarter of an hour, most of it about TLS.
        ("test/with_dummyserver/test_connectionpool.py", "test/test_response.py", "test/test_connectionpool.py"),
        ("test", "dummyserver"),
        ("--timeout=60",),
    ),
    "httpx": Suite(
        ("pytest<9", "uvicorn", "trustme", "chardet", "trio", "cryptography", "httpx[brotli,cli,http2,socks,zstd]"),
        ("tests",),
    ),
    "aiohttp": Suite(
        (
            *("pytest", "pytest-mock", "pytest-xdist", "re-assert", "freezegun", "trustme", "time-machine"),
            *("proxy.py", "blockbuster", "isal", "zlib_ng", "pytest-codspeed", "pytest-timeout", "python-on-whales"),
            *("brotli", "cryptography", "coverage", "setuptools"),
        ),
        tuple(f"tests/test_client_{each}.py" for each in _AIOHTTP),
    ),
    "openai": Suite(
        (*_SDK, "pytest", "inline-snapshot", "rich", "pytest-mock", "openai[aiohttp]"),
        ("tests/test_client.py", "tests/test_streaming.py", "tests/test_response.py", "tests/test_legacy_response.py"),
    ),
    "anthropic": Suite(
        (*_SDK, "pytest", "inline-snapshot", "http-snapshot[httpx]", "anthropic[aiohttp,bedrock,vertex]"),
        ("tests/test_client.py", "tests/test_streaming.py", "tests/test_response.py", "tests/test_middleware.py"),
    ),
}


def fetch(name: str, suite: Suite) -> Path | str:
    """The environment and the suite beside it; why not, when that cannot be had."""
    place = FOLDER / name
    python = place / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(place / "venv", with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
    sources = place / "sdist"
    shutil.rmtree(sources, ignore_errors=True)
    uv = shutil.which("uv")
    install = [uv, "pip", "install", "-q", "--python", str(python)] if uv else [*pip, "install"]
    steps = [
        [*install, "-e", str(ROOT), *(suite.needs if name in " ".join(suite.needs) else (name, *suite.needs))],
        [*pip, "download", "--no-deps", "--no-binary", name, "-d", str(sources), name],
    ]
    for step in steps:
        if name != step[-1]:
            done = subprocess.run(step, capture_output=True, text=True)
        else:  # the sdist of the version that is installed
            text = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
            version = subprocess.run([python, "-c", text, name], capture_output=True, text=True).stdout.strip()
            done = subprocess.run([*step[:-1], f"{name}=={version}"], capture_output=True, text=True)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    (packed,) = sources.glob("*.tar.gz")
    unpacked = place / "suite"
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(packed) as archive:
        archive.extractall(place / "all", filter="data")
    (inside,) = (place / "all").iterdir()
    unpacked.mkdir()
    for folder in suite.copied:  # the tests alone, so that the library that is installed is the one that is tested
        shutil.copytree(inside / folder, unpacked / folder)
    for settings in ("pyproject.toml", "setup.cfg"):
        if (inside / settings).exists():
            shutil.copy(inside / settings, unpacked)
    shutil.rmtree(place / "all")
    return python


def run(name: str, python: Path, mode: str, tests: list[str]) -> tuple[dict[str, str], dict[str, int], str]:
    """The outcome of each test, our counters, and the last line pytest printed."""
    told = FOLDER / name / f"{mode}.json"
    told.unlink(missing_ok=True)
    env = {
        **{key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")},
        "PYTHONPATH": str(Path(__file__).parent),  # not the root: their folders are called tests, too
        "SUITE_MODE": mode,
        "SUITE_OUTCOMES": str(told),
        "AMPLITUDE_AI_STORE": str(FOLDER / name / "events.db"),
    }
    command = [python, "-m", "pytest", "-p", "_watching", "-o", "addopts=", "-o", "xfail_strict=false"]
    more = ["-q", "-x", "--maxfail=100000", "-p", "no:cacheprovider", "-W", "default"]
    log = FOLDER / name / f"{mode}.log"
    with log.open("w") as output, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [*command, *more, *SUITES[name].options, *tests],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=FOLDER / name / "suite",
            env=env,
            timeout=PATIENCE,
        )
    last = (log.read_text().strip().splitlines() or ["no output"])[-1]
    if not told.exists():
        return {}, {}, last
    both = json.loads(told.read_text())
    return both["outcomes"], both["stats"], last


def compare(name: str) -> bool:
    """Run one suite in the three modes; print a row for each, and the tests that differ twice."""
    suite = SUITES[name]
    python = fetch(name, suite)
    if isinstance(python, str):
        print(f"| {name} | – | cannot be fetched: {python} |", flush=True)
        return False
    fine = True
    plain: dict[str, str] = {}
    for mode in MODES:
        outcomes, stats, last = run(name, python, mode, list(suite.tests))
        plain = plain or outcomes
        differing = [test for test in plain | outcomes if plain.get(test) != outcomes.get(test)]
        steady = differing
        if differing and len(differing) < 200:  # some are unsteady by themselves: once more, both ways
            again = [run(name, python, each, differing)[0] for each in ("without", mode)]
            steady = [test for test in differing if again[0].get(test) != again[1].get(test)]
        watched = f", {stats.get('started', 0)} captures begun, {stats.get('captured', 0)} finished" if stats else ""
        swallowed = stats.get("internal_errors", 0)
        watched += f", {swallowed} errors of ours" if swallowed else ""
        print(f"| {name} | {mode} | {last}{watched}; {len(steady)} differ |", flush=True)
        if not outcomes:
            print(f"    nothing ran: see {FOLDER.name}/{name}/{mode}.log", flush=True)
        for test in steady if outcomes else ():
            print(f"    {test}: {plain.get(test)} without us, {outcomes.get(test)} with us", flush=True)
        fine &= bool(plain) and not steady and not swallowed
    return fine


if __name__ == "__main__":
    asked = [one for one in sys.argv[1:] if one] or list(SUITES)
    if unknown := sorted({*asked} - {*SUITES}):
        sys.exit(f"LIBRARIES: {', '.join(unknown)}: there is no such suite; there are {', '.join(SUITES)}")
    FOLDER.mkdir(exist_ok=True)
    results = [compare(name) for name in asked]
    sys.exit(not all(results))
