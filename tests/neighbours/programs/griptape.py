"""A task of an agent, a stream, an error."""

from griptape.drivers.prompt.openai import OpenAiChatPromptDriver
from griptape.structures import Agent
from griptape.tokenizers import SimpleTokenizer


def main(url):
    given = []
    for text, stream in (("Hello", False), ("Stream", True), ("[sim:status=401]", False)):
        tokens = SimpleTokenizer(characters_per_token=4, max_input_tokens=100_000, max_output_tokens=1000)  # no fetch
        driver = OpenAiChatPromptDriver(
            model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", tokenizer=tokens, stream=stream
        )
        try:
            given.append(str(Agent(prompt_driver=driver).run(text).output))
        except Exception as exc:
            given.append(type(exc).__name__)
    return given
