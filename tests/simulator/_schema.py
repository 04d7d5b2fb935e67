"""A value that fits a JSON schema, for arguments and structured answers.

Also in Gemini's spellings: types in upper case, or (google-generativeai) as numbers of the enum ``Type``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: https://ai.google.dev/api/caching#Type
_NUMBERED = ("object", "string", "number", "integer", "boolean", "array", "object", "null")
_SCALARS: dict[str, Any] = {"string": "Paris", "integer": 3, "number": 1.5, "boolean": True, "null": None}


def sample(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The simplest value of a schema; ``{}`` for an empty one."""
    root = schema if root is None else root
    if reference := schema.get("$ref"):
        target: Any = root
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        return sample(target, root)
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return sample(options[0], root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    kind = _NUMBERED[kind] if isinstance(kind, int) else kind.lower()
    if kind == "array":
        return [sample(schema.get("items", {"type": "string"}), root)]
    if kind == "object":
        return {name: sample(inner, root) for name, inner in (schema.get("properties") or {}).items()}
    return _SCALARS[kind]
