"""Several interpreters in one process, as mod_wsgi has one for each application: one that ends is left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: A call by the process's own client, which sends to an Amplitude that is not there.
CALL = """
import httpx2
import amplitude_ai
answer = {"id": "c", "object": "chat.completion", "model": "gpt-4o",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
client = amplitude_ai.instrumented_httpx(transport=transport)
client.post("https://api.openai.com/v1/chat/completions",
            json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]})
"""
#: What CPython counts at the end of an interpreter, whatever its version: it has no hook of 3.11's for tests.
ENDS = (
    CALL
    + """
import os
from amplitude_ai import _threads
from amplitude_ai._runtime import runtime
assert _threads.is_main_interpreter()
_threads.is_main_interpreter = lambda: False
before = len(os.listdir("/proc/self/task"))
runtime.ends.at_last()
client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o", "messages": []})
print(before > 1, len(os.listdir("/proc/self/task")), amplitude_ai.stats()["recorded"])
"""
)
REAL = f"""
import sys
name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
interpreters = __import__(name)
own = interpreters.create("legacy") if sys.version_info >= (3, 13) else interpreters.create(isolated=False)
path = {str(ROOT)!r}
interpreters.run_string(own, f"import sys; sys.path.insert(0, {{path!r}})" + '''
{CALL}
from amplitude_ai import _threads
assert not _threads.is_main_interpreter()
print("called", flush=True)
''')
interpreters.destroy(own)
print("ended")
"""


def run(script, tmp_path, **env):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        env={**kept, "AMPLITUDE_AI_STORE": str(tmp_path / "store.db"), **env},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


NOWHERE = {"AMPLITUDE_API_KEY": "key", "AMPLITUDE_SERVER_URL": "http://127.0.0.1:9/batch"}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the threads of a process are counted in Linux's list")
@pytest.mark.parametrize("env", [{}, NOWHERE], ids=["stored", "sent"])
def test_no_thread_of_ours_is_left_at_the_end_of_an_interpreter_that_is_not_the_process(tmp_path, env):
    """CPython stops the process where there is one; a call that comes later starts none, and works."""
    assert run(ENDS, tmp_path, **env) == ["True", "1", "1"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11's own test hook asks for the threads before they may end")
@pytest.mark.parametrize("env", [{}, NOWHERE], ids=["stored", "sent"])
def test_an_interpreter_that_made_calls_ends_and_the_process_goes_on(tmp_path, env):
    """It was stopped: "Py_EndInterpreter: not the last thread"."""
    assert run(REAL, tmp_path, **env) == ["called", "ended"]
