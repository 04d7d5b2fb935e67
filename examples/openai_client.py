"""The OpenAI SDK by the factory: sync, async, streamed, with a user, a session and a private request.

python examples/openai_client.py --demo
"""

import asyncio

import _demo

_demo.begin()

from amplitude_ai import get_openai

OpenAI, AsyncOpenAI = get_openai()
HELLO = [{"role": "user", "content": "Hello!"}]

with OpenAI() as client:
    answer = client.chat.completions.create(
        model="gpt-6-luna", messages=HELLO, amplitude_user_id="user123", amplitude_session_id="session456"
    )
    print(answer.choices[0].message.content)
    client.chat.completions.create(model="gpt-6-luna", messages=HELLO, amplitude_privacy_mode=True)


async def stream() -> None:
    """Tokens, latency and time to first token of a stream are recorded when it ends."""
    async with AsyncOpenAI() as client:
        chunks = await client.chat.completions.create(
            model="gpt-6-luna", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        async for chunk in chunks:
            print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="")
        print()


asyncio.run(stream())
_demo.end()
