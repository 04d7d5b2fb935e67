"""``on_spend``: a function of the application's is told when a total reaches a threshold."""

import threading
from dataclasses import dataclass, field, replace

import httpx2
import pytest

import amplitude_ai
from amplitude_ai import AIConfig, Spend, context
from amplitude_ai._guard import counters
from amplitude_ai._models import Binding
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions._spending import Spending
from amplitude_ai.testing import EventList

from .records import call, exchange

#: 10 tokens in and 5 out: 0.15 USD.
PRICES = {"*": {"input": 0.009, "output": 0.012}}
ANSWER = {
    "id": "c-1",
    "model": "gpt-4o-mini",
    "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
DAY = 24 * 3600 * 1000


def ask(config, times=1, **who):
    """Calls of one client, all of it told."""
    numbers = iter(range(1000))
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={**ANSWER, "id": f"c-{next(numbers)}"}))
    http = amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=EventList(), ai_config=config)
    with http, context(**who):
        for number in range(times):
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Hello {number}"}]}
            http.post("https://api.openai.com/v1/chat/completions", json=body)
    assert amplitude_ai.flush()


@pytest.mark.parametrize("emits_later", [True, False])
def test_each_threshold_once_and_off_the_callers_thread(emits_later):
    """The lowest first; never on the thread of the call, also where that waits for its events."""
    told, threads = [], set()

    def tell(spend):
        told.append(spend)
        threads.add(threading.get_ident())

    thresholds = {"session": [0.4, 0.2], "user": 0.1}
    config = AIConfig(on_spend=tell, spend_thresholds=thresholds, prices=PRICES, async_event_emission=emits_later)
    ask(config, times=5, user_id="ann", session_id="chat-1")
    assert [(one.scope, one.name, one.threshold_usd, one.calls) for one in told] == [
        ("user", "ann", 0.1, 1),
        ("session", "chat-1", 0.2, 2),
        ("session", "chat-1", 0.4, 3),
    ]
    assert told[1] == Spend("session", "chat-1", None, 0.2, pytest.approx(0.3), 2, 0)
    assert threads.isdisjoint({threading.get_ident()})


@pytest.mark.swallows
def test_what_it_raises_goes_no_further():
    """Not even the end of a thread; it is counted, and the next threshold is told all the same."""
    told = []

    def tell(spend):
        told.append(spend.threshold_usd)
        raise SystemExit

    before = counters().get("internal_errors_on_spend", 0)
    ask(AIConfig(on_spend=tell, spend_thresholds={"model": [0.1, 0.2]}, prices=PRICES), times=2)
    assert told == [0.1, 0.2]
    assert counters()["internal_errors_on_spend"] == before + 2


def test_its_own_calls_are_not_watched():
    """Who asks a model when money is spent does not go round in circles."""
    told = []

    def tell(spend):
        told.append(spend)
        ask_again.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o-mini", "messages": []})

    config = AIConfig(on_spend=tell, spend_thresholds={"day": [0.1, 0.2, 0.3]}, prices=PRICES)
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    with amplitude_ai.instrumented_httpx(
        transport=transport, amplitude_client=EventList(), ai_config=config
    ) as ask_again:
        ask(config)
    assert len(told) == 1


def test_what_is_told_by_hand_counts():
    """A cost given to ``emit_llm_message`` is spent too."""
    told = []
    config = AIConfig(on_spend=told.append, spend_thresholds={"user": 1})
    for _ in range(2):
        amplitude_ai.emit_llm_message(
            EventList(),
            user_id="bob",
            session_id="s",
            model_provider="x",
            model_name="y",
            cost_usd=0.6,
            ai_config=config,
        )
    assert amplitude_ai.flush()
    assert [(one.name, one.total_usd) for one in told] == [("bob", 1.2)]


def spent(spending, config, at=0, **who):
    """What one call reaches, made without a wire."""
    events = RunRegistry().record(call("Hello"), exchange(at, binding=Binding(config=config), **who))
    return [said for event in events for _, said in spending.reached(event)]


