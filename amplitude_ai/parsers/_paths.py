"""Which paths mean a model call, and on whose hosts: the table behind `_router`, as data.

Here are the paths that many hosts share. A format with a door of its own declares it in its file, as ``PATHS`` and
``HOSTS`` (see ``deepgram.py``), and these rows come first.

One row a path. On a known host only the rows of the formats that its provider speaks count (`SPOKEN`); on a host nobody
knows those not bound to hosts (`PathRow.only`), and the request's body must look like the format (`_evidence`).
"""

from __future__ import annotations

from msgspec import Struct

#: The files in which batches are answered: no wire format, for they hold answers of many (``_batches``).
BATCH_RESULTS = "batch.results"

_POST = frozenset({"POST"})
_GET = frozenset({"GET"})


class PathRow(Struct, frozen=True):
    """A path and the wire format it means.

    Attributes:
        pattern: matched against the whole path as it crossed the wire (percent-encoded), without slashes at its end.
        format: the wire format.
        owner: the provider whose shape it is, credited where the host tells none.
        only: the providers on whose hosts it means that; empty: on any host. ``local`` is the user's own machine,
            ``known`` every host that is known, or local; ``all``: whatever the host, and always by its body.
        methods: what it is asked with.
    """

    pattern: str
    format: str
    owner: str
    only: frozenset[str] = frozenset()
    methods: frozenset[str] = _POST


class HostRow(Struct, frozen=True):
    """A host with wire formats of its own.

    Attributes:
        pattern: matched against the whole name, lower case.
        provider: whose it is, and ``model_provider`` of its events.
        price_provider: its id in genai-prices; ``None``: only the model's name can tell.
        runs_anything: it serves whatever its customers put there, so that the bodies must look like the format.
    """

    pattern: str
    provider: str
    price_provider: str | None = None
    runs_anything: bool = False


def on(*providers: str) -> frozenset[str]:
    """The providers on whose hosts a path means something."""
    return frozenset(providers)


#: A Bedrock model: an id, or an ARN, whose slash may be escaped or not.
_MODEL = r"(?:[^/]+|arn:.+)"

