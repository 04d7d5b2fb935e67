"""What others choose, or put on an object of a library, is theirs: asked once, called, copied without us."""

import copy
import functools
import io
import pickle
from unittest import mock

import aiohttp
import httpx
import httpx2
import pytest
import requests

import amplitude_ai
from amplitude_ai.testing import EventList

from .bare_server import ANSWER, PATH
from .filed import Filed

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


def only(events):
    """The one record."""
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    return record


def test_a_session_that_takes_turns_is_asked_once(bare_server, events):
    """A session whose adapters rotate (a pool of proxies) loses no turn."""
    asked = []

    class Turns(requests.Session):
        def get_adapter(self, url):
            asked.append(url)
            return super().get_adapter(url)

    with Turns() as session:
        assert session.post(bare_server.url + PATH, json=ASKED).content == ANSWER
    assert len(asked) == 1
    assert only(events)["input_tokens"] == 3


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_client_that_takes_turns_is_asked_once(bare_server, events, library):
    """The same for a client's transports."""
    asked = []

    class Turns(library.Client):
        def _transport_for_url(self, url):
            asked.append(url)
            return super()._transport_for_url(url)

    with Turns() as client:
        assert client.post(bare_server.url + PATH, json=ASKED).content == ANSWER
    assert len(asked) == 1
    assert only(events)["input_tokens"] == 3


class Marking(requests.adapters.HTTPAdapter):
    """Puts its own methods on a response, as CacheControl does to know when a chunked body ends."""

    def send(self, request, *args, **kwargs):
        response = super().send(request, *args, **kwargs)
        raw = response.raw
        self.seen = []

        def marked(name, *args, **kwargs):
            self.seen.append(name)
            return getattr(type(raw), name)(raw, *args, **kwargs)

        for name in ("_raw_read", "_handle_chunk", "_update_chunk_length", "close"):
            setattr(raw, name, functools.partial(marked, name))
        return response


@pytest.mark.parametrize(
    ("path", "called"),
    [(PATH, {"_update_chunk_length", "_handle_chunk"}), ("/x" + PATH, {"_raw_read"})],
    ids=["chunked", "length"],
)
def test_what_another_put_on_a_response_is_called(bare_server, events, path, called):
    """A method that somebody else put on one response is called as it would be without us."""
    adapter = Marking()
    with requests.Session() as session:
        session.mount("http://", adapter)
        response = session.post(bare_server.url + path, json=ASKED)
        response.raw.close()
    assert response.content == ANSWER
    assert called | {"close"} <= set(adapter.seen)
    assert only(events)["input_tokens"] == 3


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda raw: pickle.loads(pickle.dumps(raw))])
def test_a_file_that_is_a_body_is_copied(events, copied):
    """A file that an adapter gave as a body pickles and copies as it would without us."""

    session = requests.Session()
    session.mount("mock://", Filed(ANSWER))
    response = session.post("mock://api.openai.com/v1/chat/completions", json=ASKED, stream=True)
    again = copied(response.raw)
    assert type(again) is io.BytesIO
    assert again.read() == ANSWER


async def test_a_reader_is_set_and_shown_as_itself(bare_server, events):
    """What is set on aiohttp's reader arrives there, and it shows itself as it is."""
    async with aiohttp.ClientSession() as session, session.post(bare_server.url + PATH, json=ASKED) as response:
        assert repr(response.content).startswith("<StreamReader")
        response.content._low_water = 7
        assert response.content._content._low_water == 7
        with pytest.raises(AttributeError):
            response.content.no_such_slot = 1
        assert await response.read() == ANSWER
    assert only(events)["input_tokens"] == 3


def test_a_body_that_is_no_bytes_is_a_call_all_the_same(events):
    """A custom transport that yields text: the library says so, and the call is recorded with its error."""

    class Texts(httpx.SyncByteStream):
        def __iter__(self):
            yield "text"

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Texts()))
    with pytest.raises(TypeError), httpx.Client(transport=transport) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=ASKED)
    assert only(events)["http_status"] == 200


def test_a_mocked_adapter_is_a_call_all_the_same(events):
    """What a mock answers is made of mocks."""
    answer = mock.MagicMock(is_redirect=False, history=[])
    with mock.patch("requests.adapters.HTTPAdapter.send", return_value=answer):
        assert requests.post("https://api.openai.com/v1/chat/completions", json=ASKED) is answer
    assert "http_status" not in only(events)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_request_that_is_sent_again_is_the_same_persons(by_hand):
    """A redirect is a copy without our headers, a prepared request may be sent twice: both keep whose they are."""
    events = EventList()
    answers = iter([307, 200, 200])

    class Redirecting(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code, response.url, response.request = next(answers), request.url, request
            response.raw = io.BytesIO(ANSWER)
            if response.status_code == 307:
                response.headers["location"] = request.url + "?again=1"
            return response

        def close(self):
            pass

    session = requests.Session()
    session.mount("https://", Redirecting())
    if by_hand:
        amplitude_ai.instrument(session, amplitude_client=events)
    else:
        amplitude_ai.install_transport(amplitude_client=events)
    try:
        request = requests.Request(
            "POST", "https://api.openai.com/v1/chat/completions", json=ASKED, headers={"X-Amplitude-User-Id": "ann"}
        )
        prepared = session.prepare_request(request)
        assert [session.send(prepared).status_code for _ in range(2)] == [200, 200]
        amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()
    assert [event.user_id for event in events.events if event.event_type == "llm_message"] == ["ann", "ann"]