def test_users_models_and_days_begin_anew_each_day():
    """By the UTC day of the call; a session goes on over midnight."""
    config = AIConfig(
        on_spend=print,
        prices={"*": 0.005},
        spend_thresholds=dict.fromkeys(("session", "user", "model", "day"), 0.9),
    )
    spending = Spending()
    said = [
        sorted(one.scope for one in spent(spending, config, at, user_id="ann", session_id="s"))
        for at in (DAY - 5000, DAY - 1000)
    ]
    said += [sorted(one.scope for one in spent(spending, config, DAY, user_id="ann", session_id="s"))]
    said += [sorted(one.scope for one in spent(spending, config, DAY + 5000, user_id="ann", session_id="s"))]
    assert said == [[], ["day", "model", "session", "user"], [], ["day", "model", "user"]]


def test_sums_are_of_money():
    """Ten times 0.1 is 1, not a little less."""
    config = AIConfig(on_spend=print, prices={"*": 0.1 / 120}, spend_thresholds={"day": 1})
    spending = Spending()
    assert [len(spent(spending, config, number)) for number in range(10)] == [0] * 9 + [1]


def test_a_leap_reaches_all_that_lies_between():
    """One dear call over two thresholds tells of both."""
    config = AIConfig(on_spend=print, prices={"*": 0.005}, spend_thresholds={"day": (0.5, 0.1, 0.7)})
    assert [one.threshold_usd for one in spent(Spending(), config)] == [0.1, 0.5]


def test_calls_without_a_price_are_told():
    """They are in no total, and the total says how many they are."""
    config = AIConfig(on_spend=print, prices={"gpt-*": 0.005}, spend_thresholds={"session": 0.1})
    spending, registry = Spending(), RunRegistry()
    unknown = call("Hello", model="nobody-knows", requested_model="nobody-knows", price_provider=None)
    said = []
    for number, one in enumerate([unknown, call("Hello")]):
        where = exchange(number, binding=Binding(config=config), session_id="s", body=b"%d" % number)
        said += [spend for event in registry.record(one, where) for _, spend in spending.reached(event)]
    assert [(one.calls, one.unpriced_calls, one.total_usd) for one in said] == [(2, 1, pytest.approx(0.6))]


def test_totals_are_bounded():
    """The least recently used is forgotten, and counted."""
    config = AIConfig(on_spend=print, prices={"*": 0.005}, spend_thresholds={"session": 0.5})
    spending = Spending(max_totals=2)
    before = counters().get("spend_totals_forgotten", 0)
    told = [len(spent(spending, config, session_id=name)) for name in ("a", "b", "b", "c", "b", "a")]
    assert told == [1, 1, 0, 1, 0, 1]
    assert counters()["spend_totals_forgotten"] == before + 2


def test_configs_with_one_function_have_one_total():
    """A config made for each request adds to the same sums; two functions have sums of their own."""

    @dataclass
    class Alarm:  # has no hash
        said: list = field(default_factory=list)

        def __call__(self, spend):
            self.said.append(spend)

        def method(self, spend):
            self.said.append(spend)

    alarm, spending = Alarm(), Spending()
    configs = [
        AIConfig(on_spend=one, prices={"*": 0.005}, spend_thresholds={"day": 1})
        for one in (alarm, print, alarm, alarm.method, print, alarm.method)
    ]
    assert [len(spent(spending, one)) for one in configs] == [0, 0, 1, 0, 1, 1]
    assert hash(replace(configs[0])) == hash(configs[0])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"on_spend": print}, "go together.*spend_thresholds"),
        ({"spend_thresholds": {"day": 1}}, "go together.*on_spend"),
        ({"on_spend": print, "spend_thresholds": {"week": 1}}, "unknown scope 'week'"),
        ({"on_spend": print, "spend_thresholds": {"day": 0}}, "more than 0"),
        ({"on_spend": print, "spend_thresholds": {"day": [1, float("nan")]}}, "more than 0"),
        ({"on_spend": print, "spend_thresholds": {"day": "5"}}, "a threshold is USD"),
        ({"on_spend": print, "spend_thresholds": {"day": True}}, "a threshold is USD"),
        ({"on_spend": print, "spend_thresholds": {"day": 1}, "cost_tracking": False}, "cost_tracking=True"),
    ],
)
def test_what_could_never_tell_is_said_at_once(options, told):
    """Not found out at the end of the month."""
    with pytest.raises((TypeError, ValueError), match=told):
        AIConfig(**options)


def test_a_coroutine_would_never_run():
    """It is told when the config is made."""

    async def tell(spend):
        """Nobody awaits it."""

    with pytest.raises(TypeError, match="plain function"):
        AIConfig(on_spend=tell, spend_thresholds={"day": 1})
