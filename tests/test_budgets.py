"""What a provider that lies may cost: memory measured in a process of its own, work counted, never time."""

import subprocess
import sys
from pathlib import Path

import pytest

from amplitude_ai.parsers import _router
from amplitude_ai.parsers._json import loads

ROOT = Path(__file__).parents[1]
#: Megabytes that reading one answer may take, beside what the program has anyway.
ROOM = 320

PROGRAM = r"""
import pickle, resource, sys
import gzip, json, zlib
import brotli, zstandard
from amplitude_ai._guard import counters
from amplitude_ai._models import Binding, Scope, Exchange, Outcome
from amplitude_ai.parsers._read import read_all
import amplitude_ai.parsers._formats

def exchange(chunks, encoding="", kind="application/json", request=b'{"model":"gpt-4o","stream":true}'):
    return Exchange("x", "POST", "https://api.openai.com/v1/chat/completions", {"content-type": "application/json"},
        request, 200, {"content-type": kind, "content-encoding": encoding}, tuple(chunks), (), Outcome.EXHAUSTED, None,
        0, 0, 0, 1, Scope(Binding()))

def zeros(packer, megabytes, piece=bytes(2**20)):
    return b"".join([packer.compress(piece) for _ in range(megabytes)] + [packer.flush()])

def brotli_zeros(megabytes):
    packer = brotli.Compressor(quality=1)
    return b"".join([packer.process(bytes(2**20)) for _ in range(megabytes)] + [packer.finish()])

def packed(text, times):
    return zeros(zlib.compressobj(9, zlib.DEFLATED, 31), times, text)

BOMBS = {
    "gzip": lambda: ([zeros(zlib.compressobj(9, zlib.DEFLATED, 31), 1500)], "gzip"),
    "brotli": lambda: ([brotli_zeros(1500)], "br"),
    "zstd": lambda: ([zeros(zstandard.ZstdCompressor(level=1).compressobj(), 1500)], "zstd"),
    "nested": lambda: ([gzip.compress(zeros(zlib.compressobj(9, zlib.DEFLATED, 31), 1500))], "gzip, gzip"),
    "dicts": lambda: ([packed(b"[" + b"{}," * 10_000_000, 1)], "gzip"),
    "closed dicts": lambda: ([packed(b"[" + b"{}," * 9_000_000 + b"0]", 1)], "gzip"),
    "numbers": lambda: ([packed(b"[" + b"0," * 15_000_000 + b"0]", 1)], "gzip"),
    "texts": lambda: ([packed(b'[' + b'"\xc3\xa9",' * 5_000_000 + b"0]", 1)], "gzip"),
    "keys": lambda: ([packed(b'[' + b'{"a":{}},' * 3_000_000 + b"0]", 1)], "gzip"),
    "deep": lambda: ([packed(b"[" * 30_000_000, 1)], "gzip"),
    "lines": lambda: ([packed(b"\n" * 30_000_000, 1)], "gzip", "application/x-ndjson"),
    "frames": lambda: ([packed(b"data:{}\n\n" * 3_000_000, 1)], "gzip", "text/event-stream"),
    "frame": lambda: ([packed(b"data:[" + b"{}," * 9_000_000 + b"0]\n\n", 1)], "gzip", "text/event-stream"),
    "request": lambda: ([b"{}"], "", "application/json", b'{"model": [' + b"{}," * 9_000_000 + b"0]}"),
}
bomb, file, step = sys.argv[1:]
if step == "make":
    with open(file, "wb") as out:
        pickle.dump(BOMBS[bomb](), out)
    sys.exit()
with open(file, "rb") as given:
    made = pickle.load(given)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for call, _ in read_all(exchange(*made)):
    print("call", call.parse_error)
print("MB", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


KINDS = [
    *("gzip", "brotli", "zstd", "nested", "dicts", "texts", "numbers"),
    *("keys", "deep", "lines", "frames", "frame", "request", "closed dicts"),
]


@pytest.mark.parametrize("bomb", KINDS)
def test_a_bomb_takes_little_memory(bomb, tmp_path):
    """However much an answer holds once it is decoded, reading it takes some hundred megabytes at most."""
    for step in ("make", "read"):
        arguments = [sys.executable, "-c", PROGRAM, bomb, str(tmp_path / "bomb"), step]
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, timeout=300)
        assert done.returncode == 0, done.stderr
    assert "call" in done.stdout
    assert int(done.stdout.rsplit("MB ", 1)[1]) < ROOM


def test_json_of_honest_size_is_read():
    """A million embedding values, or 20 MB of text, are no bomb."""
    assert len(loads(b"[" + b"0.0123456789," * 1_000_000 + b"0]")) == 1_000_001
    assert len(loads(b'"' + b"some text, and more, " * 1_000_000 + b'"')) == 21_000_000


def test_paths_of_any_length_take_linear_time():
    """No path that repeats what the patterns look for makes them look again and again; none is kept in a table."""
    for part in ("/oauth", "/files", "/threads/", "/models/", "/token", "/a:predict", "/publishers/google/models/text"):
        path = part * 20_000
        assert not _router.watches("POST", "llm.example", path, True)
        assert not _router.is_any(path)
    _router.watches("POST", "h" * 1_000_000, "/v1/chat/completions", True)
    _router.watches("POST" * 20_000, "llm.example", "/v1/chat/completions", True)
    _router.is_any("/v1/chat/completions" + "q" * 1_000_000)
    _router.is_any("/v1/chat/completions")
    asked = [*_router._cache, *_router._watched]
    sizes = [len(part) for key in asked for part in key if isinstance(part, str)]
    assert max([*sizes, *map(len, _router._hosts), *map(len, _router._paths)]) <= _router.MAX_PATH


@pytest.mark.parametrize("path", ["/oauth/token", "/v1/files/f1", "/v1/messages/count_tokens", "/v1/Models"])
def test_other_calls_of_a_client_put_there_by_hand_are_not_watched(path):
    """Token counts, files, sign-ins: no model calls."""
    assert not _router.watches("POST", "llm.example", path, True)
    assert _router.watches("POST", "llm.example", "/answer", True)
