"""Foreign text made fit to leave: what goes, what stays, and that it takes no time on hostile input."""

import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amplitude_ai
from amplitude_ai._foreign import clean_name, clean_path, clean_text, clean_url
from amplitude_ai.parsers._bounds import MAX_TOOLS
from amplitude_ai.testing import EventList

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
SECRET_PARAMETERS = [
    *("key", "api_key", "api-key", "code", "subscription-key", "Ocp-Apim-Subscription-Key", "X-Goog-Signature"),
    *("X-Amz-Credential", "client_secret", "password", "id_token", "access_token", "auth", "secret"),
    *("x-functions-key", "sig", "signature", "token", "sv", "st", "se", "sp", "jwt", "ticket", "anything-else"),
]


@pytest.mark.parametrize("name", SECRET_PARAMETERS)
def test_a_query_keeps_what_is_allowed_and_nothing_else(name):
    """In a URL, in a message with a URL, and in one with a path alone; user info goes too."""
    url = f"https://me:hunter2@host:8/v1/chat/completions?{name}=hunter2&api-version=2024-02-01&alt=sse#hunter2"
    assert clean_url(url) == "https://host:8/v1/chat/completions?api-version=2024-02-01&alt=sse"
    path = f"Max retries exceeded with url: /v1/x?api-version=1&{name}=hunter2 (Caused by"
    for text in (f"cannot connect to {url.partition('#')[0]}", path):
        cleaned = clean_text(text)
        assert "hunter2" not in cleaned
        assert "api-version=" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Illegal header value b'Bearer hunter2\\n'",
        "Invalid header value b'hunter2\\r\\nX: y'",
        "Invalid api_key=hunter2 for project",
        'no access: {"api-key": "hunter2"}',
        "Authorization: Bearer hunter2",
        "password: 'hunter2 and more'",
        "invalid token hunter2hunter2hunter2hunter2hunter2",
        "unknown key 0123456789abcdef0123456789hunter2",
        "the key hunter2ABCDEFGH-ijklmnop_QRSTUV-wxyzABCDEFG is revoked",
        "client_secret is wrong: client_secret=hunter2",
        "Proxy http://user:hunter2@proxy:3128 refused",
        "sig=hunter2&se=2025",
        "x-functions-key: hunter2",
        "Incorrect API key provided: p4ss-hunter2. You can find yours at https://x.example.",
        "API key given was 'p4ss-hunter2'",
        "invalid x-api-key 550e8400-hunter2",
        "the token provided: abc-hunter2",
        "Basic p4ss-hunter2",
        "connecting to https://user:p4/ss/hunter2@host/v1 failed",
        "no access for ya29.hunter2_AbCdEfGhIjKlMnOp",
    ],
)
def test_what_may_be_a_credential_goes(text):
    """However a library or a provider quotes it."""
    assert "hunter2" not in clean_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "All connection attempts failed",
        "The model `gpt-4o-mini-2024-07-18` does not exist or you do not have access to it.",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0 is not available in eu-central-1",
        "messages.0.content: Input should be a valid string",
        "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29999. Please try again in 1.2s.",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "No API key: set OPENAI_API_KEY",
        "token: expired",
        "[Errno -2] Name or service not known",
    ],
)
def test_what_says_what_went_wrong_stays(text):
    """Messages are there to be read."""
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("/v1/chat/completions", None),
        ("/openai/deployments/gpt-4o-prod/chat/completions", None),
        ("/model/anthropic.claude-3-5-sonnet-20241022-v2:0/converse", None),
        ("/v1beta/models/gemini-2.5-flash-preview-05-20:generateContent", None),
        (
            "/v1/0a1b2c3d4e5f60718293a4b5c6d7e8f9/gw/openai/chat",
            "/v1/[secret]/gw/openai/chat",
        ),
        ("/sk-abcdefghijklmnop/v1/messages", "/[secret]/v1/messages"),
        ("/v1/responses/resp_68b0c8d2f3a48190aa11bb22cc33dd44", "/v1/responses/[secret]"),
        ("/x/123e4567-e89b-12d3-a456-426614174000/v1/messages", "/x/[secret]/v1/messages"),
    ],
)
def test_a_path_says_what_was_called_and_holds_no_token(path, cleaned):
    """Models, deployments and gateways stay."""
    assert clean_path(path) == (cleaned or path)


