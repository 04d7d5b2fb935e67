"""One exchange in flight."""

import asyncio
import gc

import pytest

from amplitude_ai import _guard
from amplitude_ai._foreign import clean_text, clean_url
from amplitude_ai._models import Binding, Outcome, Scope
from amplitude_ai.parsers._read import read
from amplitude_ai.transports import _capture
from amplitude_ai.transports._capture import Capture


def make(sink, body=b"{}", url="https://api.openai.com/v1/chat/completions"):
    return Capture(sink, Scope(Binding()), "POST", url, ((), ()), body)


def test_finishes_exactly_once():
    """Whatever ends first is what ended it; later ends change nothing."""
    seen = []
    capture = make(seen.append)
    capture.feed(b"abc")
    capture.finish(Outcome.CLOSED)
    capture.finish(Outcome.EXHAUSTED)
    capture.fail(ValueError("late"))
    assert seen == [capture]
    exchange = capture.exchange()
    assert exchange.outcome is Outcome.CLOSED
    assert exchange.error is None
    assert exchange.response_chunks == (b"abc",)


def test_keeps_the_very_objects_that_passed():
    """Chunks are kept by reference, never copied."""
    capture = make(lambda _: None)
    chunks = [bytes([65 + i]) * 10 for i in range(5)]
    for chunk in chunks:
        capture.feed(chunk)
    assert all(kept is given for kept, given in zip(capture.exchange().response_chunks, chunks, strict=True))


def test_an_exception_is_told_by_type_and_without_secrets():
    """The error's text may hold a URL with a key in it; the key goes."""
    capture = make(lambda _: None)
    capture.fail(ConnectionError("cannot reach /v1beta/models/x:generateContent?key=SECRET123&alt=sse"))
    exchange = capture.exchange()
    assert exchange.outcome is Outcome.ERROR
    assert exchange.error.type == "ConnectionError"
    assert "SECRET123" not in exchange.error.message
    assert "alt=sse" in exchange.error.message


def test_a_generator_exit_is_a_close_and_no_error():
    """A reader that lets go of the iterator did not fail."""
    capture = make(lambda _: None)
    capture.fail(GeneratorExit())
    assert capture.exchange().outcome is Outcome.CLOSED
    assert capture.exchange().error is None


@pytest.mark.parametrize(
    ("inner", "outcome", "kind"),
    [
        ([asyncio.CancelledError(), asyncio.CancelledError()], Outcome.CANCELLED, "CancelledError"),
        ([BaseExceptionGroup("", [asyncio.CancelledError()])], Outcome.CANCELLED, "CancelledError"),
        ([ConnectionError("a"), ConnectionError("b")], Outcome.ERROR, "ConnectionError"),
        ([ConnectionError("a"), ValueError("b")], Outcome.ERROR, "ExceptionGroup"),
    ],
)
def test_a_group_that_holds_one_kind_is_told_as_that(inner, outcome, kind):
    """trio and anyio cancel in groups (while a connection is made by two addresses)."""
    capture = make(lambda _: None)
    capture.fail(BaseExceptionGroup("of them", inner))
    assert (capture.exchange().outcome, capture.exchange().error.type) == (outcome, kind)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://h/v1/models/x:g?key=K&alt=sse", "https://h/v1/models/x:g?alt=sse"),
        ("https://h/p?alt=sse&api-key=K", "https://h/p?alt=sse"),
        ("https://user:pass@h/p", "https://h/p"),
        ("https://h/p?X-Amz-Signature=abc&x=1", "https://h/p"),
        ("https://h/p", "https://h/p"),
    ],
)
def test_no_secret_stays_in_a_url(url, clean):
    """Keys, signatures and user info are removed."""
    assert clean_url(url) == clean


def test_ordinary_text_is_left_alone():
    """Only keys and credentials are removed from a message."""
    assert clean_text("All connection attempts failed") == "All connection attempts failed"
    assert "hunter2" not in clean_text("https://me:hunter2@host/ refused")


