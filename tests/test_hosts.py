"""Who answers at which host: each address once, as its owner's documentation has it, and names that only look alike."""

import pytest

from amplitude_ai.parsers._gateways import upstream_provider
from amplitude_ai.parsers._paths import BATCH_RESULTS
from amplitude_ai.parsers._router import host_provider, route, takes_usage_option
from amplitude_ai.parsers.compatible import NAMES

#: Host, provider, its id in genai-prices where it has one.
HOSTS = """
    api.openai.com openai openai
    eu.api.openai.com openai openai
    models.github.ai github
    models.inference.ai.azure.com github
    acme.openai.azure.com azure azure
    acme.openai.azure.us azure azure
    acme.cognitiveservices.azure.com azure azure
    acme.services.ai.azure.com azure azure
    acme.eastus.inference.ai.azure.com azure azure
    acme.azure-api.net azure azure
    api.groq.com groq groq
    api.deepseek.com deepseek deepseek
    api.x.ai xai x-ai
    us-east-1.api.x.ai xai x-ai
    openrouter.ai openrouter openrouter
    eu.openrouter.ai openrouter openrouter
    api.perplexity.ai perplexity perplexity
    api.mistral.ai mistral mistral
    codestral.mistral.ai mistral mistral
    api.together.xyz together together
    api.together.ai together together
    api.fireworks.ai fireworks fireworks
    acme.direct.fireworks.ai fireworks fireworks
    api.cerebras.ai cerebras cerebras
    router.huggingface.co huggingface
    api-inference.huggingface.co huggingface
    x1.us-east-1.aws.endpoints.huggingface.cloud huggingface
    acme.inference.huggingface.co huggingface
    api.githubcopilot.com github_copilot github-copilot
    api.business.githubcopilot.com github_copilot github-copilot
    copilot-proxy.githubusercontent.com github_copilot github-copilot
    integrate.api.nvidia.com nvidia
    dbc-1.cloud.databricks.com databricks databricks
    adb-1.7.azuredatabricks.net databricks databricks
    1.7.gcp.databricks.com databricks databricks
    a-b.snowflakecomputing.com snowflake
    api.z.ai zai zai
    open.bigmodel.cn zhipu zhipuai
    api.moonshot.ai moonshot moonshotai
    api.moonshot.cn moonshot moonshotai
    api.minimax.io minimax minimax
    api.minimax.chat minimax minimax
    api.minimaxi.com minimax minimax
    api.minimax.com minimax minimax
    dashscope.aliyuncs.com dashscope
    dashscope-intl.aliyuncs.com dashscope
    dashscope-us.aliyuncs.com dashscope
    bedrock-mantle.us-east-1.api.aws bedrock aws
    bedrock-runtime.us-east-1.amazonaws.com bedrock aws
    bedrock-runtime-fips.us-east-1.amazonaws.com bedrock aws
    bedrock-runtime.cn-north-1.amazonaws.com.cn bedrock aws
    bedrock-agent-runtime.us-east-1.amazonaws.com bedrock aws
    runtime.sagemaker.us-east-1.amazonaws.com sagemaker
    runtime.sagemaker-fips.us-east-1.amazonaws.com sagemaker
    api.meta.ai meta meta
    api.llama.com meta meta
    api.sambanova.ai sambanova
    api.studio.nebius.ai nebius
    api.studio.nebius.com nebius
    api.tokenfactory.nebius.com nebius
    api.novita.ai novita novita
    api.hyperbolic.xyz hyperbolic
    api.deepinfra.com deepinfra
    inference.baseten.co baseten baseten
    acme--app.modal.run modal modal
    acme--app.modal.direct modal modal
    oai.endpoints.kepler.ai.cloud.ovh.net ovhcloud ovhcloud
    us.inference.heroku.com heroku
    eu.inference.heroku.com heroku
    api.arcee.ai arcee arcee
    api.writer.com writer
    api.ai21.com ai21
    api.jina.ai jina
    deepsearch.jina.ai jina
    ollama.com ollama
    api.ollama.com ollama
    ark.cn-beijing.volces.com volcengine
    ark.ap-southeast.bytepluses.com volcengine
    qianfan.baidubce.com qianfan
    api.hunyuan.cloud.tencent.com hunyuan
    tokenhub.tencentmaas.com hunyuan
    tokenhub-intl.tencentcloudmaas.com hunyuan
    api.siliconflow.cn siliconflow
    api.siliconflow.com siliconflow
    api.stepfun.com stepfun
    api.stepfun.ai stepfun
    api.baichuan-ai.com baichuan
    api.lingyiwanwu.com yi
    chat.maritaca.ai maritaca
    api.upstage.ai upstage
    api.reka.ai reka
    api.inceptionlabs.ai inception
    api.venice.ai venice
    api.featherless.ai featherless
    api.friendli.ai friendli
    api.lambda.ai lambda
    api.lambdalabs.com lambda
    api.scaleway.ai scaleway
    inference.do-ai.run digitalocean
    llm.chutes.ai chutes
    api.parasail.io parasail
    inference.api.nscale.com nscale
    api.inference.crusoecloud.com crusoe
    api.avian.io avian avian
    api.doubleword.ai doubleword doubleword
    router.requesty.ai requesty
    api.aimlapi.com aimlapi
    ai-gateway.vercel.sh vercel
    api.cloudflare.com cloudflare cloudflare
    gateway.ai.cloudflare.com cloudflare_gateway
    api.llmgateway.io llmgateway
    oai.helicone.ai helicone
    ai-gateway.helicone.ai helicone
    gateway.helicone.ai helicone
    api.portkey.ai portkey
    api.anthropic.com anthropic anthropic
    claude.googleapis.com vertex google
    generativelanguage.googleapis.com google google
    generativelanguage.mtls.googleapis.com google google
    aiplatform.googleapis.com vertex google
    us-central1-aiplatform.googleapis.com vertex google
    aiplatform.eu.rep.googleapis.com vertex google
    aws-external-anthropic.us-east-1.api.aws anthropic anthropic
    api.cohere.com cohere cohere
    api.cohere.ai cohere cohere
    api.voyageai.com voyage voyageai
    ai.mongodb.com voyage voyageai
    api.aleph-alpha.com aleph_alpha
    inference-api.acme.aleph-alpha.com aleph_alpha
    api.deepgram.com deepgram
    api.eu.deepgram.com deepgram
    api.elevenlabs.io elevenlabs elevenlabs
    api.us.elevenlabs.io elevenlabs elevenlabs
    api.replicate.com replicate
    us-south.ml.cloud.ibm.com watsonx
    acme.openai.azure.cn azure azure
    ai.api.nvidia.com nvidia
    api.kimi.com moonshot moonshotai
    coding-intl.dashscope.aliyuncs.com dashscope
    api.tokenfactory.us-central1.nebius.com nebius
    gpt-oss-120b.endpoints.kepler.ai.cloud.ovh.net ovhcloud ovhcloud
    api.lkeap.cloud.tencent.com hunyuan
    api.typesafe.ai typesafe typesafe
    api.quicksilverpro.io quicksilverpro quicksilverpro
    gigachat.devices.sberbank.ru gigachat
    api.giga.chat gigachat
    llm.api.cloud.yandex.net yandex
    ai.api.cloud.yandex.net yandex
    operation.api.cloud.yandex.net yandex
    api.pinecone.io pinecone
    api-atlas.nomic.ai nomic
    audio-prod.api.fireworks.ai fireworks fireworks
    audio-turbo.us-virginia-1.direct.fireworks.ai fireworks fireworks
    api.sarvam.ai sarvam
    api.opentyphoon.ai typhoon
    spark-api-open.xf-yun.com spark
    cloud.infini-ai.com infini
    api-inference.modelscope.cn modelscope
    api.ppinfra.com ppio
    api.ppio.com ppio
    api.qnaigc.com qiniu
    ai.gitee.com gitee
    api.sensenova.cn sensenova
    api.xiaomimimo.com xiaomi
    api.longcat.chat longcat
    openai.inference.de-txl.ionos.com ionos
    api.infomaniak.com infomaniak
    api.regolo.ai regolo
    api.publicai.co publicai
    api.inference.net inference_net
    api.intelligence.io.solutions io_intelligence
    api.gmi-serving.com gmi
    api.inference.wandb.ai wandb
    serving.app.predibase.com predibase
    api.morphllm.com morph
    api.synthetic.new synthetic
    inference.tinfoil.sh tinfoil
    api.targon.com targon
    chatapi.akash.network akash
    api.clarifai.com clarifai
    api.v0.dev v0
    inference.generativeai.us-chicago-1.oci.oraclecloud.com oci
    api.ai.prod.eu-central-1.aws.ml.hana.ondemand.com sap
    router.eu.requesty.ai requesty
    api.poe.com poe
    nano-gpt.com nanogpt
    zenmux.ai zenmux
    api.cortecs.ai cortecs
    opencode.ai opencode
    aihubmix.com aihubmix
    glama.ai glama
    api.redpill.ai redpill
    api.red-pill.ai redpill
    llm-gateway.assemblyai.com assemblyai
    llm-gateway.eu.assemblyai.com assemblyai
    api.braintrust.dev braintrust
    gateway.braintrust.dev braintrust
    model-abc.api.baseten.co baseten
    api.runpod.ai runpod
"""
ROWS = [(*line.split(), None)[:3] for line in HOSTS.split("\n") if line.strip()]


