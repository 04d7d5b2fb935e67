"""Through a factory, ``error_type`` and ``error_message`` are those of the exception that the caller catches."""

import io
import json

import pytest

import amplitude_ai
from amplitude_ai import get_anthropic, get_google_genai, get_openai
from amplitude_ai.testing import EventList

httpx2 = pytest.importorskip("httpx2")
BODY = {"error": {"type": "some_error", "code": "some_code", "message": "That went wrong.", "status": "SOME"}}
STATUSES = [400, 401, 403, 404, 409, 422, 429, 500, 503, 529]


def openai(transport, events):
    pytest.importorskip("openai")
    client = get_openai()[0](
        api_key="test", max_retries=0, http_client=httpx2.Client(transport=transport), amplitude_client=events
    )
    return lambda **more: client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}], **more
    )


def anthropic(transport, events):
    pytest.importorskip("anthropic")
    client = get_anthropic()[0](
        api_key="test", max_retries=0, http_client=httpx2.Client(transport=transport), amplitude_client=events
    )
    return lambda **more: client.messages.create(
        model="claude-sonnet-5", max_tokens=10, messages=[{"role": "user", "content": "Hello"}], **more
    )


def google(transport, events):
    pytest.importorskip("google.genai")
    options = {"httpx_client": httpx2.Client(transport=transport)}
    client = get_google_genai()(api_key="test", http_options=options, amplitude_client=events)
    return lambda **more: client.models.generate_content(model="gemini-2.5-flash", contents="Hello")


SDKS = [openai, anthropic, google]


def failed(sdk, respond, **more):
    """The exception, and the events' errors: the SDK's and the wire's."""
    events = EventList()
    say_hello = sdk(httpx2.MockTransport(respond), events)
    with pytest.raises(Exception) as caught:
        list(say_hello(**more) or ())
    assert amplitude_ai.flush()
    told = events.of_type("llm_message")[-1]
    assert told["success"] is False
    return caught.value, told


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.__name__)
def test_a_refusal(sdk, status):
    """By the class's name and the text; the provider's own words stay beside them."""
    error, told = failed(sdk, lambda request: httpx2.Response(status, json=BODY))
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))
    assert told["wire_error_message"] == "That went wrong."


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.__name__)
def test_a_page_that_is_no_json(sdk):
    """A proxy's."""
    error, told = failed(sdk, lambda request: httpx2.Response(502, text="<html>Bad gateway</html>"))
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))


@pytest.mark.parametrize("exception", ["ConnectError", "ReadTimeout", "ConnectTimeout"])
@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.__name__)
def test_no_answer(sdk, exception):
    """No connection, and none in time; the HTTP library's own exception is the wire's."""

    def respond(request):
        raise getattr(httpx2, exception)("it failed", request=request)

    error, told = failed(sdk, respond)
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))
    assert (told["wire_error_type"], told["wire_error_message"]) == (exception, "it failed")


def test_an_error_in_a_stream_of_openais():
    """Inside a 200."""
    lines = f"data: {json.dumps(BODY)}\n\n"
    headers = {"content-type": "text/event-stream"}
    error, told = failed(openai, lambda request: httpx2.Response(200, text=lines, headers=headers), stream=True)
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))


def test_an_error_in_a_stream_of_anthropics():
    """All of the event is its text."""
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    lines = f"event: error\ndata: {json.dumps(body)}\n\n"
    headers = {"content-type": "text/event-stream"}
    error, told = failed(anthropic, lambda request: httpx2.Response(200, text=lines, headers=headers), stream=True)
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))
    assert told["wire_error_type"] == "overloaded_error"


def test_by_a_transport_alone_it_is_the_wires():
    """Nobody knows what is raised above it."""
    events = EventList()
    transport = httpx2.MockTransport(lambda request: httpx2.Response(429, json=BODY))
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events) as http:
        http.post("https://api.openai.com/v1/chat/completions", json={"model": "x", "messages": []})
    assert amplitude_ai.flush()
    told = events.of_type("llm_message")[-1]
    assert told["error_type"] == told["wire_error_type"] == "some_error"


@pytest.fixture
def old_google(monkeypatch):
    """Has a model of google-generativeai ask, and gives the exception and the event."""
    pytest.importorskip("google.generativeai")
    requests = pytest.importorskip("requests")
    answers = []

    def send(self, request, **options):
        (answer,) = answers
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response.raw = answer[0], io.BytesIO(answer[1])
        response.url, response.request = request.url, request
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    events = EventList()
    model = amplitude_ai.get_google()(api_key="test-key", model_name="gemini-2.5-flash", amplitude_client=events)

    def failing(answer, **more):
        answers[:] = [answer]
        with pytest.raises(Exception) as caught:
            list(model.generate_content("Hello", request_options={"retry": None}, **more))
        assert amplitude_ai.flush()
        return caught.value, events.of_type("llm_message")[-1]

    return failing


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503, 504, 529])
def test_a_refusal_of_google_generativeai(old_google, status):
    """Over REST: google-api-core's exception, with its method and URL."""
    error, told = old_google((status, json.dumps(BODY).encode()))
    assert type(error).__module__ == "google.api_core.exceptions"
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))
    assert told["wire_error_message"] == "That went wrong."


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"{}", json.dumps([BODY]).encode()])
@pytest.mark.parametrize("stream", [False, True])
def test_other_refusals_of_google_generativeai(old_google, body, stream):
    """A proxy's page, nothing, no error in it; a list, which the SDK itself stumbles over."""
    error, told = old_google((502, body), stream=stream)
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))


def test_no_answer_for_google_generativeai(old_google):
    """What requests raises it raises on."""
    requests = pytest.importorskip("requests")
    error, told = old_google(requests.ConnectionError("it failed"))
    assert (told["error_type"], told["error_message"]) == (type(error).__name__, str(error))