def test_memory_is_bounded_with_head_and_tail(monkeypatch):
    """Past the limit the middle goes: the head and the last bytes stay, in order, and the gap is told."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 100)
    monkeypatch.setattr(_capture, "KEEP_TAIL", 50)
    capture = make(lambda _: None)
    for i in range(100):
        capture.feed(b"%03d-" % i)
    exchange = capture.exchange()
    kept = b"".join(exchange.response_chunks)
    assert exchange.response_truncated
    assert kept.startswith(b"000-001-")
    assert kept.endswith(b"098-099-")
    assert len(kept) <= 150
    assert b"".join(exchange.response_chunks[exchange.tail_index :]).endswith(b"098-099-")


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: one number, of ms."""
    at = [0.0]
    monkeypatch.setattr(_capture._clock, "perf_ns", lambda: round(at[0] * 1e6))
    return at


def waited(clock, chunks, outcome=Outcome.EXHAUSTED, end=None):
    """(longest wait in ms, stalls) of chunks that came at these times."""
    capture = make(lambda _: None)
    feed = capture.chunk_recorder()
    for clock[0] in chunks:
        feed(b"x")
    clock[0] = clock[0] if end is None else end
    capture.finish(outcome)
    made = [capture.exchange() for _ in range(2)]  # to look twice changes nothing
    assert made[0].stall_count == made[1].stall_count
    return made[0].max_gap_ns and made[0].max_gap_ns / 1e6, made[0].stall_count


def test_the_longest_wait_between_chunks(clock):
    """However late in a stream; the wait for the first is none, and that after the last is the reader's own."""
    assert waited(clock, [0, 5, *range(6, 70_000)]) == (5, 0)
    assert waited(clock, [5000, 5010, 5030, 5035], end=9000) == (20, 0)
    assert waited(clock, [*range(100), 3000, *range(3001, 3100), 4500]) == (2901, 2)
    assert waited(clock, [0, 1000, 1999, 2999]) == (1000, 2)
    assert waited(clock, [5000]) == (None, 0)
    assert waited(clock, [5000, 5000]) == (0, 0)
    assert waited(clock, []) == (None, 0)


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.CANCELLED])
def test_a_wait_that_nothing_ended(clock, outcome):
    """A stream that hangs until somebody gives up has stalled."""
    assert waited(clock, [10, 20], outcome, end=30_020) == (30_000, 1)
    assert waited(clock, [10], outcome, end=30_010) == (30_000, 1)
    assert waited(clock, [], outcome, end=30_000) == (None, 0)


def test_one_huge_chunk_is_cut_too(monkeypatch):
    """A body that arrives as one object larger than every limit keeps its two ends."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 100)
    monkeypatch.setattr(_capture, "KEEP_TAIL", 50)
    capture = make(lambda _: None)
    capture.feed(b"a" * 5000 + b"z" * 5000)
    kept = b"".join(capture.exchange().response_chunks)
    assert kept == b"a" * 100 + b"z" * 50


@pytest.mark.swallows
def test_a_failing_sink_does_not_reach_the_caller():
    """Whatever goes wrong behind the capture, finishing never raises, and it is counted."""
    from amplitude_ai import _guard

    before = _guard.counted("internal_errors_finish")

    def broken(_):
        raise RuntimeError("boom")

    make(broken).finish(Outcome.EXHAUSTED)
    assert _guard.counted("internal_errors_finish") == before + 1


def test_a_capture_that_is_dropped_leaves_no_garbage():
    """Nothing keeps a capture alive but its users: the garbage collector has nothing to do."""
    import weakref

    capture = make(lambda _: None)
    capture.chunk_recorder()(b"abc")
    capture.exchange()
    reference = weakref.ref(capture)
    gc.disable()
    try:
        del capture
        assert reference() is None
    finally:
        gc.enable()


def test_a_reader_that_is_timed_for_longer_than_all_times_are_kept(clock):
    """Neither list grows past the limit, and what the reader took after it is not told as time that it took before."""
    capture = make(lambda _: None)
    capture.respond(200, [])
    chunks = capture.over([b""] * (_capture.TIMED_CHUNKS + 1000))
    for _ in range(_capture.TIMED_CHUNKS + 1000):
        next(chunks)
        clock[0] += 1  # the reader's
    assert next(chunks, None) is None
    assert len(capture._times) == _capture.TIMED_CHUNKS
    assert len(capture._asks) == _capture.TIMED_CHUNKS + 1
    assert capture.exchange().reader_ns == (_capture.TIMED_CHUNKS - 1) * 1_000_000
    assert capture.exchange().max_gap_ns == 0


class Unmeasured:
    """What a custom transport may give for a chunk."""

    def __len__(self):
        raise ValueError("no length")


def over(capture, chunks):
    """What a reader gets."""
    return list(capture.over(chunks))


def over_async(capture, chunks):
    """The same in the other colour."""

    async def stream():
        for chunk in chunks:
            yield chunk

    async def read():
        return [chunk async for chunk in capture.over_async(stream())]

    return asyncio.run(read())


@pytest.mark.parametrize("read", [over, over_async])
@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [b"", b"abc", b"", b"defg"],
        [b"a" * 90] * 50,
        [b"a" * 5000],
        [b"ab", b"c" * 950, b"de", b"f" * 300, b"gh"],
        [b"abc", bytearray(b"def"), 5, memoryview(b"ghi"), None, b"jkl"],
        [bytearray(b"a" * 90)] * 50,
        [bytearray(b"a" * 600), b"b" * 600, bytearray(b"c" * 600)],
        [b"a" * (1000 - _capture.CHUNK_COST)],  # these two use the limit up to the last byte
        [b"a" * (500 - _capture.CHUNK_COST)] * 2,
        [b"a" * 900, "b" * 200, [1] * 200, b"c"],
        [Unmeasured(), b"a" * 1000, Unmeasured(), b"b"],
        [b"a" * 1100, *[b""] * 50],
    ],
)
def test_a_loop_keeps_what_feed_keeps(monkeypatch, read, chunks):
    """Chunk by chunk, to the same byte, whatever passes; the reader gets the very objects."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 1000)
    monkeypatch.setattr(_capture, "KEEP_TAIL", 100)
    monkeypatch.setattr(_guard, "on_internal_error", None)  # what is no bytes is counted
    fed, looped = make(lambda _: None), make(lambda _: None)
    for chunk in chunks:
        fed.feed(chunk)
    fed.finish(Outcome.EXHAUSTED)
    got = read(looped, chunks)
    assert len(got) == len(chunks)
    assert all(one is other for one, other in zip(got, chunks, strict=True))
    told = [each.exchange() for each in (fed, looped)]
    assert told[0].response_chunks == told[1].response_chunks
    assert told[0].tail_index == told[1].tail_index
    assert len(told[0].chunk_times_ns) == len(told[1].chunk_times_ns)
    assert fed.size == looped.size
    assert looped.outcome is Outcome.EXHAUSTED


