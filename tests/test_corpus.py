"""Real recorded exchanges against their truth, where the corpora are there; skipped, visibly, where they are not."""

import gzip
import random
import zlib
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import brotli
import httpx
import httpx2
import pytest
import zstandard

from amplitude_ai import _scope
from amplitude_ai._models import Binding, Scope
from amplitude_ai.parsers import _router
from amplitude_ai.parsers._read import read_all
from amplitude_ai.transports import httpx as leaf_httpx
from amplitude_ai.transports import httpx2 as leaf_httpx2
from amplitude_ai.transports._watch import Observer

from . import corpus


def _families():
    missing = pytest.mark.skip(reason="not in ../shared (or beside AMPLITUDE_AI_CORPUS)")
    for name in ("corpus", "corpus2"):
        for family in corpus.families(name):
            yield pytest.param(name, family, id=f"{name}-{family}")
        if not corpus.families(name):
            yield pytest.param(name, None, id=name, marks=missing)


family_of_each = pytest.mark.parametrize(("name", "family"), list(_families()))

CODINGS = {
    None: lambda data: data,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
LIBRARIES = [(httpx, leaf_httpx.AmplitudeTransport), (httpx2, leaf_httpx2.AmplitudeTransport)]


def only(exchange):
    """The call an exchange was, where it was one: a batch's results are many, and not scored."""
    calls = [call for call, _ in read_all(exchange)]
    return calls[0] if calls else None


def check(name, family, reader):
    """Fail with every exchange of the family that the reader reads otherwise than the truth has it."""
    rows = [row for row in corpus.exchanges(name) if row["truth"]["family"] == family]
    wrong = {row["id"]: lines for row in rows if (lines := corpus.differences(row, reader(row)))}
    disputed = {row["id"] for row in rows if corpus.disputed(row)}
    print(f"{name} {family}: {len(rows) - len(wrong)} of {len(rows)} agree, {len(disputed)} truths disputed")
    told = [
        f"{row['id']} {row['method']} {row['url'].split('?')[0]}: {wrong[row['id']]}"
        for row in rows
        if row["id"] in wrong
    ]
    assert all(corpus.is_as_disputed(row, wrong.get(row["id"], [])) for row in rows), "\n".join(told)


@family_of_each
def test_plain(name, family):
    """Every exchange of a family is read as its truth says."""
    check(name, family, lambda row: only(corpus.exchange(row)))


@family_of_each
def test_under_the_hook(name, family):
    """The same when nobody instrumented the client: its path alone says that it may be a call."""

    def reader(row):
        parts = urlsplit(row["url"])
        if not _router.is_any(parts.path):
            return None
        if not _router.watches(row["method"], parts.hostname, parts.path, False):
            return None
        return only(replace(corpus.exchange(row), context=Scope(Binding())))

    check(name, family, reader)


#: Doors of one host, whose paths mean nothing elsewhere.
BOUND = ("unrouted", "portkey", "writer", "cohere.generate", "google.interactions")
#: A form of nothing but a file; and a chat of old, whose body a chat's back end may have.
UNTOLD = ("/images/variations", "/v1/chat")


@family_of_each
def test_behind_a_gateway(name, family):
    """On a host nobody knows the bodies are evidence enough: the same call, unless its request could not be read."""
    if family.startswith(BOUND):
        pytest.skip("a door of one host")

    def reader(row):
        exchange, parts = corpus.exchange(row), urlsplit(row["url"])
        known = only(exchange)
        if parts.path.endswith(UNTOLD) or (not exchange.request_body and exchange.method == "POST"):
            return known
        url = urlunsplit(parts._replace(scheme="http", netloc="llm.acme.example"))
        found = only(replace(exchange, url=url, context=Scope(Binding())))
        return known if found is not None and known is not None else found  # quirks are of a host

    check(name, family, reader)


@family_of_each
@pytest.mark.parametrize("label", ["text/event-stream", "application/octet-stream", "application/json", ""])
def test_under_another_label(name, family, label):
    """The body says what it is."""

    def reader(row):
        exchange = corpus.exchange(row)
        headers = {**exchange.response_headers, "content-type": label}
        return only(replace(exchange, response_headers=headers))

    check(name, family, reader)


@family_of_each
def test_through_the_transports(name, family):
    """The same when the body crosses a transport, compressed and cut at random places; all bytes reach the reader."""
    dice = random.Random(family)

    check(name, family, lambda row: through_a_transport(row, dice))


def through_a_transport(row, dice):
    """The call as it is read when the answer came compressed and cut at random places through one of our transports."""
    captures = []
    observer = Observer(captures.append, _router.watches, _scope.snapshot, lambda binding: None)
    module, transport = dice.choice(LIBRARIES)
    coding = dice.choice([*CODINGS])
    body = corpus.response_bytes(row)
    headers = {k: v for k, v in row["response"]["headers"].items() if k.lower() != "content-encoding"}
    if coding:
        headers["content-encoding"] = coding
    chunks = _cut(CODINGS[coding](body), dice)
    inner = _Inner(module, row["response"]["status"], headers, chunks)
    with module.Client(transport=transport(inner, observer, Binding(explicit=True))) as client:
        sent = {k: v for k, v in row["request"]["headers"].items() if k.lower() != "content-length"}
        with client.stream(row["method"], row["url"], content=corpus.request_bytes(row), headers=sent) as response:
            assert b"".join(response.iter_raw()) == b"".join(chunks)
    assert len(captures) <= 1, "recorded twice"
    return only(captures[0].exchange()) if captures else None


class _Inner:
    """A transport that answers with given chunks."""

    def __init__(self, module, status, headers, chunks):
        class Stream(module.SyncByteStream):
            def __iter__(self):
                yield from chunks

        self.answer = lambda: module.Response(status, headers=headers, stream=Stream())

    def handle_request(self, request):
        request.read()
        return self.answer()

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


def _cut(data, dice):
    chunks, at = [], 0
    while at < len(data):
        size = dice.choice((1, 2, 3, 7, 50, 500, 5000))
        chunks.append(data[at : at + size])
        at += size
    return chunks
