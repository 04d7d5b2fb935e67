"""Gateways pass calls on: who answered is told by the path, the host's name or the model's prefix.

Cloudflare AI Gateway: https://developers.cloudflare.com/ai-gateway/usage/providers/ (path), and ``/compat`` (prefix).
Vercel AI Gateway, Portkey, Helicone's AI gateway: the model is ``provider/model`` (Portkey: ``@provider/model``).
"""

from __future__ import annotations

#: The gateways' words for providers, where they are not ours.
_NAMES = {
    "aws-bedrock": "bedrock",
    "amazon": "bedrock",
    "azure-openai": "azure",
    "google-ai-studio": "google",
    "google-vertex-ai": "vertex",
    "grok": "xai",
    "x-ai": "xai",
    "perplexity-ai": "perplexity",
    "moonshotai": "moonshot",
    "workers-ai": "cloudflare",
    "vertex": "vertex",
    "meta-llama": "meta",
}
_GATEWAYS = frozenset({"cloudflare_gateway", "vercel", "portkey", "helicone"})
#: Names that are providers without being rows of `compatible`.
_OWN = frozenset(
    ("openai", "anthropic", "google", "vertex", "bedrock", "azure", "cohere", "mistral", "xai", "cloudflare")
)


def upstream_provider(provider: str, host: str, path: str, model: str | None, known: frozenset[str]) -> str | None:
    """The provider behind a gateway, or ``None`` when it is none, or cannot be told.

    Args:
        provider: the gateway, as the host's table has it.
        host: the host that was called.
        path: the path that was called.
        model: the model asked for.
        known: the names of the table's providers.
    """
    if provider not in _GATEWAYS:
        return None
    said = ""
    if provider == "cloudflare_gateway":
        said = (path.split("/") + [""] * 5)[4]  # /v1/{account}/{gateway}/{provider}/...
    elif provider == "helicone" and not host.startswith(("ai-gateway.", "gateway.")):
        said = {"oai": "openai"}.get(host.partition(".")[0], host.partition(".")[0])
    if said in ("", "compat"):
        said = (model or "").lstrip("@").partition("/")[0] if "/" in (model or "") else ""
    found = _NAMES.get(said, said)
    return found if found in _OWN or found in known else None