def test_a_chunk_that_is_changed_afterwards():
    """A transport may fill one buffer again and again, and make it smaller: what had passed is what is told."""
    buffer = bytearray(b"abc")

    def chunks():
        yield buffer
        buffer[:] = b"xyz"
        yield memoryview(buffer)[:2]
        yield b"!"
        buffer.clear()  # a view that somebody keeps would forbid it

    capture = make(lambda _: None)
    assert sum(1 for _ in capture.over(chunks())) == 3
    assert capture.exchange().response_chunks == (b"abc", b"xy", b"!")


def test_a_stream_that_is_read_by_many_at_a_time(monkeypatch):
    """However many: what is kept is bounded."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 1000)
    monkeypatch.setattr(_capture, "KEEP_TAIL", 100)
    capture = make(lambda _: None)
    for chunks in zip(*[capture.over([b"a" * 100] * 50) for _ in range(20)], strict=True):
        assert chunks == (b"a" * 100,) * 20
    assert sum(map(len, capture.exchange().response_chunks)) <= 2 * 1000 + 100


def test_empty_chunks_without_end(monkeypatch):
    """What is nothing takes no room, however often it comes."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 1000)
    capture = make(lambda _: None)
    list(capture.over([b"abc", *[b""] * 5000, b"def"]))
    exchange = capture.exchange()
    assert b"".join(exchange.response_chunks) == b"abcdef"
    assert len(exchange.response_chunks) < 50
    assert len(capture._asks) < 50
    capture = make(lambda _: None, body=None)
    list(capture.over([b""] * 5000))
    assert capture.size == 1000  # no more than there is room for: what waits is bounded by this


def test_what_was_told_is_let_go():
    """Who keeps a response keeps its stream, and so the capture: not the bytes too, nor those that come afterwards."""
    capture = make(lambda _: None, body=b"{}")
    chunks = capture.over([b"a" * 10] * 3)
    next(chunks)
    capture.finish(Outcome.CLOSED)
    capture.exchange()
    capture.forget()
    assert list(chunks) == [b"a" * 10] * 2
    capture.feed(b"b" * 10)
    assert (capture.exchange().response_chunks, capture.request_body) == ((), None)