@pytest.mark.parametrize(("host", "provider", "price"), ROWS)
def test_who_answers(host, provider, price):
    """The provider's name, and the one to look prices up by."""
    assert host_provider(host) == (provider, price)


@pytest.mark.parametrize("host", [host for host, _, _ in ROWS])
def test_names_that_only_look_alike(host):
    """Another end is another owner's, whose pages may begin with the same words."""
    assert host_provider(f"{host}.evil.example") is None
    assert host_provider(f"x{host.replace('.', '-')}.example") is None


def test_every_name_is_here():
    """A provider that is added has its hosts written down a second time."""
    assert {provider for _, provider, _ in ROWS} >= NAMES


@pytest.mark.parametrize(
    ("url", "provider", "wire"),
    [
        ("api.mistral.ai/v1/agents/completions", "mistral", "openai.chat"),
        ("api.portkey.ai/v1/prompts/p1/completions", "portkey", "openai.chat"),
        ("api.writer.com/v1/chat", "writer", "openai.chat"),
        ("a.snowflakecomputing.com/api/v2/cortex/inference:complete", "snowflake", "openai.chat"),
        ("aiplatform.googleapis.com/v1/publishers/mistralai/models/m:rawPredict", "vertex", "openai.chat"),
        ("aiplatform.googleapis.com/v1/publishers/anthropic/models/c:streamRawPredict", "vertex", "anthropic.messages"),
        ("api.openai.com/v1/responses/compact", "openai", "openai.responses"),
        ("api.openai.com/v1/threads/runs", "openai", "openai.runs"),
        ("api.openai.com/v1/threads/t1/runs/run_1/submit_tool_outputs", "openai", "openai.runs"),
        ("api.openai.com/v1/images/edits", "openai", "openai.images"),
        ("api.openai.com/v1/audio/translations", "openai", "openai.audio"),
        ("api.openai.com/v1/videos/v1/remix", "openai", "openai.videos"),
        ("api.x.ai/v1/tts", "xai", "openai.audio"),
        ("openrouter.ai/api/v1/images", "openrouter", "openai.images"),
        ("api.mistral.ai/v1/fim/completions", "mistral", "mistral.fim"),
        ("localhost/v1/ocr", "mistral", "mistral.ocr"),
        ("acme.services.ai.azure.com/providers/mistral/azure/ocr", "azure", "mistral.ocr"),
        ("api.anthropic.com/v1/complete", "anthropic", "anthropic.completions"),
        ("generativelanguage.googleapis.com/v1beta/models/m:batchEmbedContents", "google", "google.embed"),
        (
            "aiplatform.googleapis.com/v1/publishers/google/models/gemini-embedding-001:predict",
            "vertex",
            "google.embed",
        ),
        ("generativelanguage.googleapis.com/v1beta/models/veo:predictLongRunning", "google", "google.predict"),
        ("generativelanguage.googleapis.com/v1beta/interactions", "google", "google.interactions"),
        (
            "bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%2Fx/converse",
            "bedrock",
            "bedrock.converse",
        ),
        ("bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke-with-response-stream", "bedrock", "bedrock.invoke"),
        ("api.cohere.com/v1/generate", "cohere", "cohere.generate"),
        ("api.cohere.com/v2/embed", "cohere", "cohere.embed"),
        ("api.cohere.com/v1/embed", "cohere", "cohere.embed"),
        ("localhost/api/embeddings", "ollama", "ollama.embed"),
        ("localhost/api/generate", "ollama", "ollama.generate"),
        ("localhost/generate_stream", "huggingface", "huggingface.generate"),
        ("api.groq.com/openai/v1/rerank", "groq", "cohere.rerank"),
        ("api.groq.com/openai/v1/messages", "groq", "anthropic.messages"),
        ("api.groq.com/messages", None, None),
        ("api.groq.com/openai/v1/threads/t1/runs", None, None),
        ("api.groq.com/v1/chat", None, None),
        ("api.groq.com/v1/ocr", None, None),
        ("api.groq.com/v1/videos", None, None),
        ("api.anthropic.com/v1/responses", None, None),
        ("api.voyageai.com/v1/chat/completions", None, None),
        ("generativelanguage.googleapis.com/v1/messages", None, None),
    ],
)
def test_doors(url, provider, wire):
    """A path means its format on the hosts that speak it, and nothing on the others."""
    host, _, path = url.partition("/")
    found = route("POST", host, f"/{path}")
    assert (found and found.provider, found and found.format) == (provider, wire)


