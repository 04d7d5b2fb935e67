"""A chat with a memory: what the memory asks its model, and what it embeds, is nothing a person said."""

import os
import tempfile

os.environ.update(MEM0_TELEMETRY="False", MEM0_DIR=tempfile.mkdtemp())

import openai
from mem0 import Memory

from tests.neighbours._script import say


def model(asked):
    if asked.last == "I am called Ann and I drink tea":
        return say("Noted.")
    if asked.last == "What do I drink?":
        return say("Tea.")
    if "facts" in str(asked.body.get("messages")) and "memory manager" not in str(asked.body.get("messages")):
        return say('{"facts": ["Is called Ann", "Drinks tea"], "memory": [{"id": "0", "text": "Drinks tea"}]}')
    return say('{"memory": [{"id": "0", "text": "Drinks tea", "event": "ADD"}]}')


def main(url):
    place = tempfile.mkdtemp()
    memory = Memory.from_config(
        {
            "llm": {"provider": "openai", "config": {"model": "gpt-4o-mini", "openai_base_url": f"{url}/v1"}},
            "embedder": {"provider": "openai", "config": {"openai_base_url": f"{url}/v1", "embedding_dims": 8}},
            "vector_store": {"provider": "faiss", "config": {"path": place, "embedding_model_dims": 8}},
            "history_db_path": f"{place}/history.db",
        }
    )
    client = openai.OpenAI()
    history = []
    for text in ("I am called Ann and I drink tea", "What do I drink?"):
        history.append({"role": "user", "content": text})
        found = memory.search(text, filters={"user_id": "ann"})
        system = {"role": "system", "content": f"You remember: {found}"}
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=[system, *history])
        history.append({"role": "assistant", "content": answer.choices[0].message.content})
        memory.add(history[-2:], user_id="ann")