#: The first row that matches and holds on the host counts.
PATHS: tuple[PathRow, ...] = (
    PathRow(r".*/chat/completions", "openai.chat", "openai"),
    PathRow(r".*/agents/completions", "openai.chat", "mistral", on("mistral")),
    PathRow(r".*/prompts/[^/]+/completions", "openai.chat", "portkey", on("portkey")),
    PathRow(r"/v1/chat", "openai.chat", "writer", on("writer")),
    PathRow(r"/v1/(?:async/)?sonar", "openai.chat", "perplexity", on("perplexity")),
    PathRow(r"(?:/async/chat/completions|/v1/async/sonar)/[^/]+", "openai.chat", "perplexity", on("perplexity"), _GET),
    PathRow(r".*/chat/deferred-completion/[^/]+", "openai.chat", "xai", on("xai"), _GET),
    PathRow(r".*/async-result/[^/]+", "openai.chat", "zai", on("zai", "zhipu"), _GET),
    PathRow(r".*/text/chatcompletion(?:_v2|_pro)?", "openai.chat", "minimax", on("minimax")),
    PathRow(r".*/cortex/inference:complete", "openai.chat", "snowflake"),
    PathRow(r".*/publishers/mistralai/models/mistral-ocr[^/]*:rawPredict", "mistral.ocr", "vertex", on("vertex")),
    PathRow(r".*/publishers/(?:mistralai|ai21)/models/[^/]+:(?:streamRawPredict|rawPredict)", "openai.chat", "vertex"),
    PathRow(r"(?!.*/threads/).*/responses(?:/compact)?", "openai.responses", "openai"),
    PathRow(r".*/responses/resp_[^/]+", "openai.responses", "openai", methods=_GET),
    PathRow(r".*/responses/[^/]+", "openai.responses", "openai", on("known"), _GET),
    PathRow(r".*/threads/(?:[^/]+/)?runs", "openai.runs", "openai"),
    PathRow(r".*/threads/[^/]+/runs/run_[^/]+/submit_tool_outputs", "openai.runs", "openai"),
    PathRow(r".*/threads/[^/]+/runs/run_[^/]+", "openai.runs", "openai", methods=_GET),
    PathRow(r".*/fim/completions", "mistral.fim", "mistral"),
    PathRow(r".*/completions", "openai.completions", "openai"),
    PathRow(r"/v1/edits", "openai.completions", "openai", on("openai")),
    PathRow(r".*/v2/embed", "cohere.embed", "cohere"),
    PathRow(r".*/rerank", "cohere.rerank", "cohere"),
    PathRow(r"/compatible-api/v1/reranks", "cohere.rerank", "dashscope", on("dashscope")),
    PathRow(r".*/(?:re)?ranking", "cohere.rerank", "nvidia", on("nvidia")),
    PathRow(r".*/api/embed(?:dings)?", "ollama.embed", "ollama"),
    PathRow(r".*/(?:multimodal|contextualized)?embeddings", "openai.embeddings", "openai"),
    PathRow(r".*/embeddings/multimodal", "openai.embeddings", "volcengine", on("volcengine")),
    PathRow(r"/embed", "openai.embeddings", "pinecone", on("pinecone")),
    PathRow(r"/v1/embedding/(?:text|image)", "openai.embeddings", "nomic", on("nomic")),
    PathRow(r".*/images/(?:generations|edits|variations)", "openai.images", "openai"),
    PathRow(
        r"/inference/v1/(?:workflows/.+/text_to_image|image_generation/.+)",
        "openai.images",
        "fireworks",
        on("fireworks"),
    ),
    PathRow(r"/api/v1/images", "openai.images", "openrouter", on("openrouter")),
    PathRow(r".*/audio/(?:speech|transcriptions|translations)", "openai.audio", "openai"),
    PathRow(r"/v1/(?:tts|stt)", "openai.audio", "xai", on("xai")),
    PathRow(r".*/v1/t2a(?:_v2)?", "openai.audio", "minimax", on("minimax")),
    PathRow(r".*/v1/image_generation", "openai.images", "minimax", on("minimax")),
    PathRow(
        r".*/videos(?:/generations|/edits|/extensions|/[^/]+/remix)?",
        "openai.videos",
        "openai",
        on("openai", "azure", "xai", "openrouter", "together", "zai", "zhipu"),
    ),
    PathRow(r".*/video/generations/jobs", "openai.videos", "azure", on("azure")),
    PathRow(r".*/contents/generations/tasks", "openai.videos", "volcengine", on("volcengine")),
    PathRow(r"/v1/decisions", "openai.responses", "openai", on("openai", "perplexity")),
    PathRow(r".*/moderations", "openai.moderations", "openai"),
    PathRow(r".*/ocr", "mistral.ocr", "mistral", on("mistral", "local")),
    PathRow(r".*/providers/mistral/azure/ocr", "mistral.ocr", "mistral", on("azure")),
    PathRow(r".*/messages", "anthropic.messages", "anthropic"),
    PathRow(r".*/v1/complete", "anthropic.completions", "anthropic"),
    PathRow(r".*/publishers/anthropic/models/[^/]+:(?:streamRawPredict|rawPredict)", "anthropic.messages", "anthropic"),
    PathRow(r".*/[^/]+:(?:generateContent|streamGenerateContent)", "google.generate", "google"),
    PathRow(r".*/models/[^/]+:(?:embedContent|batchEmbedContents)", "google.embed", "google"),
    PathRow(
        r".*/publishers/google/models/(?:text|gemini|multimodal)[^/]*embedding[^/]*:predict", "google.embed", "google"
    ),
    PathRow(
        r".*/models/[^/]+:(?:predict|predictLongRunning)", "google.predict", "google", on("google", "vertex", "local")
    ),
    PathRow(r".*/interactions", "google.interactions", "google", on("google", "vertex", "local")),
    PathRow(r".*/interactions/[^/]+", "google.interactions", "google", on("google", "vertex"), _GET),
    PathRow(rf".*/model/{_MODEL}/converse(?:-stream)?", "bedrock.converse", "bedrock"),
    PathRow(rf".*/model/{_MODEL}/invoke(?:-with-response-stream)?", "bedrock.invoke", "bedrock"),
    PathRow(r".*/v[12]/chat", "cohere.chat", "cohere"),
    PathRow(r".*/v1/generate", "cohere.generate", "cohere", on("cohere")),
    PathRow(r".*/v1/(?:embed|summarize|classify)", "cohere.embed", "cohere", on("cohere")),
    PathRow(r".*/api/chat", "ollama.chat", "ollama"),
    PathRow(r".*/api/generate", "ollama.generate", "ollama"),
    PathRow(r".*/generate(?:_stream)?", "huggingface.generate", "huggingface"),
    PathRow(r".*/models/.+|.*/pipeline/.+", "huggingface.generate", "huggingface", on("huggingface")),
    PathRow(r"/?", "huggingface.generate", "huggingface", on("huggingface")),
    PathRow(r".*/files/[^/]+/content", BATCH_RESULTS, "openai", on("known"), _GET),
    PathRow(r".*/messages/batches/[^/]+/results", BATCH_RESULTS, "anthropic", on("known"), _GET),
)

#: Beginnings of the formats that a provider's own hosts speak. Who is not here: `COMPATIBLE`.
SPOKEN: dict[str, tuple[str, ...]] = {
    "openai": ("openai.",),
    "anthropic": ("anthropic.", "openai.chat"),
    "google": ("google.", "openai."),
    "vertex": ("google.", "anthropic.messages", "openai."),
    "bedrock": ("bedrock.", "openai.", "anthropic.messages"),
    "azure": ("openai.", "anthropic.messages", "cohere.", "mistral."),
    "cohere": ("cohere.", "openai.chat", "openai.embeddings", "openai.audio"),
    "mistral": ("openai.", "mistral."),
    "huggingface": ("openai.", "anthropic.messages", "huggingface.", "tei.", "cohere.rerank"),
    "ollama": ("ollama.", "openai.", "anthropic.messages"),
    "xai": ("openai.", "anthropic."),
    "voyage": ("openai.embeddings", "cohere.rerank"),
}
_EVERYBODYS = ("openai.", "anthropic.", "google.", "cohere.", "mistral.", "bedrock.", "ollama.", "huggingface.")
#: They pass on whatever there is.
for _gateway in ("cloudflare_gateway", "portkey", "helicone", "vercel"):
    SPOKEN[_gateway] = _EVERYBODYS
COMPATIBLE: tuple[str, ...] = ("openai.", "anthropic.messages", "cohere.rerank")

#: Hosts that run whatever their customers put there: the path alone is no evidence on them either.
TENANTS: tuple[str, ...] = (
    r".*\.modal\.(?:run|direct)",
    r".*\.azure-api\.net",
    r".*\.endpoints\.huggingface\.cloud",
    r".*\.databricks\.com",
    r".*\.azuredatabricks\.net",
    r".*\.snowflakecomputing\.com",
    r".*\.api\.baseten\.co",
    r"api\.runpod\.ai",
)