def test_a_stream_that_is_closed_in_its_midst_tells_what_it_holds():
    """The loop over it, which stands still, has told nobody how far it came."""
    capture = make(lambda _: None, body=None)
    chunks = capture.over([b"a" * 500] * 3)
    next(chunks)
    next(chunks)
    capture.finish(Outcome.CLOSED)
    assert 1000 <= capture.size <= 1000 + 2 * _capture.CHUNK_COST


def test_bytes_held(monkeypatch):
    """What waits for the worker is bounded by this: head and tail, the request's body too, and no chunk is free."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 1000)
    monkeypatch.setattr(_capture, "KEEP_TAIL", 100)
    full = 1100 + 50 * _capture.CHUNK_COST
    for chunks, least, most in (([b"a" * 300], 300, 400), ([b""] * 10, 0, 1000), ([b"a" * 90] * 50, 1100, full)):
        capture = make(lambda _: None, body=b"{}")
        for chunk in chunks:
            capture.feed(chunk)
        capture.finish(Outcome.EXHAUSTED)
        assert least + 2 <= capture.size <= most + 2


@pytest.mark.parametrize("read", ["fed", "over"])
def test_small_chunks_are_no_objects_of_their_own(monkeypatch, read):
    """Those that are not timed: 2 million of two bytes took 92 MB. Not a byte is lost, and the head's end is known."""
    monkeypatch.setattr(_capture, "KEEP_HEAD", 1000)
    monkeypatch.setattr(_capture, "KEEP_TAIL", 99)
    monkeypatch.setattr(_capture, "TIMED_CHUNKS", 20)
    capture = make(lambda _: None, body=None)
    chunks = [b"%02d" % (number % 100) for number in range(700)]
    if read == "fed":
        for chunk in chunks:
            capture.feed(chunk)
    else:
        assert list(capture.over(chunks)) == chunks
    capture.finish(Outcome.EXHAUSTED)
    exchange = capture.exchange()
    whole = b"".join(chunks)
    assert len(exchange.response_chunks) == 22
    assert len(exchange.chunk_times_ns) == 20
    assert b"".join(exchange.response_chunks[: exchange.tail_index]) == whole[:1000]
    assert b"".join(exchange.response_chunks[exchange.tail_index :]) == whole[-99:]


def test_what_is_counted_with_each_call_starts_anew_too():
    """In a forked child, and for each test."""
    from amplitude_ai import _guard

    kept = _guard.counter("kept_for_a_test")
    assert "kept_for_a_test" not in _guard.counters()
    next(kept)
    next(kept)
    assert _guard.counted("kept_for_a_test") == _guard.counters()["kept_for_a_test"] == 2
    _guard.reset()
    assert _guard.counted("kept_for_a_test") == 0
    assert "kept_for_a_test" not in _guard.counters()
    next(_guard.counter("kept_for_a_test"))
    assert _guard.counted("kept_for_a_test") == 1


@pytest.mark.parametrize("times", [1, 100, 5_000])
def test_the_first_token_behind_comments(clock, times):
    """Servers keep a slow model's connection by comments, each a chunk: its first token is timed all the same.

    ``: OPENROUTER PROCESSING`` (https://openrouter.ai/docs/api-reference/streaming), ``: keep-alive`` of DeepSeek
    (https://api-docs.deepseek.com/quick_start/rate_limit), litellm#37322.
    """
    capture = make(lambda _: None, b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}')
    capture.respond(200, [("content-type", "text/event-stream")])
    for _ in range(times):
        clock[0] += 1
        capture.feed(b": keep-alive\n\n")
    capture.feed(b'data: {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}\n\n')
    capture.feed(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    capture.finish(Outcome.EXHAUSTED)
    call = read(capture.exchange())
    assert (call.output_text, call.complete) == ("Hello", True)
    assert call.time_to_first_token_ms == times


def test_an_exceptions_text_is_cleaned_by_the_worker(monkeypatch):
    """Not on the caller's thread: patterns are compiled there, and a long text takes them milliseconds."""
    cleaned = []
    monkeypatch.setattr(_capture, "clean_text", lambda text: cleaned.append(text) or "clean")
    capture = make(lambda _: None)
    capture.fail(ConnectionError("no " * 10_000))
    assert cleaned == []
    assert capture.exchange().error.message == "clean"
    assert cleaned == [("no " * 10_000)[:16_000]]
