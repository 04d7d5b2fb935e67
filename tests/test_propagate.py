"""The context across threads, and what is said of a context that is none."""

import asyncio
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

import amplitude_ai
from amplitude_ai._scope import ambient


def who():
    """Whose calls would be made here."""
    return ambient().user_id


def in_thread(work):
    """What ``work`` gives in a thread of its own."""
    given = []
    thread = threading.Thread(target=lambda: given.append(work()))
    thread.start()
    thread.join()
    return given[0]


def test_a_function_takes_the_context_of_now_along():
    """A plain thread starts with none; a propagating function has its maker's, and leaves the thread's as it was."""
    with amplitude_ai.context(user_id="user123"):
        work = amplitude_ai.propagate_context(who)
        assert in_thread(who) is None
    assert in_thread(lambda: (work(), who())) == ("user123", None)


def test_an_executor_works_in_the_context_of_whoever_gives_the_work():
    """Also when its thread was started by another's work; also by ``map``."""
    with ThreadPoolExecutor(1) as pool:
        assert amplitude_ai.propagate_context(pool) is pool
        assert amplitude_ai.propagate_context(pool) is pool
        for user in ("user123", "user456"):
            with amplitude_ai.context(user_id=user):
                assert list(pool.map(lambda _: who(), range(3))) == [user] * 3
        assert pool.submit(who).result() is None


def test_every_thread_when_asked_for():
    """``install_transport(propagate_threads=True)``: threads and pools, until it is uninstalled."""
    before = threading.Thread.start, threading.Thread._bootstrap, ThreadPoolExecutor.submit
    amplitude_ai.install_transport(propagate_threads=True)
    try:
        with ThreadPoolExecutor(1) as pool:
            with amplitude_ai.context(user_id="user123"):
                assert in_thread(who) == "user123"
                assert pool.submit(who).result() == "user123"
            assert pool.submit(who).result() is None
    finally:
        amplitude_ai.uninstall_transport()
    assert before == (threading.Thread.start, threading.Thread._bootstrap, ThreadPoolExecutor.submit)
    with amplitude_ai.context(user_id="user123"):
        assert in_thread(who) is None


def test_what_is_no_function():
    """The argument is named."""
    with pytest.raises(TypeError, match="a function or an executor, not int"):
        amplitude_ai.propagate_context(3)
    with pytest.raises(TypeError, match="propagate_threads"):
        amplitude_ai.install_transport(propagate_threads="yes")


def test_a_context_without_with_says_so():
    """It would be silently nothing. One that is used, or refused, says nothing."""
    with pytest.warns(RuntimeWarning, match="with amplitude_ai.context"):
        amplitude_ai.context(user_id="user123")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with amplitude_ai.context(user_id="user123"):
            pass
        with pytest.raises(TypeError):
            amplitude_ai.context(user_id=7)


def test_a_context_as_a_decorator():
    """Of functions in both colours; calls that overlap do not share one."""

    @amplitude_ai.context(user_id="user123")
    def work():
        return who()

    @amplitude_ai.context(user_id="user123")
    async def work_async(depth=3):
        await asyncio.sleep(0)
        inner = await work_async(depth - 1) if depth else None
        return inner or who()

    async def main():
        async with amplitude_ai.context(session_id="s1"):
            assert ambient().session_id == "s1"
        return await asyncio.gather(work_async(), work_async())

    assert work() == "user123"
    assert asyncio.run(main()) == ["user123"] * 2
    assert who() is None


def test_a_context_is_entered_once_at_a_time():
    """Two threads with one context would give each other's user back."""
    context = amplitude_ai.context(user_id="user123")
    with context, pytest.raises(RuntimeError, match="entered already"):
        context.__enter__()
    with context:
        assert who() == "user123"
    assert who() is None
