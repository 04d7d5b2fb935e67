"""Predict, and the same in threads."""

import dspy


def main(url):
    model = dspy.LM("openai/gpt-4o-mini", api_base=f"{url}/v1", api_key="test", cache=False, num_retries=0)
    dspy.configure(lm=model, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False))
    given = [model("Hello")]
    try:
        dspy.Predict("question -> answer")(
            question="[sim:reply=%5B%5B%20%23%23%20answer%20%23%23%20%5D%5D%20Yes] Well?"
        )
    except Exception as exc:
        given.append(type(exc).__name__)
    try:
        model("[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
