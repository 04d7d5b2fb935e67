"""Django: every model call belongs to the user, session, device and browser session of the request it is made for.

python examples/django_app.py --demo
"""

import _demo

_demo.begin()

import openai
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

import amplitude_ai

amplitude_ai.install_transport()
client = openai.OpenAI()


def authentication(get_response):
    """In the place of ``django.contrib.auth``'s own middleware, which needs a database."""

    class User:
        is_authenticated = True

        def __init__(self, pk):
            self.pk = pk

    def serve(request):
        request.user = User(request.headers["Authorization"])
        return get_response(request)

    return serve


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="demo",
    MIDDLEWARE=[f"{__name__}.authentication", "amplitude_ai.web.django.middleware"],
)


def ask(request):
    """While the response is made."""
    return HttpResponse(answer(request.GET["question"]))


def stream(request):
    """While the response is being sent."""
    question = request.GET["question"]
    return StreamingHttpResponse(answer(question) for _ in range(2))


def answer(question):
    done = client.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": question}])
    return done.choices[0].message.content


urlpatterns = [path("ask", ask), path("stream", stream)]
application = get_wsgi_application()

if __name__ == "__main__":
    import socketserver
    import threading
    from wsgiref.simple_server import WSGIServer, make_server

    class Threaded(socketserver.ThreadingMixIn, WSGIServer):
        daemon_threads = True

    server = make_server("127.0.0.1", 0 if _demo.DEMO else 8000, application, server_class=Threaded)
    if not _demo.DEMO:
        server.serve_forever()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for user in ("ann-1", "bob-2"):
        _demo.visit(f"http://127.0.0.1:{server.server_port}/ask?question=Hello", user)
        _demo.visit(f"http://127.0.0.1:{server.server_port}/stream?question=Hello", user)
    server.shutdown()
    _demo.told()
    _demo.end()
