"""Web frameworks: whose request a model is called for. Needs no framework: plain ASGI and WSGI.

`ASGIMiddleware` and `WSGIMiddleware` go around an application; `identify` says more from inside it; `key_user` tells a
gateway's callers apart; `inject` and
`extract` carry the same over process borders in a W3C ``baggage`` header. `amplitude_ai.web.django` and
`amplitude_ai.web.celery` do it in those frameworks' own ways.
"""

from __future__ import annotations

from ._keys import key_user
from ._request import identify
from .asgi import ASGIMiddleware
from .baggage import extract, inject
from .wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "WSGIMiddleware", "extract", "identify", "inject", "key_user"]
