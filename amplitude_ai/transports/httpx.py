"""The watching transports for httpx: ``_httpx_family`` bound to this library's base classes."""

from __future__ import annotations

import httpx

from ._httpx_family import AsyncTee, AsyncTransport, SyncTee, SyncTransport, library


class _Stream(SyncTee, httpx.SyncByteStream):
    pass


class _AsyncStream(AsyncTee, httpx.AsyncByteStream):
    pass


class AmplitudeTransport(SyncTransport, httpx.BaseTransport):
    """A ``httpx.BaseTransport`` that watches the transport it wraps."""

    _tee = _Stream


class AsyncAmplitudeTransport(AsyncTransport, httpx.AsyncBaseTransport):
    """A ``httpx.AsyncBaseTransport`` that watches the transport it wraps."""

    _tee = _AsyncStream


LIBRARY = library(AmplitudeTransport, AsyncAmplitudeTransport)