@pytest.mark.parametrize(
    ("method", "path", "wire"),
    [
        ("GET", "/v1/responses/resp_1", "openai.responses"),
        ("GET", "/v1/threads/t1/runs/run_1", "openai.runs"),
        ("GET", "/v1/files/file-1/content", BATCH_RESULTS),
        ("POST", "/v1/responses/resp_1", None),
        ("DELETE", "/v1/responses/resp_1", None),
        ("GET", "/v1/chat/completions", None),
    ],
)
def test_what_is_fetched(method, path, wire):
    """Answers are read back with GET; everything else is asked with POST."""
    found = route(method, "api.openai.com", path)
    assert (found and found.format) == wire
    elsewhere = route(method, "llm.acme.example", path)  # a gateway of somebody's own
    if wire in ("openai.responses", "openai.runs"):
        assert (elsewhere.format, elsewhere.provider) == (wire, "openai")


@pytest.mark.parametrize(
    ("host", "path", "guessed"),
    [
        ("api.replicate.com", "/v1/predictions", False),
        ("api.deepgram.com", "/v1/listen", False),
        ("runtime.sagemaker.us-east-1.amazonaws.com", "/endpoints/e/invocations", True),
        ("llm.acme.example", "/v1/chat/completions", True),
    ],
)
def test_where_a_path_alone_is_a_guess(host, path, guessed):
    """On hosts nobody knows, and on those that run whatever their customers put there."""
    assert route("POST", host, path).guessed is guessed


