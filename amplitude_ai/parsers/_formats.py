"""Every wire format, by name. The list is explicit: a new one is a module and a line here.

Apart from the package's `__init__`, so that asking the router on the caller's thread loads no parser.
"""

from __future__ import annotations

from . import (
    aleph_alpha,
    anthropic,
    bedrock,
    bedrock_agents,
    cohere,
    deepgram,
    google,
    google_other,
    huggingface,
    lmstudio,
    mcp,
    mistral,
    mistral_conversations,
    ollama,
    openai_chat,
    openai_other,
    openai_responses,
    replicate,
    sagemaker,
    watsonx,
)
from ._format import WireFormat

_ALL: tuple[WireFormat, ...] = (
    openai_chat.FORMAT,
    openai_responses.FORMAT,
    *openai_other.FORMATS,
    *anthropic.FORMATS,
    *bedrock.FORMATS,
    *google.FORMATS,
    *google_other.FORMATS,
    *cohere.FORMATS,
    *mistral.FORMATS,
    *mistral_conversations.FORMATS,
    *ollama.FORMATS,
    *huggingface.FORMATS,
    *bedrock_agents.FORMATS,
    *sagemaker.FORMATS,
    *lmstudio.FORMATS,
    *mcp.FORMATS,
    *watsonx.FORMATS,
    *replicate.FORMATS,
    *deepgram.FORMATS,
    *aleph_alpha.FORMATS,
)

#: Every wire format by name.
FORMATS: dict[str, WireFormat] = {wire_format.name: wire_format for wire_format in _ALL}
