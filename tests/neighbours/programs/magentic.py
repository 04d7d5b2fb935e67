"""A decorated prompt, a stream of text, an error."""

from magentic import OpenaiChatModel, StreamedStr, prompt


@prompt("{text}")
def ask(text: str) -> str: ...


@prompt("{text}")
def tell(text: str) -> StreamedStr: ...


def main(url):
    with OpenaiChatModel("gpt-4o-mini", base_url=f"{url}/v1", api_key="test"):
        given = [ask("Hello"), "".join(tell("Hello again"))]
        try:
            ask("[sim:status=401]")
        except Exception as exc:
            given.append(type(exc).__name__)
    return given
