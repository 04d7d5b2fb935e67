"""A ReAct module with a tool: what it asks stands in a template of its own."""

import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True")

import dspy


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=f"{url}/v1", api_key="test", cache=False, num_retries=0))
    try:
        dspy.Predict("question -> answer")(question="I was charged twice")
    except Exception:  # the model answers in no format of DSPy's: it asks again in another, and gives up
        return
