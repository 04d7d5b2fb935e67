"""``from amplitude.ai import ...`` beside ``from amplitude_ai import ...``: one package, two names."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python(code, *, executable=sys.executable, **environment):
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_both_names_are_one_module():
    """The names, the submodules and their state are the same objects, whichever is imported first."""
    code = (
        "{}; import amplitude, amplitude.ai, amplitude_ai, amplitude.ai.testing, amplitude_ai.testing, sys;"
        "from amplitude.ai import AIConfig;"
        "print(amplitude.ai is amplitude_ai, AIConfig is amplitude_ai.AIConfig,"
        "amplitude.ai.testing is amplitude_ai.testing, amplitude_ai.__spec__.name, amplitude_ai.__name__)"
    )
    for first in ("import amplitude.ai", "import amplitude_ai"):
        assert python(f"import amplitude_ai; {code.format(first)}") == "True True True amplitude_ai amplitude_ai"


def test_what_is_not_there_is_not_found():
    """A module that does not exist is reported under the name that was asked for."""
    code = "import amplitude_ai\ntry:\n import amplitude.ai.nothing\nexcept ModuleNotFoundError as e:\n print(e.name)"
    assert python(code) == "amplitude.ai.nothing"


def test_amplitude_itself_stays_out_until_asked():
    """Neither the installed line nor importing the package loads amplitude-analytics."""
    assert python("import amplitude_ai, sys; print('amplitude' in sys.modules)") == "False"


def _make_venv(folder):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_an_installation_knows_the_name_without_importing_the_package(tmp_path, kind):
    """In an environment with the wheel, or with an editable install, ``amplitude.ai`` is found at once."""
    hatchling = pytest.importorskip("hatchling.build", reason="hatchling builds the wheel")
    where = os.getcwd()
    os.chdir(ROOT)
    try:
        build = hatchling.build_wheel if kind == "wheel" else hatchling.build_editable
        name = build(str(tmp_path))
    finally:
        os.chdir(where)
    executable = _make_venv(tmp_path / "venv")
    purelib = Path(python("import sysconfig; print(sysconfig.get_path('purelib'))", executable=executable))
    with zipfile.ZipFile(tmp_path / name) as wheel:
        wheel.extractall(purelib)  # what an installer does for a pure wheel
    (purelib / "amplitude").mkdir()
    (purelib / "amplitude" / "__init__.py").touch()
    code = (
        "import sys; print('amplitude_ai' in sys.modules); from amplitude.ai import AIConfig;"
        "import amplitude_ai; print(AIConfig is amplitude_ai.AIConfig)"
    )
    assert python(code, executable=executable, PYTHONPATH="").split() == ["False", "True"]
