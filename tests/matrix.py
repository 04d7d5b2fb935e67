"""``make matrix``: the real-SDK tests against old and new majors of each SDK, each in an environment of its own.

Prints one row an environment, for the support table of the README. ``make matrix ROWS=openai-1,anthropic-0`` runs some.
"""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".matrix"
BASE = ["httpx", "httpx2", "requests", "aiohttp", "pytest", "pytest-asyncio", "hypothesis", "pydantic"]
NEW = {"openai": "openai>=3,<4", "anthropic": "anthropic>=2,<3", "google-genai": "google-genai>=3,<4"}
SDKS = ["tests/test_sdks.py", "tests/test_clients_openai.py", "tests/test_clients_anthropic.py"]
GOOGLE = ["tests/test_clients_google.py", "tests/test_clients_events.py", "tests/test_aiohttp.py"]
LANGCHAIN = ["tests/test_langchain.py"]
PYDANTIC = ["tests/test_pydantic_ai.py"]

#: name -> (requirements, test files).
ROWS: dict[str, tuple[list[str], list[str]]] = {
    "today": (list(NEW.values()), [*SDKS, *GOOGLE]),
    "openai-1": ([*{**NEW, "openai": "openai>=1,<2"}.values()], [*SDKS, *GOOGLE]),
    "openai-2": ([*{**NEW, "openai": "openai>=2,<3"}.values()], [*SDKS, *GOOGLE]),
    "anthropic-0": ([*{**NEW, "anthropic": "anthropic<1"}.values()], [*SDKS, *GOOGLE]),
    "anthropic-1": ([*{**NEW, "anthropic": "anthropic>=1,<2"}.values()], [*SDKS, *GOOGLE]),
    "google-genai-1": ([*{**NEW, "google-genai": "google-genai>=1,<2"}.values()], [*SDKS, *GOOGLE]),
    "google-genai-2": ([*{**NEW, "google-genai": "google-genai>=2,<3"}.values()], [*SDKS, *GOOGLE]),
    "google-generativeai-0.8": ([*NEW.values(), "google-generativeai>=0.8,<0.9"], GOOGLE),
    "others": (
        ["mistralai", "cohere", "groq", "together", "ollama", "huggingface_hub", "cerebras_cloud_sdk", "fireworks-ai"],
        ["tests/test_other_sdks.py"],
    ),
    "litellm": (["litellm"], ["tests/test_other_sdks.py"]),
    "langchain-1": (["langchain-core>=1,<2", "langchain-openai>=1,<2"], LANGCHAIN),
    "langchain-0.3": (["langchain-core>=0.3,<0.4", "langchain-openai>=0.3,<0.4"], LANGCHAIN),
    "pydantic-ai-2": (["pydantic-ai-slim[openai,anthropic]>=2,<3"], PYDANTIC),
    "pydantic-ai-1": (["pydantic-ai-slim[openai,anthropic]>=1,<2"], PYDANTIC),
}


def run(name: str) -> bool:
    """Make the environment, run its tests, print the row."""
    requirements, files = ROWS[name]
    folder = FOLDER / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-e", str(ROOT)]
    made = subprocess.run([*command, *BASE, *requirements], capture_output=True, text=True)
    if made.returncode:
        print(f"| {name} | – | cannot be installed: {made.stderr.strip().splitlines()[-1]} |", flush=True)
        return False
    done = subprocess.run(
        [python, "-m", "pytest", "-o", "addopts=-q", *files], capture_output=True, text=True, cwd=ROOT
    )
    listed = subprocess.run([python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True).stdout
    names = {re.split(r"[<>=\[]", one)[0] for one in requirements}
    versions = ", ".join(line.replace("==", " ") for line in listed.splitlines() if line.split("==")[0] in names)
    print(f"| {name} | {versions} | {(done.stdout.strip().splitlines() or ['no output'])[-1]} |", flush=True)
    if done.returncode:
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))))
    return done.returncode == 0


if __name__ == "__main__":
    chosen = [one for one in sys.argv[1:] if one] or list(ROWS)
    print("| environment | versions | result |\n|---|---|---|", flush=True)
    results = [run(name) for name in chosen]
    sys.exit(not all(results))
