"""The plugins, on a real ``amplitude.Amplitude`` whose only destination collects; events tracked by hand and by us."""

import hashlib
from decimal import Decimal

import httpx2
import pytest
from amplitude import BaseEvent
from amplitude.event import Identify
from amplitude.plugin import EventPlugin

import amplitude_ai
from amplitude_ai import AIConfig, _guard
from amplitude_ai.manual import emit_llm_run_finished, emit_user_message, llm_session, quick_track_message
from amplitude_ai.plugins import AIEventFilterPlugin, AIMetricsPlugin, AIObservabilityPlugin
from amplitude_ai.sessions.schema import CONTENT_OF
from tests.test_manual import Client


@pytest.fixture
def client():
    return Client()


def track(client, event_type, properties, **options):
    client.track(BaseEvent(event_type, event_properties=properties, **{"user_id": "user-1", **options}))
    return client.collected.seen


def only(client, event_type, properties, **options):
    (event,) = track(client, event_type, properties, **options)
    return event.event_properties


def test_specification_block(client):
    """The three plugins together: complete, filter, measure, in the order they are added."""
    client.add(AIObservabilityPlugin(AIConfig()))
    client.add(AIEventFilterPlugin(min_cost_threshold=0.001, allowed_providers=["openai", "anthropic"]))
    client.add(AIMetricsPlugin())
    dear = {"model_provider": "openai", "model_name": "gpt-4", "input_tokens": 1000, "output_tokens": 500}
    track(client, "llm_message", {**dear, "latency_ms": 2000, "output_content": "long"})
    track(client, "llm_message", {**dear, "input_tokens": 1, "output_tokens": 1})
    track(client, "llm_message", {**dear, "model_provider": "google"})
    track(client, "llm_message", {"model_provider": "openai", "error_message": "no"})
    track(client, "page_view", {"cost_usd": 0.0})
    costly, failed, other = [event.event_properties for event in client.collected.seen]
    assert costly["cost_usd"] == pytest.approx(0.06)
    assert costly["cost_source"] == "genai-prices"
    assert costly["total_tokens"] == 1500
    assert costly["tokens_per_second"] == 250
    assert costly["cost_per_1k_tokens"] == pytest.approx(0.04)
    assert (failed["success"], failed["error_message"]) == (False, "no")
    assert other == {"cost_usd": 0.0}


class CustomPlugin(EventPlugin):
    """The specification's own plugin example."""

    def __init__(self):
        from amplitude.constants import PluginType

        super().__init__(PluginType.ENRICHMENT)

    def execute(self, event):
        if event.event_type in ["llm_message", "llm_run_finished"]:
            event.event_properties["custom_tag"] = "production"
        return event


def test_custom_plugin_sees_our_events(client):
    """A user's own enrichment plugin works on what we emit, whatever the others do."""
    client.add(AIObservabilityPlugin())
    client.add(CustomPlugin())
    with llm_session(client, model_provider="openai") as session:
        session.track_message("x")
    assert client.of_type("llm_message")[0]["custom_tag"] == "production"
    assert client.of_type("llm_run_finished")[0]["custom_tag"] == "production"


# AIObservabilityPlugin ------------------------------------------------------------------------------------------


def test_privacy_of_hand_tracked_events(client):
    """Privacy holds for events anybody tracked, on every property that holds content."""
    client.add(AIObservabilityPlugin(AIConfig(privacy_mode=True)))
    track(client, "user_message", {"content": "secret"})
    track(
        client,
        "llm_message",
        {
            "input_content": "secret",
            "output_content": "secret",
            "error_message": "secret",
            "$llm_message": {"text": "secret"},
        },
    )
    track(client, "tool_called", {"tool_name": "t", "tool_parameters": {"a": "secret"}, "tool_result": "secret"})
    assert "secret" not in str([event.event_properties for event in client.collected.seen])
    assert client.collected.seen[0].event_properties["content_length"] == 6
    assert client.collected.seen[1].event_properties["output_content_length"] == 6


def test_truncation_and_redaction(client):
    """Content is redacted, then cut; objects become JSON text."""
    client.add(AIObservabilityPlugin(AIConfig(max_content_length=30, redact_pii=True)))
    told = only(client, "llm_message", {"output_content": "write to jane@example.org " + "x" * 100})
    assert told["output_content"] == "write to [email] xxxxxxxxxx..."
    assert told["output_content_length"] == 126
    assert told["content_truncated"] is True
    client.collected.seen.clear()
    told = only(client, "tool_called", {"tool_name": "t", "tool_parameters": {"to": "jane@example.org"}})
    assert told["tool_parameters"] == '{"to":"[email]"}'


