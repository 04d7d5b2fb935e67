"""An HTTP library that is reloaded, or imported once more, is watched as before; so are the clients of the old copy."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amplitude_ai.instrumentation._hook import Hook
from amplitude_ai.transports._library import closing
from amplitude_ai.transports._watch import Everyone
from tests.bare_server import serving
from tests.copies import MODULES

ROOT = Path(__file__).parents[1]
WAYS = ("inner", "package", "all", "copy", "late")


#: What does not go on as it was without us either: its old classes do not know the sentinels of the new ones.
BROKEN = {("aiohttp", "all"), ("urllib3", "all")}


#: With which libraries a second copy of this package is tried.
OURS = ["httpx2", "requests", "http.client"]


@pytest.fixture(scope="module")
def run():
    """What the program saw of a library. Those that are asked for together are seen by one process, in a row."""
    processes = {}

    def saw(what, library, way, together):
        if (what, way) not in processes:
            libraries = ",".join(each for each in together if (each, way) not in BROKEN)
            processes[what, way] = subprocess.run(
                [sys.executable, "-W", "ignore", "-m", "tests.copies", what, libraries, way, server.url],
                capture_output=True,
                text=True,
                timeout=120,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        done = processes[what, way]
        assert (done.returncode, done.stderr) == (0, "")  # no word in the log
        return json.loads(done.stdout)[library]

    with serving() as server:
        yield saw


@pytest.mark.parametrize(("library", "way"), sorted({(each, way) for each in MODULES for way in WAYS} - BROKEN))
def test_what_is_executed_anew_is_watched_anew(run, library, way):
    """Calls by clients of the old copy and of the new are recorded once each; when we go, nothing of ours is left."""
    saw = run("once", library, way, MODULES)
    assert saw.pop("anew") or (way == "package" and library not in ("http.client", "httplib2"))
    assert saw == {"answers": 7, "same": True, "recorded": 5, "afterwards": 0, "ours": [], "errors": 0}


@pytest.mark.parametrize("way", ["inner", "copy"])
@pytest.mark.parametrize("library", ["httpx", "httpx2", "requests"])
def test_one_client_of_any_copy_can_be_watched(run, library, way):
    """``instrument()`` knows clients of each copy; those we make work with each."""
    assert run("by_hand", library, way, ["httpx", "httpx2", "requests"]) == {"answers": 1, "recorded": 3}


@pytest.mark.parametrize("way", ["reload", "copy"])
@pytest.mark.parametrize("library", OURS)
def test_another_copy_of_this_package_takes_over(run, library, way):
    """What the first one hooked is hooked by the second alone: a call is one call."""
    assert run("of_ours", library, way, OURS) == {"recorded": [1, 1, 1], "ours": []}


@pytest.mark.parametrize("way", ["lazy", "nowhere"])
def test_a_lazy_module_stays_lazy(run, way):
    """A module of ``importlib.util.LazyLoader`` is executed when the application looks at it, and watched from then."""
    assert run("lazily", "httplib2", way, ["httplib2"]) == {"looked at": way == "nowhere", "recorded": 1}


@pytest.mark.parametrize(("library", "way"), [("httpx", "inner"), ("http.client", "inner"), ("requests", "copy")])
def test_copies_that_are_let_go_are_gone(run, library, way):
    """Of forty copies one is alive; no wrapper stands on another, and no hooks pile up."""
    together = ["requests"] if way == "copy" else ["httpx", "http.client"]
    assert run("often", library, way, together) == {"alive": 1, "more hooks": 0, "deepest": 1}


def test_what_autoreload_does_to_the_old_class_is_undone():
    """IPython gives the old class' methods the code and the attributes of the new one's."""

    class Old:
        def send(self):
            return "old"

    class New:
        def send(self):
            return "new"

    def make(original):
        return closing(Everyone(None, None, lambda client: None))(original)

    theirs = New.send
    hooks = [Hook(kind, "send", make) for kind in (Old, New)]
    Old.send.__code__, Old.send.__dict__ = New.send.__code__, New.send.__dict__
    gc.collect()
    for hook in hooks:
        hook.undo()
    assert Old.send is New.send is theirs
