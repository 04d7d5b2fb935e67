"""LangChain: a chain with the callback. Its run's id and name are on every event.

python examples/langchain_callback.py --demo
"""

import _demo

_demo.begin()

from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from amplitude_ai import get_langchain

AmplitudeLangChainCallback = get_langchain()
callback = AmplitudeLangChainCallback(user_id="user123")
chain = ChatPromptTemplate.from_template("Tell me of {topic}") | ChatOpenAI(model="gpt-6-luna")
print(chain.invoke({"topic": "transports"}, {"callbacks": [callback], "run_name": "teller"}).content)
_demo.end()
