"""An agent, a task of one, and an error."""

import gc
import os
from importlib.util import find_spec
from pathlib import Path

os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

import langroid as lr
import langroid.language_models as lm


def main(url):
    lr.utils.configuration.settings.quiet = True
    llm = lm.OpenAIGPTConfig(chat_model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test", max_output_tokens=200)
    agent = lr.ChatAgent(lr.ChatAgentConfig(name="helper", llm=llm, system_message="Be short."))
    given = [agent.llm_response("Hello").content]
    task = lr.Task(agent, interactive=False, single_round=True, config=lr.TaskConfig(enable_loggers=False))
    given.append(task.run("Hello again").content)
    try:
        given.append(agent.llm_response("[sim:status=401]").content)
    except Exception as exc:
        given.append(type(exc).__name__)
    gc.collect()  # it breaks its streams off behind the last words: told when they are collected
    return given
