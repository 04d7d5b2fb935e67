"""Every example runs against the simulator, as its first lines say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("[!_]*.py"))
NEEDS = {"langchain_callback.py": "langchain_openai", "pydantic_ai_agent.py": "pydantic_ai"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    """It ends well, everything it caused is delivered, and its own text says how to run it."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    path = ROOT / "examples" / name
    assert f"python examples/{name} --demo" in path.read_text()
    done = subprocess.run(
        [sys.executable, str(path), "--demo"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "delivered: True" in done.stdout
    assert "llm_message" in done.stdout
