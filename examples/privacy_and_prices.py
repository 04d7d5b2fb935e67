"""What leaves the process, and at which price: one `AIConfig`, checked when it is built.

python examples/privacy_and_prices.py --demo
"""

import _demo

_demo.begin()

import openai

from amplitude_ai import AIConfig, calculate_cost, instrumented_httpx

config = AIConfig(
    exclude_tool_results=True,
    redact_pii=True,
    redact=lambda text: text.replace("Project X", "[project]"),
    max_content_length=500,
    openai_cost_per_token={"gpt-6-luna*": {"input": 2e-6, "output": 8e-6}},
)
with instrumented_httpx(ai_config=config, user_id="user123") as http:
    openai.OpenAI(http_client=http).chat.completions.create(
        model="gpt-6-luna", messages=[{"role": "user", "content": "Write to jane@example.com about Project X"}]
    )
print(f"1,000 tokens in and 500 out: ${calculate_cost('openai', 'gpt-6-luna', 1000, 500, config):.4f}")
_demo.end()
