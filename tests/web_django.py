"""Run by test_web.py in a process of its own: two users through Django's sync and async handlers."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="test",
    SESSION_COOKIE_NAME="sessionid",
    MIDDLEWARE=[f"{__name__}.authentication", "amplitude_ai.web.django.middleware"],
)
import django

django.setup()

from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from django.utils.asyncio import async_unsafe
from django.utils.decorators import sync_and_async_middleware

from tests.test_web import Model, headers_of

model = Model()


class User:
    """As Django's: looking it up is refused in a coroutine."""

    is_authenticated = True

    def __init__(self, pk):
        self._pk = pk

    @property
    @async_unsafe
    def pk(self):
        return self._pk


class Known(User):
    """What ``auser()`` gives: looked up already."""

    pk = property(lambda self: self._pk)


@sync_and_async_middleware
def authentication(get_response):
    def said(request):
        request.user = User(request.headers["Authorization"])

        async def auser():
            return Known(request.headers["Authorization"])

        request.auser = auser

    if asyncio.iscoroutinefunction(get_response):

        async def serve_async(request):
            said(request)
            return await get_response(request)

        return serve_async

    def serve(request):
        said(request)
        return get_response(request)

    return serve


def view(request):
    return HttpResponse(model.ask(request.headers["Authorization"] + " view"))


def stream(request):
    user = request.headers["Authorization"]
    return StreamingHttpResponse(model.ask(f"{user} {part}") for part in "ab")


async def async_view(request):
    return HttpResponse(await model.ask_async(request.headers["Authorization"] + " async"))


async def async_stream(request):
    user = request.headers["Authorization"]

    async def parts():
        for part in "ab":
            yield await model.ask_async(f"{user} {part}")

    return StreamingHttpResponse(parts())


urlpatterns = [path("v", view), path("s", stream), path("av", async_view), path("as", async_stream)]


async def visit_async():
    client = AsyncClient()

    async def visit(where, user):
        headers = headers_of(user)
        headers["Cookie"] += "; sessionid=x"
        answer = await client.get(where, headers=headers)
        if answer.streaming:
            async for _ in answer.streaming_content:
                pass

    await asyncio.gather(*(visit(where, user) for where in ("/av", "/as", "/v") for user in ("ann-1", "bob-2")))


for where in ("/v", "/s"):
    for user in ("ann-1", "bob-2"):
        b"".join(iter(Client().get(where, headers=headers_of(user))))
asyncio.run(visit_async())
for user in ("ann-1", "bob-2"):
    b"".join(iter(Client().get("/v", headers=headers_of(user))))
    b"".join(iter(Client().get("/v", headers=headers_of(user))))
model.check(18)
print(len(model.bodies()), "calls")