@pytest.mark.swallows
@pytest.mark.parametrize(
    ("event_type", "name"), [(kind, row.name) for kind, rows in CONTENT_OF.items() for row in rows]
)
def test_every_property_that_is_content(event_type, name):
    """Whatever the table calls content is under the config's privacy, on an event of anybody's."""

    def said(**config):
        client = Client()
        client.add(AIObservabilityPlugin(AIConfig(**config)))
        return only(client, event_type, {"session_id": "s", name: "of jane"})

    assert said()[name] == "of jane"
    assert said(redact=lambda text: text.replace("jane", "her"))[name] == "of her"
    assert name not in said(privacy_mode=True)
    assert name not in said(redact=lambda text: 1 / 0)


def test_caller_keeps_its_dict(client):
    """The dict that the caller gave is not changed."""
    client.add(AIObservabilityPlugin(AIConfig(privacy_mode=True)))
    client.add(AIMetricsPlugin())
    properties = {"output_content": "mine", "output_tokens": 2, "latency_ms": 10}
    track(client, "llm_message", properties)
    assert properties == {"output_content": "mine", "output_tokens": 2, "latency_ms": 10}


def test_totals_of_hand_tracked_runs(client):
    """A run's missing totals are the sum of what was seen of its session; given ones win."""
    client.add(AIObservabilityPlugin())
    track(client, "llm_run_started", {"session_id": "s-1"}, time=1_000)
    for tokens in (5, 7):
        track(client, "llm_message", {"session_id": "s-1", "input_tokens": tokens, "output_tokens": 0, "cost_usd": 0.5})
    track(client, "llm_message", {"session_id": "s-2", "input_tokens": 100, "output_tokens": 100})
    track(client, "tool_called", {"session_id": "s-1", "tool_name": "t"})
    track(client, "llm_message", {"session_id": "s-1", "finish_reason": "error"})
    track(client, "llm_run_finished", {"session_id": "s-1", "total_messages": 99}, time=4_500)
    finished = client.collected.seen[-1].event_properties
    assert finished["total_messages"] == 99
    assert finished["total_tokens"] == 12
    assert finished["total_cost_usd"] == 1.0
    assert finished["total_tool_calls"] == 1
    assert finished["total_errors"] == 1
    assert finished["duration_ms"] == 3_500
    assert finished["success"] is False
    track(client, "llm_run_finished", {"session_id": "s-1"})
    assert "total_tokens" not in client.collected.seen[-1].event_properties


def test_flags(client):
    """Feature flags hold for events anybody tracked."""
    client.add(AIObservabilityPlugin(AIConfig(token_tracking=False, cost_tracking=False, latency_tracking=False)))
    told = only(client, "llm_message", {"input_tokens": 1, "output_tokens": 1, "cost_usd": 1.0, "latency_ms": 4})
    assert not {"input_tokens", "total_tokens", "cost_usd", "cost_source", "latency_ms"} & told.keys()


def test_unusable_values(client):
    """Values that Amplitude would refuse, with all others of the event, are made ones it takes, or left out."""
    client.add(AIObservabilityPlugin())
    event = BaseEvent("llm_message", device_id="device-1")
    event.event_properties = {
        "cost_usd": Decimal("0.5"),
        "input_tokens": 3.0,
        "latency_ms": "fast",
        "output_tokens": -1,
        "tags": ("a", None),
    }
    client.track(event)
    told = client.collected.seen[0].event_properties
    assert (told["cost_usd"], told["cost_source"]) == (0.5, "manual")
    assert told["input_tokens"] == 3
    assert told["tags"] == ["a"]
    assert not {"latency_ms", "output_tokens", "total_tokens"} & told.keys()


def test_no_id(client):
    """An event without any id gets the device id; the client would refuse it otherwise."""
    client.add(AIObservabilityPlugin())
    (event,) = track(client, "llm_message", None, user_id=None)
    assert event.device_id.startswith("amplitude-ai-")
    assert event.event_properties["message_id"] == event.insert_id


