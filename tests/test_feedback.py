"""``feedback``: an opinion joins the answer it is about."""

import pytest

import amplitude_ai
from amplitude_ai import AIConfig, feedback
from amplitude_ai.testing import EventList

openai = pytest.importorskip("openai")
httpx2 = pytest.importorskip("httpx2")


def answer(request):
    """A chat completion."""
    message = {"role": "assistant", "content": "Hi!"}
    return httpx2.Response(
        200,
        json={
            "id": "chatcmpl-42",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        },
    )


@pytest.fixture
def events():
    return EventList()


@pytest.fixture
def say_hello(events):
    """Asks by the SDK; gives its answer."""
    http = amplitude_ai.instrumented_httpx(
        transport=httpx2.MockTransport(answer), amplitude_client=events, user_id="user-1", session_id="chat-1"
    )
    client = openai.OpenAI(api_key="test", http_client=http)
    return lambda: client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])


def opinion(events):
    """The one event, and its properties."""
    assert amplitude_ai.flush()
    (found,) = [event for event in events.events if event.event_type == "llm_feedback"]
    return found, found.event_properties


@pytest.mark.parametrize("how", ["object", "id", "dict"])
def test_it_joins_the_answer(events, say_hello, how):
    """By the SDK's object, its id or JSON: the answer's user, session, model, turn and message."""
    response = say_hello()
    feedback({"object": response, "id": response.id, "dict": {"id": response.id}}[how], score=-1, comment="Wrong.")
    event, said = opinion(events)
    (message,) = events.of_type("llm_message")
    assert event.user_id == "user-1"
    assert (said["score"], said["comment"]) == (-1.0, "Wrong.")
    for name in ("response_id", "message_id", "session_id", "model_name", "model_provider", "turn_id"):
        assert said[name] == message[name], name


def test_somebody_elses_opinion(events, say_hello):
    """Of a judge, with its own properties."""
    feedback(say_hello(), label="good", user_id="judge-1", custom_properties={"by": "judge"})
    event, said = opinion(events)
    assert (event.user_id, said["label"], said["by"], said["session_id"]) == ("judge-1", "good", "judge", "chat-1")


def test_an_answer_of_another_process(events):
    """Its id is enough; what is told goes with it."""
    feedback("resp-77", score=True, user_id="user-9", session_id="s-9", amplitude_client=events)
    event, said = opinion(events)
    assert (event.user_id, said["session_id"], said["response_id"], said["score"]) == ("user-9", "s-9", "resp-77", 1.0)
    assert "message_id" not in said


def test_privacy(events):
    """A comment is content."""
    feedback("r-1", score=1, comment="secret", amplitude_client=events, ai_config=AIConfig(privacy_mode=True))
    assert "comment" not in opinion(events)[1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"response": "r"}, ValueError, "says nothing"),
        ({"response": object(), "score": 1}, TypeError, "pass response.id"),
        ({"response": "r", "score": "5"}, TypeError, "score must be a number"),
        ({"response": "r", "score": float("nan")}, ValueError, "finite"),
        ({"response": "r", "label": 5}, TypeError, "label"),
    ],
)
def test_mistakes(arguments, error, message):
    """Each is told by name."""
    with pytest.raises(error, match=message):
        feedback(**arguments)
