"""Celery: the model calls of a task belong to whoever sent it, on any worker, and so do those of the tasks it sends.

python examples/celery_app.py --demo
"""

import _demo

_demo.begin()

import openai
from celery import Celery

import amplitude_ai
import amplitude_ai.web.celery

amplitude_ai.install_transport()
amplitude_ai.web.celery.install()  # in what sends tasks, and in workers
app = Celery("example", broker="memory://", backend="cache+memory://")


@app.task
def answer(question):
    """On a worker."""
    done = openai.OpenAI().chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": question}])
    return done.choices[0].message.content


if __name__ == "__main__":
    from celery.contrib.testing.worker import start_worker

    with start_worker(app, perform_ping_check=False, pool="threads", concurrency=2):
        for user in ("ann-1", "bob-2"):
            with amplitude_ai.context(user_id=user, session_id=f"chat-of-{user}", device_id=f"device-of-{user}"):
                answer.delay("Hello").get(timeout=30)
    _demo.told()
    _demo.end()
