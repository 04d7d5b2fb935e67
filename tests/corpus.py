"""The recorded exchanges in ``../shared/corpus`` and beside it, where they are there. None is part of this project.

``AMPLITUDE_AI_CORPUS`` may name another folder than ``../shared/corpus``; the others are looked for beside it.
"""

import base64
import contextlib
import functools
import gzip
import json
import os
from pathlib import Path

from amplitude_ai._models import Binding, Exchange, Outcome, Scope

FOLDER = Path(os.environ.get("AMPLITUDE_AI_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")

#: The second corpus has the same schema; ``cases/wire`` has one small exchange of each kind of fault found in it.
FOLDERS = {"corpus": FOLDER, "corpus2": FOLDER.parent / "corpus2", "cases": FOLDER.parent / "cases" / "wire"}

#: Truths we believe wrong, by exchange: the reason, and in what they are. They are counted apart, never silently, and
#: in all else they must agree.
DISPUTED = {
    "count_tokens": (
        "token counting is no model call, whether it succeeds or fails (issue C: it gives no llm_message)",
        {"no record"},
    ),
    # Looked at again: the file is named for the error, issue J lists such lines among the errors to be found, no chunk
    # has a finish reason, no usage came and no [DONE]. The server says that it failed; that openai's SDK passes over a
    # line it does not know makes a silent failure of it, not a success. The truth's text has 1,033 characters of which
    # the body holds the last two pieces.
    "7ea2200b65fac8ff": (
        "the stream was shortened and its truth not (the text's first part is gone); and it ends with "
        "llama.cpp's ``error: {...}``, which is no success",
        {"success", "output_text"},
    ),
}


@functools.cache
def exchanges(name="corpus"):
    """Every exchange of a folder, as the dict it was recorded as."""
    rows = []
    for file in sorted(FOLDERS[name].glob("*.json*")):
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            rows.extend(json.loads(line) for line in (lines if file.suffix == ".gz" else [lines.read()]))
    return rows


def families(name="corpus"):
    """Names of the wire formats in a folder."""
    return sorted({row["truth"]["family"] for row in exchanges(name)})


def disputed(row):
    """In what the truth of this exchange is believed wrong; empty where it is not."""
    path = row["url"].split("?")[0].replace("-", "_").lower()
    if row["truth"]["record"] and (path.endswith(("count_tokens", ":counttokens"))):
        return DISPUTED["count_tokens"][1]
    return DISPUTED.get(row["id"], ("", set()))[1]


def is_as_disputed(row, lines):
    """Whether a record differs from the truth (`differences`) in what is disputed, and in nothing else."""
    return {line.partition(":")[0] for line in lines} == disputed(row)


def request_bytes(row):
    """The request's body as it crossed the wire."""
    if row["request"].get("body_b64"):
        return base64.b64decode(row["request"]["body_b64"])
    body = row["request"]["body"]
    if body is None:
        return None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def response_bytes(row):
    """The response's body, decompressed."""
    return base64.b64decode(row["response"]["body_b64"] or "")


def exchange(row):
    """The exchange as a transport would have captured it, in one chunk."""
    body = response_bytes(row)
    headers = {name.lower(): value for name, value in row["response"]["headers"].items()}
    headers.pop("content-encoding", None)
    return Exchange(
        id=row["id"],
        method=row["method"],
        url=row["url"],
        request_headers={name.lower(): value for name, value in row["request"]["headers"].items()},
        request_body=request_bytes(row),
        status=row["response"]["status"],
        response_headers=headers,
        response_chunks=(body,) if body else (),
        chunk_times_ns=(1,) if body else (),
        outcome=Outcome.EXHAUSTED,
        error=None,
        started_ns=0,
        started_at_ms=0,
        headers_ns=1,
        finished_ns=2,
        context=Scope(Binding(explicit=True)),
    )


def differences(row, call):
    """Where a record and the truth disagree, as readable lines; empty when they agree."""
    truth = row["truth"]
    if truth["record"] is None:  # not scored
        return []
    if call is None:
        return ["no record"] if truth["record"] else []
    if not truth["record"]:
        return ["a record of what is no model call"]
    seen = {
        "success": call.error is None,
        "model": call.model,
        "input_tokens": call.usage.input_tokens,
        "output_tokens": call.usage.output_tokens,
        "cached_input_tokens": call.usage.cached_input_tokens,
        "cache_write_tokens": call.usage.cache_write_tokens,
        "reasoning_tokens": call.usage.reasoning_tokens,
        "finish_reason": call.finish_reason,
        "output_text": call.output_text,
        "tool_calls": [
            {"name": tool.name, "arguments": tool.arguments} for tool in call.tool_calls if _in_the_truth(tool)
        ],
        "error_type": call.error.type if call.error else None,
        "error_message": call.error.message if call.error else None,
    }
    if "streamed" in truth:  # the second corpus' schema
        seen |= {"response_id": call.response_id}
    lines = []
    for name, value in seen.items():
        expected = truth.get(name)
        if expected is None:  # not known
            continue
        if name == "tool_calls":
            expected = [_tool(tool) for tool in expected]
            value = [_tool(tool) for tool in value]
            if truth.get("server_tools"):  # what the provider ran itself is not listed
                expected, value = _own(expected, call), _own(value, call)
        if name == "output_text":
            expected, value = expected or "", value or ""
        if value != expected:
            lines.append(f"{name}: {value!r}, expected {expected!r}")
    return lines


def _in_the_truth(tool):
    """The truth has the caller's own tools, and the provider's searches among them; not its web searches and such."""
    return tool.type == "function" or tool.type.startswith("tool_search")


def _tool(tool):
    arguments = tool["arguments"]
    if isinstance(arguments, str):
        with contextlib.suppress(ValueError):
            arguments = json.loads(arguments)
    return {"name": tool["name"], "arguments": arguments or {}}


def _own(tools, call):
    executed = {tool.name for tool in call.tool_calls if tool.executed}
    return [tool for tool in tools if tool["name"] not in executed]
