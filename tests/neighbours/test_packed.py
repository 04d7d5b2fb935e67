"""Applications in one file: a zip that Python runs, and PyInstaller's (``make neighbours``)."""

import json
import os
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

from ._environments import ROOT, environment, python

PROGRAM = Path(__file__).with_name("by_packed.py")
SEEN = {"calls": 3, "priced": 3, "errors": 0, "stored": True}


def saw(command, server, folder):
    """What the application printed, which finds nothing of ours but what is in its file."""
    told = environment(AMPLITUDE_AI_STORE=str(folder / "events.db")) | {"PYTHONPATH": ""}
    done = subprocess.run(
        [*command, f"{server.url}/v1/chat/completions"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=told,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_a_zip(bare_server, tmp_path):
    """``python -m zipapp``, with what is compiled beside it."""
    pytest.importorskip("httpx2")
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "amplitude_ai", tmp_path / "app" / "amplitude_ai", ignore=leave)
    text = PROGRAM.read_text() + 'print(amplitude_ai.__file__, file=__import__("sys").stderr)\n'
    (tmp_path / "app" / "__main__.py").write_text(text)
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    shutil.rmtree(tmp_path / "app")
    seen = saw([sys.executable, str(tmp_path / "app.pyz")], bare_server, tmp_path)
    assert {name: seen[name] for name in SEEN} == SEEN


def test_pyinstaller(bare_server, tmp_path):
    """Our leaves, which are imported by name, are in it; libraries that the application has no use for are not."""
    interpreter = python("pyinstaller", "PyInstaller", "httpx", "httpx2")
    if interpreter is None:
        pytest.skip("PyInstaller is not in this environment: make neighbours")
    shutil.copy(PROGRAM, tmp_path / "packed.py")
    made = subprocess.run(
        [interpreter, "-m", "PyInstaller", "--onefile", "--log-level", "ERROR", "packed.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(PATH=os.environ["PATH"]),
        timeout=400,
    )
    assert made.returncode == 0, made.stderr[-4000:]
    assert saw([str(tmp_path / "dist" / "packed")], bare_server, tmp_path) == {**SEEN, "useless": []}
