"""FastAPI: every model call belongs to the user, session, device and browser session of the request it is made for.

python examples/fastapi_app.py --demo
"""

import _demo

_demo.begin()

import openai
from fastapi import BackgroundTasks, Depends, FastAPI, Header
from fastapi.responses import StreamingResponse

import amplitude_ai
from amplitude_ai.web import ASGIMiddleware, identify

amplitude_ai.install_transport()
client = openai.OpenAI()
async_client = openai.AsyncOpenAI()


def logged_in(authorization: str = Header()) -> str:
    """Your own way to know who it is; in a dependency, also one that FastAPI runs in a thread."""
    identify(user_id=authorization)
    return authorization


app = FastAPI()
app.add_middleware(ASGIMiddleware)


@app.get("/ask")
def ask(question: str, tasks: BackgroundTasks, user: str = Depends(logged_in)) -> str:
    """In a thread of FastAPI's pool; and once more when the answer has been sent."""
    tasks.add_task(answer, f"Summarise: {question}")
    return answer(question)


@app.get("/stream")
async def stream(question: str, user: str = Depends(logged_in)) -> StreamingResponse:
    """The model is called while the response is being sent."""

    async def parts():
        chunks = await async_client.chat.completions.create(
            model="gpt-6-luna", messages=[{"role": "user", "content": question}], stream=True
        )
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return StreamingResponse(parts())


def answer(question: str) -> str:
    done = client.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": question}])
    return done.choices[0].message.content or ""


if __name__ == "__main__":
    import threading
    import time

    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0 if _demo.DEMO else 8000, log_level="warning"))
    if not _demo.DEMO:
        server.run()
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    for user in ("ann-1", "bob-2"):
        _demo.visit(f"http://127.0.0.1:{port}/ask?question=Hello", user)
        _demo.visit(f"http://127.0.0.1:{port}/stream?question=Hello", user)
    server.should_exit = True
    _demo.told()
    _demo.end()
