"""The hosts that speak OpenAI's formats, and how each strays from them: data, no code per host.

`HOSTS` has one row a host pattern; `quirks` answers for a provider's name. Hosts that speak a format of their own
(Anthropic, Google, Bedrock's runtime, Cohere) are in their own modules, also where they have an OpenAI-like path.
Price ids are those of genai-prices (``genai_prices/data.py``); ``None`` there: only the model's name can tell.
"""

from __future__ import annotations

from msgspec import Struct


class Quirks(Struct, frozen=True):
    """How a provider's bodies differ from OpenAI's. The defaults are OpenAI's own behaviour.

    Attributes:
        price_provider: the genai-prices id of the provider.
        reasoning_excluded: chat ``completion_tokens`` leave reasoning out.
        added_output: counts at the top level of a chat ``usage`` that are billed output but not in
            ``completion_tokens``.
        cost_path: where in ``usage`` the provider says what the call cost.
        cost_unit: USD for one of what is found there.
        byok_cost_path: what the user's own upstream account is charged on top, when ``is_byok``.
        price_by_requested: the answer names a base model, the request the product that is billed.
        usage_unasked: its streams tell their usage without ``stream_options``, which it may refuse.
        in_parts: one answer is several choices.
    """

    price_provider: str | None = None
    reasoning_excluded: bool = False
    added_output: tuple[str, ...] = ()
    cost_path: tuple[str, ...] = ()
    cost_unit: float = 1.0
    byok_cost_path: tuple[str, ...] = ()
    price_by_requested: bool = False
    usage_unasked: bool = False
    in_parts: bool = False


class Host(Struct, frozen=True):
    """One row: ``pattern`` is a host name, lower case, where ``*`` stands for anything. The first match counts."""

    pattern: str
    provider: str
    price_provider: str | None
    quirks: Quirks


_PLAIN = Quirks()

