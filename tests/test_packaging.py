"""What is built and installed: a wheel and a source archive, in clean environments, typed for whoever uses them."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
USER = Path(__file__).parent / "typed_user.py"
#: Pythons beside the one that runs the tests, where they are.
OTHERS = sorted(
    {
        Path(found).resolve()
        for name in ("11", "12", "13", "14")
        if (found := shutil.which(f"python3.{name}")) and "shims" not in found
    }
    | {path.resolve() for path in Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python")}
)


def run(*command, cwd=None, **environment):
    """Run it as a stranger would: without this source tree on the path."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**env, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(wheel, source archive)"""
    out = tmp_path_factory.mktemp("dist")
    code, told = run(sys.executable, "-m", "hatchling", "build", "-d", out, "-t", "wheel", "-t", "sdist", cwd=ROOT)
    assert code == 0, told
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A Python with nothing but the wheel, and what it depends on (borrowed: those are not what is tested)."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    where = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(where, with_pip=False)
    python = where / "bin" / "python"
    code, told = run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", built[0]
    )
    assert code == 0, told
    site = next((where / "lib").glob("python*/site-packages"))
    import orjson

    # Directories named in a .pth are only searched: an editable installation of this package in them is not read.
    (site / "borrowed.pth").write_text(str(Path(orjson.__file__).parents[1]) + "\n")
    return python, site


def test_the_wheel_holds_the_package_and_nothing_else(built):
    """Every module and the marker of types, the licence and the alias; no tests, documents or sources of others."""
    names = set(zipfile.ZipFile(built[0]).namelist())
    ours = {str(path.relative_to(ROOT)) for path in (ROOT / "amplitude_ai").rglob("*.py")}
    assert ours | {"amplitude_ai/py.typed", "amplitude_ai_alias.pth"} <= names
    assert any(name.endswith("LICENSE") for name in names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "amplitude_ai",
        "amplitude_ai_alias.pth",
        "amplitude_ai_wire",
    }


def test_the_source_archive_makes_the_same_wheel(built, tmp_path):
    """What is built from the archive holds the same files, so that whoever builds it himself gets the same."""
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    code, told = run(sys.executable, "-m", "hatchling", "build", "-d", tmp_path / "out", "-t", "wheel", cwd=source)
    assert code == 0, told
    again = zipfile.ZipFile(next((tmp_path / "out").glob("*.whl")))
    assert set(again.namelist()) == set(zipfile.ZipFile(built[0]).namelist())


def test_installed_it_records(installed, tmp_path):
    """In a clean environment a call is recorded and stored, by both names of the package."""
    python, site = installed
    program = f"""
import os
os.environ["AMPLITUDE_AI_STORE"] = {str(tmp_path / "events.db")!r}
import httpx2
import amplitude_ai
from amplitude.ai import AIConfig
assert amplitude_ai.__file__.startswith({str(site)!r}), amplitude_ai.__file__
assert AIConfig is amplitude_ai.AIConfig
answer = {{"model": "gpt-4o-mini", "choices": [{{"message": {{"role": "assistant", "content": "Hi"}}}}],
          "usage": {{"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}}}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
with amplitude_ai.instrumented_httpx(transport=transport) as client:
    client.post("https://api.openai.com/v1/chat/completions",
                json={{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}]}})
assert amplitude_ai.flush(), amplitude_ai.stats()
import sqlite3
store = sqlite3.connect(os.environ["AMPLITUDE_AI_STORE"])
print(store.execute("SELECT model_name, sdk_version FROM llm_message").fetchall())
"""
    code, told = run(python, "-c", program, cwd=tmp_path)
    assert code == 0, told
    assert f"[('gpt-4o-mini', '{PROJECT['version']}')]" in told


