"""The documentation: what it links to is there, what it says a test shows is shown, what it says to write runs."""

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import amplitude_ai

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def test_the_questions_are_answered_by_tests():
    """Each of the 29 complaints names a test, which exists."""
    named = re.findall(r"\| `(test_\w+\.py)::(test_\w+)` \|", (DOCS / "faq.md").read_text())
    assert len(named) == 29
    for file, name in named:
        tree = ast.parse((ROOT / "tests" / file).read_text())
        assert any(getattr(node, "name", None) == name for node in ast.walk(tree)), f"{file}::{name}"


def test_links_lead_somewhere():
    """Each link from page to page, its part of the page included, and each file that is named."""
    followed = 0
    for page in (*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"https?:|mailto:", target):
                continue
            file, _, part = target.partition("#")
            linked = (page.parent / file).resolve() if file else page
            assert linked.exists(), f"{page.name}: {target}"
            followed += 1
            if part:
                titles = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
                slugs = {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}
                assert part in slugs, f"{page.name}: {target}"
        for name in re.findall(r"`((?:examples|tests|docs)/[\w./]+)`", text):
            assert (ROOT / name).exists(), f"{page.name}: {name}"
    assert followed > len(PAGES)


def test_every_page_is_in_the_site():
    """No page is written and then forgotten."""
    listed = set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert listed == {str(page.relative_to(DOCS)) for page in PAGES}


def test_the_first_page_leads_to_every_other():
    """Whoever reads only that finds all."""
    linked = set(re.findall(r"\]\(([\w/-]+\.md)", (DOCS / "index.md").read_text()))
    assert linked == {str(page.relative_to(DOCS)) for page in PAGES} - {"index.md"}


def test_every_public_name_is_in_the_reference():
    """What can be imported is described."""
    described = set(re.findall(r"^::: amplitude_ai\.(\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE))
    assert described == {*amplitude_ai.__all__, "web", "otel", "testing"} - {"__version__"}


def test_the_site_is_built_without_a_warning(tmp_path):
    """mkdocs, strict: a link or a name in the reference that leads nowhere stops it."""
    mkdocs = os.environ.get("MKDOCS") or shutil.which("mkdocs")
    if mkdocs is None:
        pytest.skip("mkdocs is not installed (the extra docs); MKDOCS may name one")
    done = subprocess.run(
        [mkdocs, "build", "--strict", "-q", "-d", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    assert (tmp_path / "site" / "index.html").exists()
