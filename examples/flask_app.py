"""Flask: every model call belongs to the user, session, device and browser session of the request it is made for.

python examples/flask_app.py --demo
"""

import _demo

_demo.begin()

from concurrent.futures import ThreadPoolExecutor

import openai
from flask import Flask, Response, request

import amplitude_ai
from amplitude_ai.web import WSGIMiddleware, identify

amplitude_ai.install_transport()
client = openai.OpenAI()
app = Flask(__name__)
app.wsgi_app = WSGIMiddleware(app.wsgi_app)
pool = amplitude_ai.propagate_context(ThreadPoolExecutor(4))  # what it is given to do belongs to who gives it


@app.before_request
def log_in():
    """Your own way to know who it is."""
    identify(user_id=request.headers["Authorization"])


@app.get("/ask")
def ask():
    """Here, and in a thread."""
    later = pool.submit(answer, "Summarise: " + request.args["question"])
    return answer(request.args["question"]) + later.result()


@app.get("/stream")
def stream():
    """The model is called while the response is being sent."""
    question = request.args["question"]

    def parts():
        chunks = client.chat.completions.create(
            model="gpt-6-luna", messages=[{"role": "user", "content": question}], stream=True
        )
        for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return Response(parts())


def answer(question):
    done = client.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": question}])
    return done.choices[0].message.content


if __name__ == "__main__":
    import threading

    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0 if _demo.DEMO else 8000, app, threaded=True)
    if not _demo.DEMO:
        server.serve_forever()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for user in ("ann-1", "bob-2"):
        _demo.visit(f"http://127.0.0.1:{server.port}/ask?question=Hello", user)
        _demo.visit(f"http://127.0.0.1:{server.port}/stream?question=Hello", user)
    server.shutdown()
    _demo.told()
    _demo.end()
