"""Forms: audio and images are sent as ``multipart/form-data``, whose file no library has in memory.

langfuse#4431, litellm#7601 and nr-openai-observability#63: a transcription told without its model, and so without cost.
"""

import asyncio
import time
import warnings

import httpx
import httpx2
import openai
import pytest
import requests
from msgspec.structs import replace

import amplitude_ai
from amplitude_ai.parsers._read import _multipart_fields, read
from amplitude_ai.transports._form import written
from amplitude_ai.transports._httpx_family import _form as httpx_fields

from .fixtures._wire import Example

aiohttp = pytest.importorskip("aiohttp")
aiohttp_fields = pytest.importorskip("amplitude_ai.transports.aiohttp")._form

SOUND = b"ID3\x04\x00" + b"\xff\xfb\x90\x00" * 50_000
FILE = ("a.mp3", SOUND, "audio/mpeg")
HEARD = {"text": "Hello", "usage": {"type": "duration", "seconds": 60}}
URL = "https://api.openai.com/v1/audio/transcriptions"


def by_openai(url):
    openai.OpenAI(base_url=f"{url}/v1", api_key="k").audio.transcriptions.create(
        model="whisper-1", file=FILE, prompt="Names: Ann"
    )


def by_openai_on_httpx(url):
    with httpx.Client() as client:
        openai.OpenAI(base_url=f"{url}/v1", api_key="k", http_client=client).audio.transcriptions.create(
            model="whisper-1", file=FILE, prompt="Names: Ann"
        )


def by_async_openai(url):
    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
            await client.audio.transcriptions.create(model="whisper-1", file=FILE, prompt="Names: Ann")

    asyncio.run(ask())


def by_httpx2(url):
    data = {"model": "whisper-1", "prompt": "Names: Ann"}
    httpx2.post(f"{url}/v1/audio/transcriptions", data=data, files={"file": FILE}).raise_for_status()


def by_fields_among_the_files(url):
    fields = {"model": (None, "whisper-1"), "prompt": (None, b"Names: Ann")}
    httpx.post(f"{url}/v1/audio/transcriptions", files={**fields, "file": FILE}).raise_for_status()


def by_requests(url):
    data = {"model": "whisper-1", "prompt": "Names: Ann"}
    requests.post(f"{url}/v1/audio/transcriptions", data=data, files={"file": FILE}, timeout=10).raise_for_status()


def by_aiohttp(url):
    async def ask():
        form = aiohttp.FormData({"model": "whisper-1", "prompt": "Names: Ann"})
        form.add_field("file", SOUND, filename="a.mp3")
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/v1/audio/transcriptions", data=form) as answer,
        ):
            answer.raise_for_status()
            await answer.read()

    asyncio.run(ask())


@pytest.mark.parametrize(
    "ask",
    [by_openai, by_openai_on_httpx, by_async_openai, by_httpx2, by_fields_among_the_files, by_requests, by_aiohttp],
    ids=lambda ask: ask.__name__,
)
def test_whose_model_it_is(simulator, events, ask):
    """The model and the prompt of a transcription, by whatever library; the server gets the file as it is."""
    ask(simulator.url)
    assert amplitude_ai.flush()
    (said,) = events.of_type("llm_message")
    assert (said["requested_model"], said["model_name"], said["input_content"]) == ("whisper-1",) * 2 + ("Names: Ann",)
    assert said["output_content"].startswith("You said")
    (received,) = simulator.requests()
    assert SOUND in received.body


def test_an_edited_picture(simulator, events):
    """A picture is edited by a form too (openai ``types/image_edit_params.py``)."""
    client = openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="k")
    client.images.edit(model="gpt-image-1", image=("a.png", b"\x89PNG" * 9), prompt="Make it blue")
    assert amplitude_ai.flush()
    (said,) = events.of_type("llm_message")
    assert (said["model_name"], said["input_content"]) == ("gpt-image-1", "Make it blue")


def test_its_cost_is_known():
    """What is billed by the minute has a cost once its model is known ($0.006 a minute of whisper-1)."""
    with capture(json=HEARD) as (client, events):
        client.post(URL, data={"model": "whisper-1"}, files={"file": FILE})
        assert amplitude_ai.flush()
    (said,) = events.of_type("llm_message")
    assert (said["cost_usd"], said["cost_source"]) == (0.006, "genai-prices")


class capture:
    """A watched client whose server is a function."""

    def __init__(self, **answer):
        self.events = amplitude_ai.testing.EventList()
        transport = httpx.MockTransport(lambda request: httpx.Response(200, **answer))
        self.client = amplitude_ai.instrumented_httpx(
            library="httpx", transport=transport, amplitude_client=self.events, user_id="ann"
        )

    def __enter__(self):
        return self.client, self.events

    def __exit__(self, *exc):
        self.client.close()


def test_retries_of_a_form():
    """The SDK makes the form anew, with another boundary: both tries are one call, and another file is another call."""
    seen = amplitude_ai.testing.EventList()
    statuses = iter([500, 200, 200, 500, 200])

    def answer(request):
        b"".join(request.stream)
        return httpx.Response(next(statuses), json=HEARD, headers={"retry-after-ms": "1"})

    with amplitude_ai.instrumented_httpx(
        library="httpx", transport=httpx.MockTransport(answer), amplitude_client=seen, user_id="ann"
    ) as http_client:
        client = openai.OpenAI(api_key="k", http_client=http_client)
        for name in "abc":
            client.audio.transcriptions.create(model="whisper-1", file=(name, name.encode()))
        assert amplitude_ai.flush()
    said = seen.of_type("llm_message")
    calls = [one["call_id"] for one in said]
    assert [one["attempt"] for one in said] == [0, 1, 0, 0, 1]
    assert (calls[0], calls[3]) == (calls[1], calls[4])
    assert len(set(calls)) == 3
    assert {one["repeat_count"] for one in said} == {1}


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/vtt", "text/plain"])
@pytest.mark.parametrize("said", ["Hello there\n", "42\n", "1\n00:00:00,000 --> 00:00:01,000\nHello\n"])
def test_an_answer_in_plain_text(kind, said):
    """``response_format`` ``text``, ``srt`` and ``vtt`` (openai ``types/audio_response_format.py``): no JSON comes."""
    example = Example("x", URL, {"model": "whisper-1"}, {}, {}, headers={"content-type": kind})
    call = read(example.exchange(said.encode()))
    assert (call.output_text, call.parse_error, call.complete) == (said, None, True)