def test_own_events_are_left_alone(client):
    """An event made by the same config is not touched: a hook that is not idempotent runs once."""
    config = AIConfig(redact=lambda text: hashlib.sha256(text.encode()).hexdigest()[:8])
    plugin = AIObservabilityPlugin(config)
    client.add(plugin)
    client.add(plugin)
    with llm_session(client, model_provider="openai", model_name="gpt-4", ai_config=config) as session:
        session.track_user_message("hello")
        session.track_message("hi", input_tokens=1, output_tokens=1, latency_ms=3)
        session.track_tool_call("t", {"a": 1}, "r")
    hashed = hashlib.sha256(b"hello").hexdigest()[:8]
    assert client.of_type("user_message")[0]["content"] == hashed
    other = Client()
    with llm_session(other, model_provider="openai", model_name="gpt-4", ai_config=config) as session:
        session.track_user_message("hello")
        session.track_message("hi", input_tokens=1, output_tokens=1, latency_ms=3)
        session.track_tool_call("t", {"a": 1}, "r")
    varying = {"session_id", "message_id", "duration_ms"}
    for ours, plain in zip(client.events, other.events, strict=True):
        assert ours.event_type == plain.event_type
        assert {k: v for k, v in ours.event_properties.items() if k not in varying} == {
            k: v for k, v in plain.event_properties.items() if k not in varying
        }


def test_stricter_of_two_configs(client):
    """An event of ours made by a laxer config is held to the plugin's, and changed in nothing else."""
    client.add(AIObservabilityPlugin(AIConfig(exclude_input=True, max_content_length=8)))
    emit_user_message(client, session_id="s-9", content="hello")
    quick_track_message(
        client, "openai", "gpt-4", input_content="asked", output_content="a long answer", input_tokens=1
    )
    assert "content" not in client.of_type("user_message")[0]
    (message,) = client.of_type("llm_message")
    assert message["output_content"] == "a lon..."
    assert message["output_content_length"] == 13
    assert "input_content" not in message


def test_failing_redaction_keeps_the_event(client):
    """Where content cannot be made safe the event goes on without it, counted."""

    def redact(text):
        raise ZeroDivisionError

    before = _guard.counted("dropped_content")
    client.add(AIObservabilityPlugin(AIConfig(redact=redact)))
    told = only(
        client, "llm_message", {"output_content": "secret", "$llm_message": {"text": "secret"}, "input_tokens": 4}
    )
    assert "secret" not in str(told)
    assert told["input_tokens"] == 4
    assert _guard.counted("dropped_content") == before + 1


@pytest.mark.swallows
@pytest.mark.parametrize("plugin", [AIObservabilityPlugin, AIEventFilterPlugin, AIMetricsPlugin])
def test_errors_lose_no_event(client, plugin, monkeypatch):
    """An error of a plugin's own is counted, and costs neither the event nor, for privacy, lets content pass."""

    def broken(self, event):
        raise RuntimeError("a bug")

    monkeypatch.setattr(plugin, "handle", broken)
    client.add(plugin())
    before = _guard.counted(f"internal_errors_{plugin.stage}")
    told = only(client, "llm_message", {"output_content": "x", "input_tokens": 1})
    assert told["input_tokens"] == 1
    assert ("output_content" in told) == (plugin is not AIObservabilityPlugin)
    assert _guard.counted(f"internal_errors_{plugin.stage}") == before + 1


def test_other_events_pass(client):
    """Events that are none of the five, identifies too, go through untouched."""
    for plugin in (AIObservabilityPlugin(), AIEventFilterPlugin(sample_rate=0), AIMetricsPlugin()):
        client.add(plugin)
    track(client, "page_view", {"content": "x"})
    identify = Identify()
    identify.set("plan", "pro")
    from amplitude.event import EventOptions

    client.identify(identify, EventOptions(user_id="user-1"))
    assert [event.event_type for event in client.collected.seen] == ["page_view", "$identify"]


# AIEventFilterPlugin --------------------------------------------------------------------------------------------


def passes(properties, event_type="llm_message", user_id="user-1", **rules):
    client = Client()
    client.add(AIEventFilterPlugin(**rules))
    return bool(track(client, event_type, properties, user_id=user_id, device_id="device-1"))


@pytest.mark.parametrize(
    ("cost_usd", "threshold", "kept"),
    [(0.002, 0.001, True), (0.001, 0.001, False), (0.0005, 0.001, False), (0.0, 0, True), (0.0, None, True)],
)
def test_cost_threshold(cost_usd, threshold, kept):
    """Only calls that cost more than the threshold go on; without one, or with 0, all do."""
    assert passes({"cost_usd": cost_usd}, min_cost_threshold=threshold) is kept


