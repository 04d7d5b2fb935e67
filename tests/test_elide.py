"""Base64 that nobody will keep is not parsed; everything else is."""

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplitude_ai._elide import elide_base64, whole_length
from amplitude_ai._redact import remove_blobs
from amplitude_ai.parsers._read import read
from tests.records import exchange

LONG = base64.b64encode(random.Random(5).randbytes(600_000)).decode()
ZEROS = "A" * 800_000


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("data", [LONG, f"data:image/png;base64,{LONG}", f"data:image/png;base64,{ZEROS}"])
def test_media_is_cut_and_its_length_is_known(data, separators):
    """A hundredth is left, every other value is what it was."""
    value = {"before": 'a "quoted" text\\', "data": data, "after": [1, {"x": "é\n"}], "again": data}
    short = elide_base64(json.dumps(value, separators=separators).encode())
    assert len(short) < 6000
    parsed = json.loads(short)
    assert whole_length(parsed["data"]) == whole_length(parsed["again"]) == len(data)
    assert parsed["data"].startswith(data[:900])
    assert parsed["data"].endswith(data[-60:])
    assert {**parsed, "data": 0, "again": 0} == {**value, "data": 0, "again": 0}


@pytest.mark.parametrize(
    "text",
    [
        "A word. " * 100_000,
        "x" * 800_000,
        LONG.replace("/", "\\/"),
        f"See data:image/png;base64,{LONG}",
        "é" * 400_000,
        LONG[:60_000],
    ],
)
def test_what_is_no_media_stays(text):
    """Prose, a row of x, an inline URL with text before it; too short."""
    data = dumped({"text": text, "pad": "word " * 30_000})
    assert elide_base64(data) is data


def test_numbers_stay():
    """An array of numbers holds no quotation mark either."""
    data = dumped({"input": list(range(200_000)), "x": "y"})
    assert elide_base64(data) is data


@given(
    st.lists(
        st.one_of(
            st.text(max_size=50),
            st.integers(60_000, 300_000).map(lambda size: LONG[:size]),
            st.integers(60_000, 300_000).map(lambda size: f"data:a/b;base64,{ZEROS[:size]}"),
            st.lists(st.integers(), max_size=20),
            st.integers(1, 90_000).map(lambda size: '\\"' * size),
        ),
        max_size=8,
    )
)
def test_any_document(values):
    """What comes out is JSON of the same shape; texts are the same, or have the same length."""
    data = dumped(values)
    for before, after in zip(values, json.loads(elide_base64(data)), strict=True):
        assert after == before or whole_length(after) == len(before)


@given(st.binary(max_size=300), st.integers(0, 400_000))
def test_any_bytes(junk, at):
    """Damage does no harm: both ends stay what they are, and nothing becomes longer."""
    data = dumped({"data": LONG})
    for damaged in (data[:at] + junk + data[at:], data[:at] + junk):
        short = elide_base64(damaged)
        assert len(short) <= len(damaged)
        assert (short[:64], short[-64:]) == (damaged[:64], damaged[-64:])


def test_an_image_is_described_with_its_size():
    """In a prompt, and where a blob is the whole text."""
    url = f"data:image/png;base64,{LONG}"
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}, {"role": "user", "content": url}]}
    call = read(exchange(request_body=dumped(body)))
    assert "[image image/png 585 KB]" in call.messages[0].text
    assert remove_blobs(call.messages[1].text) == "[image/png 585 KB]"
    assert remove_blobs(json.loads(elide_base64(dumped([LONG])))[0]) == "[base64 585 KB]"