def test_what_is_no_text():
    """An error page under 200 was not said by the model; JSON that is labelled as text is JSON."""
    page = Example("x", URL, {"model": "m"}, {}, {}, headers={"content-type": "text/html"})
    assert read(page.exchange(b"<html>")).output_text is None
    labelled = Example("x", URL, {"model": "m"}, {"text": "Hi"}, {}, headers={"content-type": "text/plain"})
    assert read(labelled.exchange()).output_text == "Hi"
    refused = Example("x", URL, {"model": "m"}, {}, {}, status=400, headers={"content-type": "text/plain"})
    call = read(refused.exchange(b"bad audio"))
    assert (call.output_text, call.error.message) == (None, "bad audio")


def test_a_form_of_many_fields_and_files_is_small():
    """No file, no long text and no more than some fields are kept; the caller pays for none of it."""
    fields = [("file", object()), ("long", "x" * 9_000), *((f"f{number}", "v") for number in range(99))]
    form = written(b"b", fields)
    assert len(form) < 8_000
    assert b"long" not in form
    assert written(b"b", [("file", object())]) is None


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('form-data; name="model"', "model"),
        ("Form-Data;name=model", "model"),
        ('form-data; name="m"; filename="a.mp3"', None),
        ('form-data; name="m"; filename="a;b;c.mp3"', None),
        ("form-data; name=\"m\"; filename*=utf-8''a.mp3", None),
        ("form-data; name=\"m\"; filename*=utf-8''%ff", None),
        ('form-data; name="m"; filename*0="a.mp3"', None),
        ('form-data; name="m"; FILENAME="a.mp3"', None),
        ('attachment; name="m"', None),
        ("form-data name", None),
        ("", None),
    ],
)
def test_what_is_a_field_for_aiohttp(disposition, name):
    """A part with a name and no more, in whatever way a file has its name; the application is warned of nothing."""
    part = aiohttp.payload.BytesPayload(b"whisper-1")
    part.headers["Content-Disposition"] = disposition
    form = aiohttp.MultipartWriter("form-data", boundary="b")
    form.append_payload(part)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = aiohttp_fields(form)
    assert kept == (None if name is None else written(b"b", [(name, b"whisper-1")]))


def test_a_form_of_many_parts_costs_little():
    """Who sends thousands of files does not wait until each was looked at."""
    looked = []

    class Field:
        filename = "a.png"

        @property
        def name(self):
            return looked.append(self)

    class Stream:
        boundary = b"b"
        fields = [Field() for _ in range(5000)]  # noqa: RUF012
        for field in fields:
            field.filename = None
            field.file = None

    assert httpx_fields(Stream()) is None
    assert len(looked) <= 256


@pytest.mark.swallows
def test_a_stream_that_has_odd_fields_of_its_own():
    """A custom stream may have attributes of these names, that raise: its call is recorded all the same."""

    class Stream(httpx.SyncByteStream):
        @property
        def fields(self):
            raise ValueError("not yet")

        def __iter__(self):
            yield b"{}"

    with capture(json=HEARD) as (client, events):
        client.post(URL, content=None, extensions={}, headers={"content-type": "application/json"})
        client.send(httpx.Request("POST", URL, stream=Stream()))
        assert amplitude_ai.flush()
    assert len(events.of_type("llm_message")) == 2


@pytest.mark.parametrize("prompt", ["true", "false", "5"])
def test_a_prompt_that_is_a_word_of_json(prompt):
    """It is text; only whether to stream is none."""
    with capture(json=HEARD) as (client, events):
        client.post(URL, data={"model": "whisper-1", "prompt": prompt, "stream": False}, files={"file": FILE})
        assert amplitude_ai.flush()
    (said,) = events.of_type("llm_message")
    assert (said["input_content"], said["is_streaming"]) == (prompt, False)


@pytest.mark.parametrize("name", ['a"b', "a\r\n\r\nb", "a\0b"])
def test_names_that_each_library_writes_in_another_way(name):
    """They are left out; no API has such."""
    assert written(b"b", [(name, "v"), ("model", "m")]) == written(b"b", [("model", "m")])


def test_a_field_whose_headers_come_in_another_order():
    """aiohttp's forms have the content type first."""
    form = (
        b'--b\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--b--\r\n'
    )
    exchange = Example("x", URL, {}, {"text": "Hi"}, {}).exchange()
    headers = {"content-type": "multipart/form-data; boundary=b"}
    call = read(replace(exchange, request_body=form, request_headers=headers))
    assert call.requested_model == "whisper-1"


def test_a_part_of_headers_alone():
    """Each line was tried as the one with the name, and all that follow gone through for each: 13 ms for 8 KB."""
    part = b'Content-Disposition: form-data; name="a"\r\n' * 180
    form = b"".join(b"--b\r\n" + part for _ in range(400))
    began = time.perf_counter()
    assert _multipart_fields(form, "multipart/form-data; boundary=b") == {}
    assert time.perf_counter() - began < 1
