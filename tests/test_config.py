"""`AIConfig`: every option of the specification, checked when built."""

import dataclasses
import os
import re
from pathlib import Path

import pytest

import amplitude_ai
from amplitude_ai import AIConfig, _config
from amplitude_ai.testing import EventList

SPECIFICATION = Path(
    os.environ.get("AMPLITUDE_AI_SPEC") or Path(__file__).parents[2] / "shared/spec/ai-observability.md"
)


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="no specification in ../shared/spec (or AMPLITUDE_AI_SPEC)")
def test_every_option_of_the_specification():
    """Each exists, with the default the specification shows (its ``max_content_length`` included)."""
    options = re.search(r"### AIConfig Options.*?```python\n(.*?)```", SPECIFICATION.read_text(), re.DOTALL).group(1)
    shown = dict(re.findall(r"^    (\w+)=([^,\s]+)", options, re.MULTILINE))
    assert len(shown) == 16
    for name, value in shown.items():
        default = getattr(AIConfig(), name)
        assert default == ({} if value == "{...}" else eval(value)), name


@pytest.mark.parametrize("name", [one.name for one in dataclasses.fields(AIConfig)])
def test_a_wrong_type_is_told_by_name(name):
    """The error names the argument and what it takes."""
    with pytest.raises(TypeError, match=rf"AIConfig\({name}=\.\.\.\)"):
        AIConfig(**{name: object()})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_content_length": 0}, "must be 1 or more.*privacy_mode=True"),
        ({"session_timeout_ms": -5}, "must be 1 or more, got -5"),
        ({"tool_result_timeout_ms": True}, "takes a whole number, got True"),
        ({"privacy_mode": 1}, "takes True or False, got 1"),
        ({"redact": "secret"}, "a function.*redact_pii=True"),
        ({"prices": {"gpt-4": {"input": 1e-5}}}, "'output' is missing"),
        ({"prices": {"gpt-4": {"input": 1e-5, "output": 1e-5, "cache": 1}}}, "unknown key 'cache'"),
        ({"prices": {"gpt-4": (1e-5,)}}, "a pair is"),
        ({"openai_cost_per_token": {"gpt-4": -1}}, "0 or more"),
        ({"google_cost_per_token": {"gemini": {"input": "cheap", "output": 0}}}, "a number of USD per token"),
        ({"anthropic_cost_per_token": {7: 1e-5}}, "a model pattern is a str"),
    ],
)
def test_a_wrong_value_is_told_with_the_remedy(options, told):
    """At once, where the mistake is made."""
    with pytest.raises((TypeError, ValueError), match=told):
        AIConfig(**options)


def test_a_price_per_million_is_suspicious(caplog):
    """Prices are per token; one that is a million times too high gets a warning."""
    AIConfig(prices={"gpt-4": (2.5, 10)})
    assert "per million" in caplog.text


def test_the_placeholder_of_the_specification_sets_no_price(caplog):
    """``{...}`` is what its text shows; pasted as it is, it is told and ignored."""
    assert AIConfig(openai_cost_per_token={...}).openai_cost_per_token == {}
    assert "placeholder" in caplog.text


def test_it_does_not_change():
    """One config may serve many clients and threads."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        AIConfig().privacy_mode = True
    assert hash(AIConfig()) == hash(AIConfig())


def test_async_event_emission_off(simulator):
    """Without it the events of a call are out when the call returns."""
    events = EventList()
    config = AIConfig(async_event_emission=False)
    with amplitude_ai.instrumented_httpx(amplitude_client=events, ai_config=config) as client:
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
        client.post(f"{simulator.url}/v1/chat/completions", json=body)
        assert len(events.of_type("llm_message")) == 1
    amplitude_ai.flush()


@pytest.mark.parametrize(("value", "zone"), [("eu", "EU"), ("US", "US"), ("", None), ("mars", None)])
def test_the_environments_zone(monkeypatch, value, zone):
    """A zone that does not exist is logged, not used."""
    monkeypatch.setenv("AMPLITUDE_SERVER_ZONE", value)
    assert _config.env_server_zone() == zone