def test_entry_points_and_extras(installed):
    """The command, pytest's plugin, and every extra of the project are in what was installed."""
    (found,) = metadata.distributions(name="amplitude-ai-wire", path=[str(installed[1])])
    assert found.version == PROJECT["version"]
    assert {(one.group, one.value) for one in found.entry_points} >= {
        ("pytest11", "amplitude_ai.pytest_plugin"),
        ("console_scripts", "amplitude_ai.cli:main"),
    }
    assert set(found.metadata.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])


def test_what_each_room_needs_is_an_extra():
    """What the package imports and does not depend on is in an extra, so that a name to install can be told."""
    told = {
        re.split(r"[\[<>=~; ]", one)[0].lower()
        for needs in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
        for one in needs
    }
    for name in ("opentelemetry-api", "django", "celery", "typer", "rich", "tiktoken", "langchain-core", "pyyaml"):
        assert name in told, name


@pytest.mark.parametrize("python", OTHERS, ids=str)
def test_other_pythons(built, tmp_path, python):
    """Each Python that is here imports what is installed, with nothing else there but what our facts are made of."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    code, told = run(python, "-m", "venv", "--without-pip", tmp_path / "venv")
    if code:
        pytest.skip(f"{python} makes no environment")
    own = tmp_path / "venv" / "bin" / "python"
    install = (sys.executable, "-m", "pip", "--python", own, "install", "--quiet", "--no-deps")
    code, told = run(*install, "--no-index", built[0])
    assert code == 0, told
    (msgspec,) = (one for one in PROJECT["dependencies"] if one.startswith("msgspec"))
    code, told = run(*install, msgspec)
    if code:
        pytest.skip("the package registry gives this Python no msgspec")
    program = (
        "import amplitude_ai, amplitude_ai.web\n"
        "amplitude_ai.AIConfig(privacy_mode=True)\n"
        "with amplitude_ai.context(user_id='ann'): print('fine')"
    )
    code, told = run(own, "-W", "error", "-c", program, cwd=tmp_path)
    assert told == "fine\n"


def expected_errors():
    """The lines of the user's file that say they are wrong."""
    return {number for number, line in enumerate(USER.read_text().splitlines(), 1) if "# error" in line}


def test_mypy_knows_the_types(installed, tmp_path):
    """mypy, strict, finds in a user's program the mistakes that are in it, and no other."""
    shutil.copy(USER, tmp_path / "user.py")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n[mypy-amplitude.*]\nignore_missing_imports = true\n")
    _, told = run(
        sys.executable, "-m", "mypy", "--python-executable", installed[0], "--no-incremental", "user.py", cwd=tmp_path
    )
    found = {int(line) for line in re.findall(r"^user\.py:(\d+): error", told, re.MULTILINE)}
    assert found == expected_errors(), told


def test_pyright_knows_the_types(installed, tmp_path):
    """pyright finds the same."""
    checker = os.environ.get("PYRIGHT") or shutil.which("pyright") or shutil.which("basedpyright")
    if checker is None:
        pytest.skip("neither pyright nor basedpyright is installed; PYRIGHT may name one")
    shutil.copy(USER, tmp_path / "user.py")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    _, told = run(checker, "--pythonpath", installed[0], "user.py", cwd=tmp_path)
    found = {int(line) for line in re.findall(r"user\.py:(\d+):\d+ - error", told)}
    assert found == expected_errors(), told


def test_without_prices_a_line_says_so(tmp_path):
    """Without genai-prices calls are recorded without a cost, and one line says what is missing."""
    program = """
import logging, sys
sys.modules["genai_prices"] = None
logging.basicConfig()
import amplitude_ai
print(amplitude_ai.calculate_cost("openai", "gpt-4o", 10, 10))
print(amplitude_ai.calculate_cost("openai", "gpt-4o", 10, 10))
"""
    code, told = run(sys.executable, "-c", program, cwd=tmp_path)
    assert code == 0, told
    assert told.count("None") == 2
    assert told.count("genai-prices is not installed") == 1
