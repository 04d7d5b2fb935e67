"""Every client of the process, existing and future, and two users who never see each other's session.

python examples/global_hook.py --demo
"""

import _demo

_demo.begin()

import anthropic
import openai

import amplitude_ai

existing = openai.OpenAI()
amplitude_ai.install_transport()
for user in ("ann", "bob"):
    with amplitude_ai.context(user_id=user, session_id=f"chat-of-{user}", properties={"plan": "pro"}):
        existing.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": f"I am {user}"}])
        anthropic.Anthropic().messages.create(
            model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": "Hello"}]
        )
amplitude_ai.uninstall_transport()
_demo.end()
