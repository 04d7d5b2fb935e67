"""The pytest plugin: fixtures to see the model calls of a test, bound their cost, and replay a provider.

Loaded by pytest in every project that has this package installed, so it imports nothing until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._cassette import Cassette
    from .testing import LLMCalls


def pytest_addoption(parser: Any) -> None:
    """``--llm-record``."""
    group = parser.getgroup("amplitude_ai")
    group.addoption(
        "--llm-record", action="store_true", help="call the real providers and write the cassettes of `llm_cassette`"
    )


@pytest.fixture
def llm_calls() -> Iterator[LLMCalls]:
    """The model calls of this test, by whatever client and library: a list that fills itself."""
    from .testing import watch_calls

    with watch_calls() as calls:
        yield calls


@pytest.fixture
def assert_llm_cost_below(llm_calls: LLMCalls) -> Callable[[float], None]:
    """``assert_llm_cost_below(0.01)``: fail when the model calls of this test so far cost that many USD, or more."""
    return llm_calls.assert_cost_below


@pytest.fixture
def llm_cassette(request: pytest.FixtureRequest) -> Iterator[Callable[..., Cassette]]:
    """``llm_cassette("name", upstream=...)``: a provider that replays ``cassettes/name.json`` beside the test's file.

    Its ``url`` is the SDK's ``base_url``. With ``pytest --llm-record`` the real server is called, and the file written.
    A request that was not recorded fails the test.
    """
    from .testing import cassette

    record = bool(request.config.getoption("--llm-record"))
    with ExitStack() as stack:
        used: list[Cassette] = []

        def use(name: str, upstream: str = "https://api.openai.com") -> Cassette:
            path = Path(request.path).parent / "cassettes" / f"{name}.json"
            used.append(stack.enter_context(cassette(path, upstream, record)))
            return used[-1]

        yield use
    misses = [f"{one.path.name}: {miss}" for one in used for miss in one.misses]
    if misses:
        pytest.fail(f"not recorded: {'; '.join(misses)} (record with `pytest --llm-record`)", pytrace=False)
