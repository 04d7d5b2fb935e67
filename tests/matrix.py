"""``make matrix``: the real-SDK tests against old and new majors of each SDK, each in an environment of its own.

Prints one row an environment, and rewrites the table of docs/sdks.md of provider, SDK and HTTP stack from what
`tests/test_every_sdk.py` noted in them. ``make matrix ROWS=openai-1,anthropic-0`` runs some, and rewrites nothing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".matrix"
BASE = ["httpx", "httpx2", "requests", "aiohttp", "pytest", "pytest-asyncio", "hypothesis", "pydantic"]
NEW = {"openai": "openai>=3,<4", "anthropic": "anthropic>=2,<3", "google-genai": "google-genai>=3,<4"}
EVERY = ["tests/test_every_sdk.py"]
SDKS = [*EVERY, "tests/test_sdks.py", "tests/test_clients_openai.py", "tests/test_clients_anthropic.py"]
GOOGLE = ["tests/test_clients_google.py", "tests/test_clients_events.py", "tests/test_aiohttp.py"]
LANGCHAIN = ["tests/test_langchain.py"]
PYDANTIC = ["tests/test_pydantic_ai.py"]

#: The columns of the table of docs/sdks.md, and where it stands.
KINDS = ("sync plain", "sync streamed", "async plain", "async streamed")
BEGIN = "<!-- made by make matrix -->"
END = "<!-- end of what make matrix made -->"

#: name -> (requirements, test files).
ROWS: dict[str, tuple[list[str], list[str]]] = {
    "today": (list(NEW.values()), [*SDKS, *GOOGLE]),
    "openai-1": ([*{**NEW, "openai": "openai>=1,<2"}.values()], [*SDKS, *GOOGLE]),
    "openai-2": ([*{**NEW, "openai": "openai>=2,<3"}.values()], [*SDKS, *GOOGLE]),
    "anthropic-0": ([*{**NEW, "anthropic": "anthropic<1"}.values()], [*SDKS, *GOOGLE]),
    "anthropic-1": ([*{**NEW, "anthropic": "anthropic>=1,<2"}.values()], [*SDKS, *GOOGLE]),
    "google-genai-1": ([*{**NEW, "google-genai": "google-genai>=1,<2"}.values()], [*SDKS, *GOOGLE]),
    "google-genai-2": ([*{**NEW, "google-genai": "google-genai>=2,<3"}.values()], [*SDKS, *GOOGLE]),
    "google-generativeai-0.8": ([*NEW.values(), "google-generativeai>=0.8,<0.9"], [*EVERY, *GOOGLE]),
    "others": (
        ["mistralai", "cohere", "groq", "together", "ollama", "huggingface_hub", "cerebras_cloud_sdk", "fireworks-ai"],
        EVERY,
    ),
    "litellm": (["litellm"], EVERY),
    "boto3": (["boto3>=1.35,<2"], EVERY),
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
    notes = FOLDER / f"{name}.jsonl"
    notes.unlink(missing_ok=True)
    env = {**os.environ, "AMPLITUDE_AI_SUPPORT": str(notes)}
    done = subprocess.run(
        [python, "-m", "pytest", "-W", "default", "-o", "addopts=-q", *files],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
    )
    listed = subprocess.run([python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True).stdout
    names = {re.split(r"[<>=\[]", one)[0] for one in requirements}
    versions = ", ".join(line.replace("==", " ") for line in listed.splitlines() if line.split("==")[0] in names)
    print(f"| {name} | {versions} | {(done.stdout.strip().splitlines() or ['no output'])[-1]} |", flush=True)
    if done.returncode:
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))))
    return done.returncode == 0


def support(lines: list[str]) -> list[str]:
    """The table of docs/sdks.md: a row for each provider and SDK, from the notes of tests that passed."""
    versions: dict[tuple[str, str], set[str]] = {}
    stacks: dict[tuple[str, str], dict[str, set[str]]] = {}
    for line in lines:
        provider, distribution, version, stack, colour, kind = json.loads(line)
        row = (provider, distribution)
        versions.setdefault(row, set()).add(version)
        stacks.setdefault(row, {}).setdefault(f"{colour} {kind}", set()).add(stack)
    table = ["| provider | SDK | " + " | ".join(KINDS) + " |", "|---|---|" + "---|" * len(KINDS)]
    # Those with a provider of their own first.
    for row in sorted(stacks, key=lambda row: (row[0].startswith("any"), row)):
        known = sorted(versions[row], key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
        cells = [", ".join(sorted(stacks[row].get(kind, ()))) or "-" for kind in KINDS]
        table.append(f"| {row[0]} | {row[1]} {', '.join(known)} | " + " | ".join(cells) + " |")
    return table


def rewrite_readme() -> None:
    """Put the table between its marks."""
    lines = [line for notes in sorted(FOLDER.glob("*.jsonl")) for line in notes.read_text().splitlines()]
    readme = ROOT / "docs" / "sdks.md"
    head, rest = readme.read_text().split(BEGIN)
    readme.write_text("\n".join([head + BEGIN, *support(lines), END]) + rest.split(END)[1])


if __name__ == "__main__":
    chosen = [one for one in sys.argv[1:] if one] or list(ROWS)
    print("| environment | versions | result |\n|---|---|---|", flush=True)
    results = [run(name) for name in chosen]
    if set(chosen) == set(ROWS):
        rewrite_readme()
    sys.exit(not all(results))
