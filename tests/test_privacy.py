"""What may leave the worker: nothing that was excluded, redacted or binary, whatever it is inside of."""

import base64
import json
import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplitude_ai import _redact
from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, CallError, Scope, ToolCall, ToolResult, Usage
from amplitude_ai._redact import remove_blobs
from amplitude_ai.sessions._privacy import Privacy, PrivacyError
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions.schema import CONTENT_OF

from .records import NEW_YEAR, call, exchange, only

#: A word that no code of ours contains.
CANARY = "xyzzy-canary-plugh"
LOUD = call(
    f"prompt {CANARY}",
    answer=f"answer {CANARY}",
    tool_calls=(
        ToolCall("look", "c1", {"q": CANARY}),
        ToolCall("web", "c2", CANARY, "web", True, [CANARY], False, CANARY),
    ),
    tool_results=(ToolResult("c0", CANARY),),
)


def everything(config, privacy_mode=None):
    """Every event of a conversation full of canaries, as one text."""
    book = RunRegistry(config)
    context = Scope(Binding(), session_id="s", privacy_mode=privacy_mode)
    events = book.record(LOUD, exchange(context=context))
    failed = call(f"again {CANARY}", error=CallError("bad", f"cannot read: {CANARY}"), usage=Usage(), answer=None)
    events += book.record(failed, exchange(10, status=400, context=context))
    events += book.end_all(NEW_YEAR + 99, "exit")
    return json.dumps([dict(event.properties) for event in events])


def test_privacy_mode_keeps_no_content():
    """No prompt, answer, tool parameter, tool result or error text is in any event; lengths and tokens are."""
    said = everything(AIConfig(privacy_mode=True))
    assert CANARY not in said
    assert '"input_tokens": 100' in said
    assert '"content_length"' in said


@pytest.mark.parametrize("config_says", [True, False])
def test_the_request_wins(config_says):
    """``privacy_mode`` of a request overrides the config's, in both directions."""
    said = everything(AIConfig(privacy_mode=config_says), privacy_mode=not config_says)
    assert (CANARY in said) is config_says


def test_without_options_content_is_kept():
    """The default keeps what was said (so the tests above can fail)."""
    said = everything(AIConfig())
    for part in ("prompt", "answer", "again"):
        assert f"{part} {CANARY}" in said


@pytest.mark.parametrize(
    ("option", "gone", "kept"),
    [("exclude_input", "prompt", "answer"), ("exclude_output", "answer", "prompt")],
)
def test_one_side_alone(option, gone, kept):
    """Each side can be left out alone; error texts quote prompts and go with them."""
    said = everything(AIConfig(**{option: True}))
    assert f"{gone} {CANARY}" not in said
    assert f"{kept} {CANARY}" in said
    assert (f"cannot read: {CANARY}" in said) is (option == "exclude_output")


def test_a_property_goes_by_its_row():
    """Of what was told by hand too: each content by what the table says it is."""
    rows = {row.name: row for row in CONTENT_OF["llm_message"]}
    given, made = (rows[name] for name in ("input_content", "output_content"))
    privacy = Privacy(AIConfig(exclude_output=True))
    assert (privacy.content(given, "text"), privacy.content(made, "text")) == ("text", None)
    privacy = Privacy(AIConfig(exclude_input=True))
    assert (privacy.content(given, "text"), privacy.content(made, "text")) == (None, "text")


def test_truncation():
    """Content is cut to the limit with ``...``; the length told is the whole text's."""
    book = RunRegistry(AIConfig(max_content_length=10))
    events = book.record(call("a" * 50, answer="b" * 7), exchange(session_id="s"))
    asked, answer = only(events, "user_message"), only(events, "llm_message")
    assert (asked["content"], asked["content_length"]) == ("a" * 7 + "...", 50)
    assert (answer["output_content"], answer["output_content_length"]) == ("b" * 7, 7)
    assert answer["content_truncated"] is True