def test_unknown_cost():
    """A cost that is not known is not *low*: the call goes on, unless it is told not to."""
    assert passes({}, min_cost_threshold=1)
    assert not passes({}, min_cost_threshold=1, include_unpriced=False)
    assert passes({}, event_type="user_message", min_cost_threshold=1, include_unpriced=False)


def test_errors():
    """Failed calls go on whatever they cost, or not at all."""
    assert passes({"success": False, "cost_usd": 0.0}, min_cost_threshold=1, include_errors=True)
    assert not passes({"success": False, "cost_usd": 2.0}, min_cost_threshold=1, include_errors=False)
    assert not passes({"success": False}, event_type="tool_called", include_errors=False)
    assert passes({"success": False}, event_type="llm_run_finished", include_errors=False)


def test_providers_models_users():
    """Allowed and denied lists; what an event does not say passes, a missing user is no allowed one."""
    assert passes({"model_provider": "OpenAI"}, allowed_providers=["openai"])
    assert not passes({"model_provider": "google"}, event_type="tool_called", allowed_providers=["openai"])
    assert passes({}, event_type="user_message", allowed_providers=["openai"])
    assert not passes({"model_provider": "openai"}, denied_providers=["openai"])
    assert passes({"model_name": "gpt-4o-2024-08-06"}, allowed_models=["gpt-4*"])
    assert not passes({"model_name": "o3"}, allowed_models=["gpt-4*"])
    assert not passes({"model_name": "o3"}, denied_models=["o3"])
    assert passes({}, allowed_user_ids=["user-1"])
    assert not passes({}, allowed_user_ids=["USER-1"])
    assert not passes({}, user_id=None, allowed_user_ids=["user-1"])
    assert not passes({}, denied_user_ids=["user-1"])


def test_sampling_keeps_sessions_whole():
    """About the given share of sessions is kept, every event of a session alike, and by every process alike."""
    client = Client()
    client.add(AIEventFilterPlugin(sample_rate=0.25))
    types = ["llm_run_started", "llm_message", "tool_called", "llm_run_finished"]
    for session_id in [f"session-{index}" for index in range(400)]:
        for event_type in types:
            track(client, event_type, {"session_id": session_id})
    kept = [event.event_properties["session_id"] for event in client.collected.seen]
    assert 60 < len(set(kept)) < 140
    assert all(kept.count(session_id) == len(types) for session_id in set(kept))
    assert "session-10" in kept  # by this digest; if it changes, running samples change with it
    assert not passes({"session_id": "s"}, sample_rate=0)


def test_filtered_is_delivered(client):
    """What a filter dropped is counted, and keeps nobody waiting in flush()."""
    client.add(AIEventFilterPlugin(denied_providers=["openai"]))
    before = _guard.counted("filtered")
    quick_track_message(client, "openai", "gpt-4", output_content="x")
    assert amplitude_ai.flush(2.0)
    assert client.collected.seen == []
    assert _guard.counted("filtered") == before + 1


@pytest.mark.parametrize(
    ("rules", "error", "message"),
    [
        ({"allowed_providers": "openai"}, TypeError, r"pass allowed_providers=\['openai'\]"),
        ({"denied_models": [4]}, TypeError, "denied_models must hold strings"),
        ({"min_cost_threshold": "1"}, TypeError, "min_cost_threshold must be a number"),
        ({"sample_rate": 10}, ValueError, "sample_rate must be between 0 and 1"),
        ({"include_errors": 1}, TypeError, "include_errors must be True or False"),
    ],
)
def test_wrong_rules(rules, error, message):
    """A wrong rule is an error where it is given."""
    with pytest.raises(error, match=message):
        AIEventFilterPlugin(**rules)


# AIMetricsPlugin ------------------------------------------------------------------------------------------------


def test_metrics(client):
    """Each figure by its formula; the first token's time is not counted as generation."""
    client.add(AIMetricsPlugin())
    told = only(
        client,
        "llm_message",
        {
            "input_tokens": 100,
            "cached_input_tokens": 25,
            "output_tokens": 50,
            "total_tokens": 150,
            "latency_ms": 1500,
            "time_to_first_token_ms": 500,
            "cost_usd": 0.03,
        },
    )
    assert told["tokens_per_second"] == pytest.approx(33.333333333)
    assert told["generation_tokens_per_second"] == 50
    assert told["ms_per_output_token"] == 30
    assert told["cost_per_1k_tokens"] == pytest.approx(0.2)
    assert told["output_input_ratio"] == 0.5
    assert told["cached_input_ratio"] == 0.25


