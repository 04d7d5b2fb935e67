"""Two hundred plain calls on the openai that pip picks for llama-index, crewai, mirascope and strands."""

import openai


def main(url):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="test", max_retries=0)
    failed = 0
    for number in range(200):
        try:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": f"Hello {number}"}]
            )
        except Exception:
            failed += 1
    return [failed]
