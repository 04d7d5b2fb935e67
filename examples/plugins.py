"""The plugins on an Amplitude client: the cheap call is dropped, the dear one gets its cost and derived metrics.

python examples/plugins.py --demo
"""

import _demo

_demo.begin()

import amplitude_ai
from amplitude_ai import AIEventFilterPlugin, AIMetricsPlugin, AIObservabilityPlugin, emit_llm_message

client = amplitude_ai.make_client()  # or amplitude.Amplitude("your-api-key")
client.add(AIObservabilityPlugin())
client.add(AIEventFilterPlugin(min_cost_threshold=0.001, allowed_providers=["openai", "anthropic"]))
client.add(AIMetricsPlugin())
for tokens in (10, 1000):
    emit_llm_message(
        client,
        session_id="session123",
        user_id="user123",
        model_provider="openai",
        model_name="gpt-6-sol",
        input_tokens=tokens,
        output_tokens=tokens,
        latency_ms=2000,
    )
_demo.end()