def test_metrics_of_a_run(client):
    """A run's figures, from its totals."""
    client.add(AIMetricsPlugin())
    emit_llm_run_finished(
        client, total_messages=4, total_tokens=2000, total_cost_usd=0.1, total_tool_calls=2, total_errors=1
    )
    (told,) = client.of_type("llm_run_finished")
    assert told["cost_per_1k_tokens"] == pytest.approx(0.05)
    assert told["cost_per_message_usd"] == pytest.approx(0.025)
    assert told["tokens_per_message"] == 500
    assert told["tool_calls_per_message"] == 0.5
    assert told["error_rate"] == 0.25


def test_metrics_unknown(client):
    """What cannot be computed is absent; what is there already stays."""
    client.add(AIMetricsPlugin())
    told = only(client, "llm_message", {"output_tokens": 5, "latency_ms": 0, "cost_per_1k_tokens": 7, "cost_usd": 1})
    assert told == {
        "output_tokens": 5,
        "latency_ms": 0,
        "cost_per_1k_tokens": 7,
        "cost_usd": 1,
        "ms_per_output_token": 0,
    }


def test_import_is_light():
    """``import amplitude_ai`` imports neither amplitude nor the plugins."""
    import subprocess
    import sys

    code = "import sys, amplitude_ai; print(sorted({'amplitude', 'amplitude_ai.plugins'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


CHAT = "https://{}/v1/chat/completions"


def filtered_calls(client, host, model="gpt-4o-mini", tool=False, **rules):
    """The types that pass of one captured call at ``host``, and how much was counted as filtered."""
    client.add(AIEventFilterPlugin(**rules))
    message = {"role": "assistant", "content": "Hi!"}
    if tool:
        called = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        message["tool_calls"] = [called]
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
    before = _guard.counted("filtered")
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=client, session_id="s1") as http:
        http.post(CHAT.format(host), json={"model": model, "messages": [{"role": "user", "content": "Hello"}]})
        assert amplitude_ai.flush()
    assert amplitude_ai.flush()
    seen = {event.event_type for event in client.collected.seen}
    return seen & {"user_message", "llm_message", "tool_called"}, _guard.counted("filtered") - before


def test_a_filtered_call_takes_its_user_message_with_it(client):
    """Too cheap: neither the answer nor the question goes on, and it is one call that was filtered."""
    assert filtered_calls(client, "api.openai.com", min_cost_threshold=1.0) == (set(), 1)


def test_a_call_that_passes_keeps_its_own(client):
    """With its question and its tools."""
    whole = {"user_message", "llm_message", "tool_called"}
    assert filtered_calls(client, "api.openai.com", tool=True, allowed_providers=["openai"]) == (whole, 0)


@pytest.mark.parametrize(
    ("host", "model", "rules", "passed"),
    [
        ("mine.openai.azure.com", "gpt-4o-mini", {"allowed_providers": ["openai"]}, True),
        ("mine.openai.azure.com", "gpt-4o-mini", {"allowed_providers": ["azure"]}, True),
        ("mine.openai.azure.com", "gpt-4o-mini", {"allowed_providers": ["*.azure.com"]}, True),
        (
            "mine.openai.azure.com",
            "gpt-4o-mini",
            {"allowed_providers": ["openai"], "denied_providers": ["azure"]},
            False,
        ),
        ("openrouter.ai", "openai/gpt-4o-mini", {"allowed_providers": ["openai"]}, True),
        ("openrouter.ai", "openai/gpt-4o-mini", {"allowed_providers": ["openrouter.ai"]}, True),
        ("openrouter.ai", "openai/gpt-4o-mini", {"allowed_providers": ["anthropic"]}, False),
        ("api.groq.com", "llama-3", {"allowed_providers": ["openai"]}, False),
    ],
)
def test_by_whom_and_where(client, host, model, rules, passed):
    """A provider is named by who answered, by the host, or by the vendor of a gateway's model; tools go along."""
    whole = {"user_message", "llm_message", "tool_called"}
    assert filtered_calls(client, host, model, tool=True, **rules) == ((whole, 0) if passed else (set(), 1))