@given(st.text(max_size=300), st.integers(1, 200))
def test_truncation_holds_for_any_text(text, limit):
    """Never longer than the limit; unchanged when it fits."""
    cut = AIConfig(max_content_length=limit).truncate_content(text)
    assert len(cut) <= limit
    assert cut == text or len(text) > limit


def test_a_redact_hook_sees_every_text():
    """Prompts, answers, tool parameters, results and errors pass the hook."""
    said = everything(AIConfig(redact=lambda text: text.replace(CANARY, "***")))
    assert CANARY not in said
    assert said.count("***") == everything(AIConfig()).count(CANARY) > 10


@pytest.mark.swallows
def test_a_failing_hook_drops_the_event():
    """What could not be made safe is not sent."""

    def refuse(text):
        raise RuntimeError("no")

    said = everything(AIConfig(redact=refuse))
    assert CANARY not in said
    kept = {name for event in json.loads(said) for name in event}
    assert "run_source" in kept
    assert not kept & {"content", "output_content", "input_content", "input_tokens"}
    with pytest.raises(PrivacyError):
        Privacy(AIConfig(redact=refuse)).input("text")


@pytest.mark.parametrize("given", [None, b"text", 7])
def test_a_hook_that_gives_no_text(given):
    """Is one that failed: what it gave is sent in no other form."""
    with pytest.raises(PrivacyError, match=type(given).__name__):
        Privacy(AIConfig(redact=lambda text: given)).input("text")


@pytest.mark.parametrize(
    "secret",
    [
        "jane.doe@example.com",
        "4111 1111 1111 1111",
        "sk-proj-abcdefghijklmnopqrstuvwxyz123456",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "+1 415 555 2671",
    ],
)
def test_common_secrets(secret):
    """With ``redact_pii`` they go, in the middle of a text and deep inside tool parameters; without it they stay."""
    guarded, open_ = Privacy(AIConfig(redact_pii=True)), Privacy(AIConfig())
    assert secret not in guarded.input(f"please use {secret} now").text
    assert secret not in guarded.tool_parameters({"a": [{"b": f"key {secret}."}]})
    assert secret in open_.input(f"please use {secret} now").text


@given(st.integers(), st.integers(600, 900), st.sampled_from(["image/png", "audio/wav"]))
def test_media_never_leaves(seed, size, media_type):
    """Base64 data in texts and tool values is described, not carried."""
    blob = base64.b64encode(random.Random(seed).randbytes(size)).decode()
    privacy = Privacy(AIConfig(max_content_length=100_000))
    for kept in (
        privacy.input(f"see data:{media_type};base64,{blob} there").text,
        privacy.tool_result({"image": f"data:{media_type};base64,{blob}"}),
        privacy.tool_result({"type": "image", "data": blob}),
    ):
        assert blob[:200] not in kept
        assert len(kept) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_any_tool_value_becomes_a_text(value):
    """Whatever a tool was called with, it is one string of valid JSON (or the text itself), or nothing."""
    text = Privacy(AIConfig()).tool_parameters(value)
    if value is None:
        assert text is None
    elif isinstance(value, str):
        assert text == value
    else:
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("depth", [50, 5000])
def test_deep_values_do_no_harm(depth):
    """Nesting beyond Amplitude's limit is cut, not followed."""
    value = {}
    for _ in range(depth):
        value = {"in": value}
    assert isinstance(Privacy(AIConfig()).tool_parameters(value), str)


FLAGS = {
    "token_tracking": {"input_tokens", "output_tokens", "total_tokens", "usage_source", "run_total_tokens"},
    "cost_tracking": {"cost_usd", "cost_source", "total_cost_usd"},
    "latency_tracking": {"latency_ms", "duration_ms", "time_to_headers_ms"},
    "error_tracking": {"error_type", "error_message", "total_errors", "wire_error_type", "wire_error_message"},
}


@pytest.mark.parametrize("flag", FLAGS)
def test_feature_flags(flag):
    """Each switches its properties off, on every event, and no others."""

    def names(config):
        return {name for event in json.loads(everything(config)) for name in event}

    assert names(AIConfig()) - names(AIConfig(**{flag: False})) == FLAGS[flag]


