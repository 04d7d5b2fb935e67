"""Every wire format, by name, and what each declares. The list is explicit: a new one is a module and a line here.

A module gives its ``FORMATS``, and where they have doors of their own also ``PATHS`` and ``HOSTS``.
"""

from __future__ import annotations

from typing import Any

from . import (
    ai21,
    aleph_alpha,
    anthropic,
    bedrock,
    bedrock_agents,
    classification,
    cohere,
    dashscope,
    deepgram,
    deepinfra,
    elevenlabs,
    endpoints,
    gigachat,
    google,
    google_other,
    huggingface,
    llamacpp,
    lmstudio,
    mcp,
    mistral,
    mistral_conversations,
    oci,
    ollama,
    openai_chat,
    openai_other,
    openai_responses,
    reka,
    replicate,
    sap,
    sglang,
    snowflake,
    tei,
    vllm,
    watsonx,
    workers_ai,
    writer,
    yandex,
)
from ._format import WireFormat
from ._paths import HostRow, PathRow

_MODULES: tuple[Any, ...] = (
    ai21,
    aleph_alpha,
    anthropic,
    bedrock,
    bedrock_agents,
    classification,
    cohere,
    dashscope,
    deepgram,
    deepinfra,
    elevenlabs,
    endpoints,
    gigachat,
    google,
    google_other,
    huggingface,
    llamacpp,
    lmstudio,
    mcp,
    mistral,
    mistral_conversations,
    oci,
    ollama,
    openai_chat,
    openai_other,
    openai_responses,
    reka,
    replicate,
    sap,
    sglang,
    snowflake,
    tei,
    vllm,
    watsonx,
    workers_ai,
    writer,
    yandex,
)

#: Every wire format by name.
FORMATS: dict[str, WireFormat] = {wire.name: wire for module in _MODULES for wire in module.FORMATS}
#: The doors that formats declare themselves.
PATHS: tuple[PathRow, ...] = tuple(row for module in _MODULES for row in getattr(module, "PATHS", ()))
HOSTS: tuple[HostRow, ...] = tuple(row for module in _MODULES for row in getattr(module, "HOSTS", ()))
