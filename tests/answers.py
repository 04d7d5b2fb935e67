"""Calls made of a small answer, for tests of what an answer may say."""

import base64

from amplitude_ai.parsers._read import read

from .fixtures._wire import Example
from .test_parsers import fact

OPENAI = "https://api.openai.com/v1"
#: 2,100 bytes.
DATA = base64.b64encode(b"\x00\xff\x10" * 700).decode()
TURNS = [{"role": "user", "content": "Hi"}]


def answered(url, answer, body=None, kind="json", **changes):
    """The call that is answered so."""
    asked = {"model": "m", **({} if kind == "json" else {"stream": True}), **(body or {})}
    return read(Example("x", url, asked, answer, {}, kind=kind, **changes).exchange())


def facts(call, expected):
    """What the call says of what is expected."""
    return {name: fact(call, name) for name in expected}


def tools(call):
    """Each tool as (name, arguments, kind, executed, result, success, error)."""
    return [
        (one.name, one.arguments, one.type, one.executed, one.result, one.success, one.error_message)
        for one in call.tool_calls
    ]


def delta(finish_reason=None, index=0, **more):
    """A chunk of a chat."""
    return {"id": "x", "model": "m-1", "choices": [{"index": index, "delta": more, "finish_reason": finish_reason}]}