@pytest.mark.parametrize("path", ["/v1beta/models/imagen-4:predict", "/v1beta/interactions"])
def test_googles_doors_on_a_machine_of_ones_own(path):
    """A proxy or an emulator on this machine may have them, a host nobody knows none so common."""
    assert route("POST", "localhost", path).provider == "google"
    assert route("POST", "llm.acme.example", path) is None


@pytest.mark.parametrize(
    ("gateway", "host", "path", "model", "expected"),
    [
        ("cloudflare_gateway", "g", "/v1/acct/gw/aws-bedrock/x", None, "bedrock"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/azure-openai/x", None, "azure"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/google-ai-studio/x", None, "google"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/google-vertex-ai/x", None, "vertex"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/grok/x", None, "xai"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/perplexity-ai/x", None, "perplexity"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/workers-ai/x", None, "cloudflare"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/nobody/x", "openai/gpt-4o", None),
        ("cloudflare_gateway", "g", "/v1/acct", "openai/gpt-4o", "openai"),
        ("cloudflare_gateway", "g", "/v1/acct/gw/compat/x", "gpt-4o", None),
        *(
            ("vercel", "g", "/v1/chat/completions", f"{name}/m", expected)
            for name, expected in [
                ("amazon", "bedrock"),
                ("x-ai", "xai"),
                ("moonshotai", "moonshot"),
                ("meta-llama", "meta"),
                ("vertex", "vertex"),
                *(
                    (own, own)
                    for own in ("openai", "anthropic", "google", "bedrock", "azure", "cohere", "mistral", "xai")
                ),
                ("cloudflare", "cloudflare"),
                ("groq", "groq"),
                ("nobody", None),
            ]
        ),
        ("portkey", "api.portkey.ai", "/v1/x", "@anthropic/claude", "anthropic"),
        ("portkey", "api.portkey.ai", "/v1/x", None, None),
        ("helicone", "oai.helicone.ai", "/v1/x", None, "openai"),
        ("helicone", "groq.helicone.ai", "/v1/x", None, "groq"),
        ("helicone", "ai-gateway.helicone.ai", "/v1/x", "google/gemini", "google"),
        ("helicone", "gateway.helicone.ai", "/v1/x", "gemini", None),
        ("openrouter", "openrouter.ai", "/v1/x", "openai/gpt-4o", None),
    ],
)
def test_who_is_behind_a_gateway(gateway, host, path, model, expected):
    """By its path, the host's name or the model's prefix; a word nobody knows says nothing."""
    assert upstream_provider(gateway, host, path, model, NAMES) == expected


@pytest.mark.parametrize(
    ("host", "path", "wanted"),
    [
        ("api.openai.com", "/v1/chat/completions", True),
        ("api.openai.com", "/v1/completions", True),
        ("api.openai.com", "/v1/responses", False),
        ("api.anthropic.com", "/v1/messages", False),
        *((host, "/v1/chat/completions", False) for host in ("api.mistral.ai", "api.perplexity.ai", "api.writer.com")),
        ("a.snowflakecomputing.com", "/api/v2/cortex/inference:complete", False),
        ("us-south.ml.cloud.ibm.com", "/ml/v1/text/chat", False),
        ("api.groq.com", "/openai/v1/chat/completions", True),
        ("example.com", "/nothing", False),
    ],
)
def test_whose_streams_tell_their_usage_when_asked(host, path, wanted):
    """OpenAI's and its copies' do; those of who tells it unasked may refuse the question."""
    assert takes_usage_option("POST", host, path) is wanted
