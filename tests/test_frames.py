"""Bytes to frames."""

import gzip
import json
import struct
import zlib
from zlib import crc32

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from amplitude_ai.parsers import _decode, _frames
from amplitude_ai.parsers._decode import decode
from amplitude_ai.parsers._eventstream import eventstream_frames
from amplitude_ai.parsers._frames import json_array_frames, ndjson_frames, sse_frames

TEXT = json.dumps({"text": "héllo wörld 🎉 " * 50}).encode()


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_every_encoding_is_undone_however_it_is_cut(encoding, size):
    """A compressed body cut anywhere decodes to the same bytes."""
    packed = ENCODERS[encoding](TEXT)
    chunks = [packed[i : i + size] for i in range(0, len(packed), size)]
    body = decode(chunks, encoding)
    assert body.data == TEXT
    assert not body.damaged


def test_raw_deflate_is_understood():
    """Servers that send deflate without its wrapper are read all the same."""
    assert decode([raw_deflate(TEXT)], "deflate").data == TEXT


def test_stacked_encodings_are_undone_in_turn():
    """``Content-Encoding: gzip, br`` means br last."""
    assert decode([brotli.compress(gzip.compress(TEXT))], "gzip, br").data == TEXT


def test_a_cut_gzip_body_gives_what_was_whole():
    """Truncation costs the tail, not the call."""
    packed = gzip.compress(TEXT * 100)
    body = decode([packed[: len(packed) // 2]], "gzip")
    assert (TEXT * 100).startswith(body.data)
    assert body.data


def test_damage_and_unknown_encodings_are_told():
    """Bytes that are not what they claim to be are marked, not raised."""
    assert decode([b"not gzip at all"], "gzip").damaged
    assert decode([b"abc"], "rot13").damaged


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_bomb_is_cut_to_its_head_and_tail(monkeypatch, encoding):
    """Of a body that decompresses to more than is kept, the head and the tail are there, and it is told as damaged."""
    monkeypatch.setattr(_decode, "HEAD", 100_000)
    monkeypatch.setattr(_decode, "TAIL", 5_000)
    whole = b"0" * 5_000_000 + b"the usage"
    body = decode([ENCODERS[encoding](whole)], encoding)
    assert body.damaged
    assert len(body.data) <= 105_000
    assert body.data.startswith(b"0" * 100_000)
    assert body.data.endswith(b"the usage")


@pytest.mark.parametrize("encoding", ENCODERS)
def test_decoding_ends_when_its_budget_is_spent(monkeypatch, encoding):
    """A bomb is not even decoded to its end; nor is one inside another whose own output is small."""
    monkeypatch.setattr(_decode, "WORK", 1_000_000)
    assert decode([ENCODERS[encoding](bytes(20_000_000))], encoding).damaged
    inner = b"".join([gzip.compress(b"")] * 200_000)
    assert decode([ENCODERS[encoding](inner)], f"gzip, {encoding}").damaged
    assert decode([b"x"], ", ".join(["gzip"] * 5)).damaged


def test_brotli_without_a_limit_of_its_own_is_taken_in_sips(monkeypatch):
    """brotli before 1.2 cannot bound its output: it gets a few bytes at a time, and all comes out."""

    new = brotli.Decompressor

    class Old:
        def __init__(self):
            self.process = new().process

    packed = brotli.compress(TEXT * 100)
    monkeypatch.setattr(brotli, "Decompressor", Old)
    assert decode([packed], "br").data == TEXT * 100
    monkeypatch.setattr(_decode, "HEAD", 100_000)
    monkeypatch.setattr(_decode, "TAIL", 5_000)
    assert len(decode([brotli.compress(bytes(20_000_000))], "br").data) == 105_000


def test_readers_stop_after_so_many_lines(monkeypatch):
    """Bodies of nothing but line ends or brackets are not read for minutes."""
    monkeypatch.setattr(_frames, "MAX_STEPS", 100)
    assert frames(b"\n" * 200 + b"data: 1\n\n") == []
    assert frames(b"\n" * 200 + b"1\n", ndjson_frames) == []
    assert frames(b"[" + b"[]," * 200 + b"{}]", json_array_frames) == []


def test_time_stays_attached_through_compression():
    """``chunk_at`` names the wire chunk that completed a decoded byte."""
    body = decode([b"aaa", b"bbb", b"ccc"], None)
    assert [body.chunk_at(end) for end in (1, 3, 4, 9)] == [0, 0, 1, 2]


def frames(data, reader=sse_frames):
    return [(frame.event, frame.data) for frame in reader(data)]


def test_sse_events_lines_and_comments():
    """Names, several data lines, comments, CRLF and the sentinel."""
    data = b': hi\r\n\r\nevent: a\r\ndata: {"x":\r\ndata: 1}\r\n\r\ndata: [DONE]\n\n'
    assert frames(data) == [("a", {"x": 1}), (None, "[DONE]")]


def test_a_cut_last_event_is_left_out_and_a_whole_one_is_taken():
    """A stream that ends without its blank line loses nothing that was whole."""
    assert frames(b'data: {"a": 1}\n\ndata: {"b": ') == [(None, {"a": 1})]
    assert frames(b'data: {"a": 1}\n\ndata: {"b": 2}') == [(None, {"a": 1}), (None, {"b": 2})]


def test_an_event_of_several_values():
    """Each of its lines is one where they are none together (a gateway that leaves the blank lines out)."""
    assert frames(b'data: {"a": 1}\ndata: {"b": 2}\n\n') == [(None, {"a": 1}), (None, {"b": 2})]


def test_headers_of_every_type_are_stepped_over():
    """AWS names eight sizes; the one text behind them is read."""
    kinds = {0: b"", 1: b"", 2: b"\0", 3: b"\0" * 2, 4: b"\0" * 4, 5: b"\0" * 8, 8: b"\0" * 8, 9: b"\0" * 16}
    kinds[6] = b"\0\3abc"
    named = b"\x0b:event-type\x07\0\5chunk"
    for kind, value in kinds.items():
        headers = b"\1x" + bytes([kind]) + value + named
        head = struct.pack(">II", 16 + len(headers) + 2, len(headers))
        whole = head + struct.pack(">I", crc32(head)) + headers + b"{}"
        assert frames(whole + struct.pack(">I", crc32(whole)), eventstream_frames) == [("chunk", {})], kind


def test_ndjson():
    """One value a line; a cut line is left out."""
    assert frames(b'{"a":1}\n\n{"b":2}\n{"c":', ndjson_frames) == [(None, {"a": 1}), (None, {"b": 2})]


def test_json_array_may_be_cut_anywhere():
    """Gemini's array yields every object that arrived whole, braces and quotes in strings notwithstanding."""
    items = [{"t": 'br{ace]"\\'}, {"t": {"n": [1, {"x": "\\\\"}]}}, {"t": 3}]
    data = json.dumps(items).encode()
    assert [frame.data for frame in json_array_frames(data)] == items
    assert [frame.data for frame in json_array_frames(data[:-3])] == items[:2]


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(-9, 9), max_size=4), max_size=5)
)
def test_json_array_frames_equal_the_parsed_array(items):
    """Any array of objects comes out item by item."""
    assert [frame.data for frame in json_array_frames(json.dumps(items, indent=1).encode())] == items