def test_a_name_is_short_and_no_prose_where_content_is_private():
    """A liar puts the prompt there."""
    assert clean_name("claude-3-5-sonnet-20241022") == "claude-3-5-sonnet-20241022"
    assert clean_name("Llama 3 8B") == "Llama 3 8B"
    assert clean_name("you asked: my name is Ann", private=True) is None
    assert len(clean_name("m" * 10**6)) == 256


@given(st.text(alphabet="a0?&=:/'\"b \\@[key]-_.", max_size=4000))
def test_no_text_breaks_it(text):
    """Whatever comes, it gives a text back, and cleaning twice changes nothing dangerous."""
    assert isinstance(clean_text(text), str)
    assert isinstance(clean_path(text), str)


LIAR = {
    "id": "i" * 10**5,
    "model": "m" * 10**5,
    "choices": [
        {
            "finish_reason": "f" * 10**5,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "tool_calls": [
                    {"id": f"call_{number}", "type": "function", "function": {"name": "n" * 600, "arguments": "{}"}}
                    for number in range(5_000)
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


def ask(answer, status=200, **config):
    """The events of one call that a provider answers so."""
    events = EventList()
    transport = httpx2.MockTransport(lambda request: httpx2.Response(status, json=answer))
    settings = amplitude_ai.AIConfig(**config)
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events, ai_config=settings) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=ASKED)
    assert amplitude_ai.flush()
    return events


def test_a_lying_answer_is_a_few_small_events():
    """A name of 100 KB and 5,000 tool calls: what is kept is small, what is left out is counted."""
    before = amplitude_ai.stats()
    events = ask(LIAR)
    stats = amplitude_ai.stats()
    assert len(events.of_type("tool_called")) == MAX_TOOLS
    assert stats["tool_calls_cut"] - before.get("tool_calls_cut", 0) == 5_000 - MAX_TOOLS
    assert stats["names_cut"] - before.get("names_cut", 0) >= 3
    assert sum(len(json.dumps(event.event_properties)) for event in events.events) < 300_000
    (record,) = events.of_type("llm_message")
    assert (record["input_tokens"], len(record["model_name"])) == (3, 256)


@pytest.mark.parametrize("status", [200, 400])
def test_nothing_free_remains_of_the_provider_in_privacy_mode(status):
    """Error texts, types, codes, names and reasons that hold prose are not kept; what happened still is."""
    prose = "you said: my name is hunter2"
    answer = {
        "id": prose,
        "model": prose,
        "error": {"message": prose, "type": prose, "code": prose, "param": prose},
        "choices": [
            {
                "finish_reason": prose,
                "message": {
                    "content": prose,
                    "tool_calls": [{"id": prose, "type": "function", "function": {"name": prose, "arguments": prose}}],
                },
            }
        ],
    }
    events = ask(answer, status, privacy_mode=True)
    assert "hunter2" not in json.dumps([event.event_properties for event in events.events])
    (record,) = events.of_type("llm_message")
    assert (record["success"], record["error_type"], record["model_name"]) == (False, "error", "gpt-4o")


def test_an_error_s_type_is_no_credential():
    """A provider that calls an error by the key it refused."""
    from amplitude_ai.sessions._privacy import Privacy

    names = Privacy(amplitude_ai.AIConfig()).names
    kept = names({"error_type": "0123456789abcdef0123456789hunter2", "wire_error_type": "invalid_request_error"})
    assert kept == {"error_type": "[secret]", "wire_error_type": "invalid_request_error"}


NAMED = ["model_name", "requested_model", "response_id", "provider_request_id", "finish_reason", "error_type", "host"]
NAMED += ["wire_error_type", "handoff_to", "tool_name", "tool_call_id", "tool_type"]


@pytest.mark.parametrize("name", NAMED)
def test_no_name_that_a_provider_chose_is_a_credential(name):
    """Whichever property it stands in; what no provider chooses is left alone."""
    from amplitude_ai.sessions._privacy import Privacy

    key = "sk-proj-abcdefghijklmnopqrstuvwxyz123456"
    kept = Privacy(amplitude_ai.AIConfig()).names({name: key, "tier": key, "attempt": 0})
    assert key not in str(kept[name])
    assert (kept["tier"], kept["attempt"]) == (key, 0)