#: provider -> (how it strays, its hosts)
_PROVIDERS: dict[str, tuple[Quirks, tuple[str, ...]]] = {
    "openai": (
        Quirks("openai"),
        # Regional hosts: https://platform.openai.com/docs/guides/your-data#data-residency-controls
        ("api.openai.com", "*.api.openai.com"),
    ),
    # Before Azure, whose pattern its old host also fits.
    "github": (_PLAIN, ("models.github.ai", "models.inference.ai.azure.com")),
    "azure": (
        Quirks("azure"),
        (
            "*.openai.azure.com",
            "*.openai.azure.us",
            "*.openai.azure.cn",
            "*.cognitiveservices.azure.com",
            "*.services.ai.azure.com",
            "*.inference.ai.azure.com",
            "*.azure-api.net",
        ),
    ),
    # https://console.groq.com/docs/api-reference
    "groq": (Quirks("groq"), ("api.groq.com",)),
    # https://api-docs.deepseek.com/api/create-chat-completion
    "deepseek": (Quirks("deepseek"), ("api.deepseek.com",)),
    # https://docs.x.ai/docs/api-reference and docs.x.ai/developers/cost-tracking: a tick is 1e-10 USD.
    "xai": (
        Quirks("x-ai", reasoning_excluded=True, cost_path=("cost_in_usd_ticks",), cost_unit=1e-10),
        ("api.x.ai", "*.api.x.ai"),
    ),
    # https://openrouter.ai/docs/use-cases/usage-accounting: credits are USD; with a key of one's own `cost` is only
    # OpenRouter's fee.
    "openrouter": (
        Quirks(
            "openrouter",
            cost_path=("cost",),
            byok_cost_path=("cost_details", "upstream_inference_cost"),
        ),
        ("openrouter.ai", "*.openrouter.ai"),
    ),
    # https://docs.perplexity.ai/api-reference/chat-completions-post: deep research counts reasoning and citations
    # apart from the answer.
    "perplexity": (
        Quirks(
            "perplexity",
            added_output=("reasoning_tokens", "citation_tokens"),
            cost_path=("cost", "total_cost"),
            usage_unasked=True,
        ),
        ("api.perplexity.ai",),
    ),
    # https://docs.mistral.ai/api: content may be a list of parts.
    "mistral": (Quirks("mistral", usage_unasked=True), ("api.mistral.ai", "codestral.mistral.ai")),
    "together": (Quirks("together"), ("api.together.xyz", "api.together.ai")),
    # A "-fast" router answers with the name of the base model, at another price.
    "fireworks": (
        Quirks("fireworks", price_by_requested=True),
        ("api.fireworks.ai", "*.api.fireworks.ai", "*.direct.fireworks.ai"),
    ),
    "cerebras": (Quirks("cerebras"), ("api.cerebras.ai",)),
    # The price id depends on who served it: see `price_provider`.
    "huggingface": (_PLAIN, ("router.huggingface.co", "api-inference.huggingface.co", "*.endpoints.huggingface.cloud")),
    # Claude's text is one choice, its calls are others.
    "github_copilot": (
        Quirks("github-copilot", in_parts=True),
        ("api.githubcopilot.com", "*.githubcopilot.com", "copilot-proxy.githubusercontent.com"),
    ),
    "nvidia": (_PLAIN, ("integrate.api.nvidia.com", "ai.api.nvidia.com")),
    # https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference: priced by endpoint.
    "databricks": (
        Quirks("databricks", price_by_requested=True),
        ("*.cloud.databricks.com", "*.azuredatabricks.net", "*.gcp.databricks.com"),
    ),
    "snowflake": (Quirks(usage_unasked=True), ("*.snowflakecomputing.com",)),
    "zai": (Quirks("zai"), ("api.z.ai",)),
    "zhipu": (Quirks("zhipuai"), ("open.bigmodel.cn",)),
    "moonshot": (Quirks("moonshotai"), ("api.moonshot.ai", "api.moonshot.cn", "api.kimi.com")),
    "minimax": (Quirks("minimax"), ("api.minimax.io", "api.minimax.chat", "api.minimaxi.com", "api.minimax.com")),
    "dashscope": (
        _PLAIN,
        (
            "dashscope.aliyuncs.com",
            "dashscope-intl.aliyuncs.com",
            "dashscope-us.aliyuncs.com",
            "*.dashscope.aliyuncs.com",
        ),
    ),
    # Bedrock's OpenAI door: https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html
    "bedrock": (Quirks("aws"), ("bedrock-mantle.*.api.aws",)),
    "meta": (Quirks("meta"), ("api.meta.ai", "api.llama.com")),
    "sambanova": (_PLAIN, ("api.sambanova.ai",)),
    "nebius": (
        _PLAIN,
        (
            "api.studio.nebius.ai",
            "api.studio.nebius.com",
            "api.tokenfactory.nebius.com",
            "api.tokenfactory.*.nebius.com",
        ),
    ),
    "novita": (Quirks("novita"), ("api.novita.ai",)),
    "hyperbolic": (_PLAIN, ("api.hyperbolic.xyz",)),
    # https://deepinfra.com/docs/openai_api: what is charged, in USD.
    "deepinfra": (Quirks(cost_path=("estimated_cost",)), ("api.deepinfra.com",)),
    "baseten": (Quirks("baseten"), ("inference.baseten.co",)),
    "modal": (Quirks("modal"), ("*.modal.run", "*.modal.direct")),
    "ovhcloud": (Quirks("ovhcloud"), ("*.endpoints.kepler.ai.cloud.ovh.net",)),
    "heroku": (_PLAIN, ("us.inference.heroku.com", "eu.inference.heroku.com")),
    "arcee": (Quirks("arcee"), ("api.arcee.ai",)),
    # https://dev.writer.com/api-reference: chat at /v1/chat.
    "writer": (Quirks(usage_unasked=True), ("api.writer.com",)),
    "ai21": (_PLAIN, ("api.ai21.com",)),
    # https://docs.pinecone.io/reference/api/latest/inference
    "pinecone": (_PLAIN, ("api.pinecone.io",)),
    # https://docs.nomic.ai/reference/endpoints/nomic-embed-text
    "nomic": (_PLAIN, ("api-atlas.nomic.ai",)),
    "jina": (_PLAIN, ("api.jina.ai", "deepsearch.jina.ai")),
    "ollama": (_PLAIN, ("ollama.com", "api.ollama.com")),
    "volcengine": (_PLAIN, ("ark.*.volces.com", "ark.*.bytepluses.com")),
    "qianfan": (_PLAIN, ("qianfan.baidubce.com",)),
    # https://cloud.tencent.com/document/product/1823/132252
    "hunyuan": (
        _PLAIN,
        (
            "api.hunyuan.cloud.tencent.com",
            "api.lkeap.cloud.tencent.com",
            "tokenhub.tencentmaas.com",
            "tokenhub-intl.tencentcloudmaas.com",
        ),
    ),
    "siliconflow": (_PLAIN, ("api.siliconflow.cn", "api.siliconflow.com")),
    "stepfun": (_PLAIN, ("api.stepfun.com", "api.stepfun.ai")),
    "baichuan": (_PLAIN, ("api.baichuan-ai.com",)),
    "yi": (_PLAIN, ("api.lingyiwanwu.com",)),
    "maritaca": (_PLAIN, ("chat.maritaca.ai",)),
    "upstage": (_PLAIN, ("api.upstage.ai",)),
    "reka": (_PLAIN, ("api.reka.ai",)),
    "inception": (_PLAIN, ("api.inceptionlabs.ai",)),
    "venice": (_PLAIN, ("api.venice.ai",)),
    "featherless": (_PLAIN, ("api.featherless.ai",)),
    "friendli": (_PLAIN, ("api.friendli.ai",)),
    "lambda": (_PLAIN, ("api.lambda.ai", "api.lambdalabs.com")),
    "scaleway": (_PLAIN, ("api.scaleway.ai",)),
    "digitalocean": (_PLAIN, ("inference.do-ai.run",)),
    "chutes": (_PLAIN, ("llm.chutes.ai",)),
    "parasail": (_PLAIN, ("api.parasail.io",)),
    "nscale": (_PLAIN, ("inference.api.nscale.com",)),
    "crusoe": (_PLAIN, ("api.inference.crusoecloud.com",)),
    "avian": (Quirks("avian"), ("api.avian.io",)),
    "doubleword": (Quirks("doubleword"), ("api.doubleword.ai",)),
    "typesafe": (Quirks("typesafe"), ("api.typesafe.ai",)),
    "quicksilverpro": (Quirks("quicksilverpro"), ("api.quicksilverpro.io",)),
    # https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-chat: arguments are an object.
    "gigachat": (Quirks(usage_unasked=True), ("gigachat.devices.sberbank.ru", "api.giga.chat")),
    "yandex": (
        _PLAIN,
        ("llm.api.cloud.yandex.net", "ai.api.cloud.yandex.net", "operation.api.cloud.yandex.net"),
    ),
    "sarvam": (_PLAIN, ("api.sarvam.ai",)),
    "typhoon": (_PLAIN, ("api.opentyphoon.ai",)),
    "spark": (_PLAIN, ("spark-api-open.xf-yun.com",)),
    "infini": (_PLAIN, ("cloud.infini-ai.com",)),
    "modelscope": (_PLAIN, ("api-inference.modelscope.cn",)),
    "ppio": (_PLAIN, ("api.ppinfra.com", "api.ppio.com")),
    "qiniu": (_PLAIN, ("api.qnaigc.com",)),
    "gitee": (_PLAIN, ("ai.gitee.com",)),
    "sensenova": (_PLAIN, ("api.sensenova.cn",)),
    "xiaomi": (_PLAIN, ("api.xiaomimimo.com",)),
    "longcat": (_PLAIN, ("api.longcat.chat",)),
    "ionos": (_PLAIN, ("openai.inference.*.ionos.com",)),
    "infomaniak": (_PLAIN, ("api.infomaniak.com",)),
    "regolo": (_PLAIN, ("api.regolo.ai",)),
    "publicai": (_PLAIN, ("api.publicai.co",)),
    "inference_net": (_PLAIN, ("api.inference.net",)),
    "io_intelligence": (_PLAIN, ("api.intelligence.io.solutions",)),
    "gmi": (_PLAIN, ("api.gmi-serving.com",)),
    "wandb": (_PLAIN, ("api.inference.wandb.ai",)),
    "predibase": (_PLAIN, ("serving.app.predibase.com",)),
    "morph": (_PLAIN, ("api.morphllm.com",)),
    "synthetic": (_PLAIN, ("api.synthetic.new",)),
    "tinfoil": (_PLAIN, ("inference.tinfoil.sh",)),
    "targon": (_PLAIN, ("api.targon.com",)),
    "akash": (_PLAIN, ("chatapi.akash.network",)),
    "clarifai": (_PLAIN, ("api.clarifai.com",)),
    "v0": (_PLAIN, ("api.v0.dev",)),
    "oci": (_PLAIN, ("inference.generativeai.*.oci.oraclecloud.com",)),
    "sap": (_PLAIN, ("api.ai.*.hana.ondemand.com",)),
    # Gateways that pass on other people's models.
    # https://docs.llmgateway.io/features/cost-breakdown
    "llmgateway": (Quirks(cost_path=("cost_usd_total",)), ("api.llmgateway.io",)),
    "requesty": (_PLAIN, ("router.requesty.ai", "router.*.requesty.ai")),
    "aimlapi": (_PLAIN, ("api.aimlapi.com",)),
    "vercel": (_PLAIN, ("ai-gateway.vercel.sh",)),
    "cloudflare": (Quirks("cloudflare"), ("api.cloudflare.com",)),
    "cloudflare_gateway": (_PLAIN, ("gateway.ai.cloudflare.com",)),
    "helicone": (_PLAIN, ("oai.helicone.ai", "ai-gateway.helicone.ai", "gateway.helicone.ai")),
    "portkey": (_PLAIN, ("api.portkey.ai",)),
    "poe": (_PLAIN, ("api.poe.com",)),
    "nanogpt": (_PLAIN, ("nano-gpt.com",)),
    "zenmux": (_PLAIN, ("zenmux.ai",)),
    "cortecs": (_PLAIN, ("api.cortecs.ai",)),
    "opencode": (_PLAIN, ("opencode.ai",)),
    "aihubmix": (_PLAIN, ("aihubmix.com",)),
    "glama": (_PLAIN, ("glama.ai",)),
    "redpill": (_PLAIN, ("api.redpill.ai", "api.red-pill.ai")),
    "assemblyai": (_PLAIN, ("llm-gateway.assemblyai.com", "llm-gateway.*.assemblyai.com")),
    "braintrust": (_PLAIN, ("api.braintrust.dev", "gateway.braintrust.dev")),
}

