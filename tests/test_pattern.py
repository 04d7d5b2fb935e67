"""`lazy_pattern`: a pattern like any other, compiled when it is first used."""

import re
import subprocess
import sys

from amplitude_ai._pattern import lazy_pattern


def test_it_is_the_pattern():
    """Text and bytes, flags, groups, the pattern itself; each method is looked up once."""
    made, same = lazy_pattern(r"(?P<word>a+)b", re.IGNORECASE), re.compile(r"(?P<word>a+)b", re.IGNORECASE)
    assert made.search("xAAb")["word"] == "AA"
    assert made.sub("-", "aab ab") == same.sub("-", "aab ab")
    assert (made.pattern, made.flags, made.groups, dict(made.groupindex)) == (
        same.pattern,
        same.flags,
        same.groups,
        dict(same.groupindex),
    )
    assert made.search is made.search
    assert lazy_pattern(rb"a|b").findall(b"abc") == [b"a", b"b"]


LOADS = """
import re._compiler as compiler, sys
compile, ours = compiler.compile, []
def compiling(pattern, flags=0):
    frame = sys._getframe(1)
    while frame.f_globals["__name__"].startswith("re"):
        frame = frame.f_back
    if frame.f_globals["__name__"].startswith("amplitude_ai."):
        ours.append((frame.f_globals["__name__"], pattern))
    return compile(pattern, flags)
compiler.compile = compiling
import amplitude_ai
amplitude_ai.install_transport()
import amplitude_ai._redact
assert not [one for one in ours if one[0] != "amplitude_ai._mistakes"], ours
assert amplitude_ai._redact._EMAIL.search("me@example.com")
assert len([one for one in ours if one[0] == "amplitude_ai._pattern"]) == 1
"""


def test_none_is_compiled_by_loading(tmp_path):
    """Or the start of an application would pay for eighty."""
    env = {"AMPLITUDE_AI_STORE": str(tmp_path / "events.db"), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", LOADS], check=True, env=env, timeout=60)
