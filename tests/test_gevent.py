"""gevent may patch the standard library before this package is imported, or after the hooks are in place."""

import subprocess
import sys

import pytest

pytest.importorskip("gevent")

PROGRAM = """
import sys
url, when = sys.argv[1:]
if when == "before":
    from gevent import monkey; monkey.patch_all()
import amplitude_ai
amplitude_ai.install_transport()
if when == "after":
    from gevent import monkey; monkey.patch_all()
import gevent, requests
asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
jobs = [gevent.spawn(requests.post, url + "/v1/chat/completions", json=asked, timeout=20) for _ in range(10)]
gevent.joinall(jobs, timeout=30)
assert [job.value.status_code for job in jobs] == [200] * 10
assert amplitude_ai.flush(20)
assert amplitude_ai.stats()["recorded"] == 10, amplitude_ai.stats()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_gevent(simulator, tmp_path, when):
    """Every greenlet is answered, every call recorded once, and the process ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, simulator.url, when],
        capture_output=True,
        text=True,
        env={"AMPLITUDE_AI_STORE": str(tmp_path / "events.db"), "PATH": ""},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