HOSTS: tuple[Host, ...] = tuple(
    Host(pattern, provider, how.price_provider, how)
    for provider, (how, hosts) in _PROVIDERS.items()
    for pattern in hosts
)


#: The names of all of them.
NAMES = frozenset(_PROVIDERS)


def quirks(provider: str) -> Quirks:
    """How ``provider`` strays from OpenAI's formats; OpenAI's own behaviour for one that is not in the table."""
    row = _PROVIDERS.get(provider)
    return row[0] if row else _PLAIN


#: Who served a call, by Hugging Face's router: it chooses, where nobody is named.
SELLER = "x-inference-provider"


def price_provider(provider: str, path: str, requested_model: str | None, served_by: str | None = None) -> str | None:
    """The genai-prices id to look a call up under.

    Hugging Face's router sells other hosts' service: it says whose, else the first segment of the path or the end of
    the model's id names the seller (https://huggingface.co/docs/inference-providers).
    """
    if provider != "huggingface":
        return quirks(provider).price_provider
    seller = served_by or path.strip("/").split("/", 1)[0]
    if seller in ("", "v1"):
        seller = (requested_model or "").rpartition(":")[2] if ":" in (requested_model or "") else ""
    # ":fastest" and ":cheapest" name a policy, not a seller.
    return f"huggingface_{seller}" if seller and seller not in ("fastest", "cheapest", "preferred") else None
