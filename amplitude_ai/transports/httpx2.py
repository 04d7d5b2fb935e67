"""The watching transports for httpx2: ``_httpx_family`` bound to this library's base classes."""

from __future__ import annotations

import httpx2

from ._httpx_family import AsyncTee, AsyncTransport, SyncTee, SyncTransport, library


class _Stream(SyncTee, httpx2.SyncByteStream):
    pass


class _AsyncStream(AsyncTee, httpx2.AsyncByteStream):
    _closes = True


class AmplitudeTransport(SyncTransport, httpx2.BaseTransport):
    """A ``httpx2.BaseTransport`` that watches the transport it wraps."""

    _tee = _Stream


class AsyncAmplitudeTransport(AsyncTransport, httpx2.AsyncBaseTransport):
    """A ``httpx2.AsyncBaseTransport`` that watches the transport it wraps."""

    _tee = _AsyncStream


LIBRARY = library(AmplitudeTransport, AsyncAmplitudeTransport)