@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate", "br", "zstd", None]))
def test_no_bytes_ever_raise(data, encoding):
    """Hostile bytes through every reader: nothing raises."""
    body = decode([data[:9], data[9:]], encoding)
    for reader in (sse_frames, ndjson_frames, json_array_frames):
        list(reader(body.data))
        list(reader(data))


_LINES = st.sampled_from(
    b"data: |data:|data:  |event: a|event:|event:  b |: ping|id: 7|error: {}|data|data: [DONE]|x|"
    b'data: {"a": 1}|data:{"a": 1}{"b": 2}|data: {"a": |data: 1}|data: text'.split(b"|")
)
_ENDS = st.sampled_from([b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"\r", b"\n\r\n", b"\r\n\n", b"\n\r", b""])


@given(st.lists(st.tuples(_LINES, _ENDS), max_size=12))
def test_an_event_as_nearly_all_are_is_read_as_line_by_line(parts):
    """What is read at once is what the lines say, whatever stands around it."""
    data = b"".join(line + end for line, end in parts)
    at_once = list(sse_frames(data))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_frames, "_usual_event", lambda data, start: None)
        assert at_once == list(sse_frames(data))


def test_lines_that_end_with_a_cr_alone_are_read_once(monkeypatch):
    """No event is looked for to the end of the data, where there is no LF: four megabytes of them took a minute."""
    asked = []
    usual = _frames._usual_event
    monkeypatch.setattr(_frames, "_usual_event", lambda data, start: asked.append(start) or usual(data, start))
    for data in (b"data: 1\r\r" * 100, b"data: 1\r\r" * 100 + b"\n", b":\r" * 100 + b"data: 1\n\n"):
        assert {frame.data for frame in sse_frames(data)} == {1}
    assert not asked
    assert [frame.data for frame in sse_frames(b"data: 1\r\n\r\ndata: 2\r\n\r")] == [1, 2]
    assert asked
