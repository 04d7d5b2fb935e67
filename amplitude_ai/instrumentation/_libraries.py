"""The HTTP libraries that are watched, by an explicit list. A new one is a row here and a leaf in ``transports/``.

The leaves import their libraries, so that each is loaded only when its library has been. Nothing is imported here.
"""

from __future__ import annotations

import importlib

from msgspec import Struct

from ..transports._library import Library


class Row(Struct, frozen=True):
    """A library.

    Attributes:
        name: what people call it.
        leaf: our file for it.
        module: the module whose import makes it there.
        inner: the one that defines what is hooked, where it is another: executed anew, it defines it anew.
        known_for: who sends by it, for a log line.
    """

    name: str
    leaf: str
    module: str
    known_for: str = ""
    inner: str = ""

    def load(self) -> Library:
        """What the leaf says.

        Raises:
            Exception: the library is of a version that the leaf does not know.
        """
        leaf = importlib.import_module(f"amplitude_ai.transports.{self.leaf}")
        library: Library = leaf.LIBRARY
        return library


LIBRARIES: tuple[Row, ...] = (
    Row("httpx2", "httpx2", "httpx2", inner="httpx2._client"),
    Row("httpx", "httpx", "httpx", inner="httpx._client"),
    Row("requests", "requests", "requests", inner="requests.sessions"),
    Row("aiohttp", "aiohttp", "aiohttp", inner="aiohttp.client"),
    Row("urllib3", "urllib3", "urllib3.connectionpool", "boto3", inner="urllib3.connection"),
    Row("http.client", "http_client", "http.client", "urllib.request"),
    Row("httplib2", "httplib2", "httplib2"),
    Row("urllib3-future", "urllib3", "urllib3_future.connectionpool", "niquests"),
    Row("urllib3-future", "urllib3_future", "urllib3_future._async.connectionpool", "niquests"),
    Row("urllib3-future", "urllib3_future", "urllib3._async.connectionpool", "niquests"),
    Row("requests-mock", "requests_mock", "requests_mock.adapter", "mocks of requests"),
    Row("vcrpy", "vcrpy", "vcr.stubs", "cassettes of http.client"),
)
BY_MODULE = {name: row for row in LIBRARIES for name in (row.module, row.inner) if name}


def names() -> str:
    """All of them, in a sentence."""
    said = [f"{row.name} ({row.known_for})" if row.known_for else row.name for row in LIBRARIES]
    said = list(dict.fromkeys(said))  # some have more than one row
    return f"{', '.join(said[:-1])} and {said[-1]}"