def test_the_shortest_wrapped_data_is_removed():
    """Three lines of sixty characters; shorter texts are not searched."""
    line = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ0aB2cD4fG6hJ8kL0nP2rS4uV6xY8zA1bC+"
    assert len(line) == 60
    assert remove_blobs(f"{line}\n" * 3) == "[base64 137 B]"
    assert remove_blobs(f"{line}\n" * 2 + line) == f"{line}\n" * 2 + line


_BASE64 = base64.b64encode(bytes(range(256))).decode()
_STRETCHES = st.sampled_from(
    [
        " ",
        "word ",
        "\n",
        "é",
        "==",
        _BASE64[:59],
        _BASE64[100:160],
        _BASE64[100:160] + "\n",
        _BASE64[:76] + "\r\n",
        _BASE64,
    ]
)


@given(st.lists(_STRETCHES, max_size=30).map("".join))
def test_a_text_with_spaces_all_over_is_looked_at_no_closer(text):
    """And nothing is missed by that: the patterns find the same."""
    found = _redact.remove_blobs(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_redact, "_is_spaced", lambda text: False)
        assert found == _redact.remove_blobs(text)


#: The patterns as one would write them: what must not stand before comes first, and `re` tries at each character.
_PLAINLY = {
    "_CARD": r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.]*\d)",
    "_SSN": r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])",
    "_PHONE": (
        r"(?<![\w.+-])(?:\+\d{1,3}[ .()-]{0,2}\d(?:[ .()-]{0,2}\d){6,12}"
        r"|\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}|[2-9]\d{2}[2-9]\d{6})(?!\w)"
    ),
}
_PIECES = st.sampled_from(
    [*"0127aZ_-.+() \n@é٣", "+1 ", "(555)", "555", "123-4567", "123-45-6789", "4111 1111 1111 1111", "5552345678"]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_numbers_are_found_as_if_each_place_were_tried(text):
    """The search goes from digit to digit in one step; it finds the same."""
    for name in ("_CARD", "_SSN", "_PHONE"):
        found = [one.span() for one in getattr(_redact, name).finditer(text)]
        assert found == [one.span() for one in re.finditer(_PLAINLY[name], text)]


_JWT_PIECES = st.sampled_from(
    ["eyJ", "eyJaaaaaaaa", "eyJaaaaaaa", "bbbbbbbb", "bbbbbbb", ".", "-", "_", " ", "a", "é", "/", "\n", "eyJ-eyJ-"]
)


@given(st.lists(_JWT_PIECES, max_size=14).map("".join))
def test_tokens_are_found_as_if_each_place_were_tried(text):
    """A run that no second part follows is gone through once; all that one pattern would find is found."""
    assert _redact._without_jwts(text) == re.sub(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", "[secret]", text)


@pytest.mark.parametrize("text", ["Bearer {}", "bearer  {}==", "Authorization: BEARER abc.{}", "Bearer {}/abc"])
def test_a_bearer_token_that_is_a_jwt(text):
    """It goes with its word, as any other does."""
    jwt = "eyJhbGciOiJI.eyJzdWIiOiIx.dozjgNryP4J3"
    assert _redact.redact_secrets(text.format(jwt)).removeprefix("Authorization: ") == "[secret]"


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ-",
        "eyJaaaaaaaa.",
        "eyJaaaaaaaa.eyJ-",
        "eyJ",
        "-eyJaaaaaaaa.b",
        "sk- ",
        "bearer a",
        "-----BEGIN A",
        "a@a.",
        "1 1-",
        "(5",
    ],
)
def test_no_text_keeps_it_long(piece):
    """While a pattern looks, no other thread runs: 200 KB of ``eyJ-`` took a minute."""
    text = piece * (200_000 // len(piece))
    began = time.perf_counter()
    _redact.redact_pii(text)
    assert time.perf_counter() - began < 2
