"""A program whose HTTP library is executed anew under our hooks: ``python -m tests.copies WHAT LIBRARIES WAY URL``.

Run by ``test_copies.py`` in a process of its own, whose libraries nobody else uses. Prints what it saw, as JSON.
"""

import asyncio
import gc
import gzip
import importlib
import importlib.machinery
import importlib.util
import json
import sys
import weakref

import amplitude_ai
from amplitude_ai.instrumentation import install
from amplitude_ai.testing import EventList
from tests.bare_server import PATH

BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}).encode()
HEADERS = {"content-type": "application/json"}
#: The module that has the clients, and the one that defines them.
MODULES = {
    "httpx": ("httpx", "httpx._client"),
    "httpx-async": ("httpx", "httpx._client"),
    "httpx2": ("httpx2", "httpx2._client"),
    "requests": ("requests", "requests.sessions"),
    "aiohttp": ("aiohttp", "aiohttp.client"),
    "urllib3": ("urllib3", "urllib3.connectionpool"),
    "http.client": ("http.client", "http.client"),
    "httplib2": ("httplib2", "httplib2"),
}


class Client:
    """A client of what a module has now."""

    def __init__(self, library, module, url):
        self.library, self.module, self.url = library, module, url
        self.client = {
            "httpx": lambda: module.Client(),
            "httpx2": lambda: module.Client(),
            "httpx-async": lambda: module.AsyncClient(),
            "requests": lambda: module.Session(),
            "aiohttp": lambda: None,  # made where a loop runs
            "urllib3": lambda: module.connection_from_url(url),
            "http.client": lambda: module.HTTPConnection(url.partition("://")[2]),
            "httplib2": lambda: module.Http(),
        }[library]()
        self.kind = module.ClientSession if library == "aiohttp" else type(self.client)

    def call(self):
        """Make one call; the text of its answer."""
        client, url = self.client, self.url + PATH
        if self.library in ("httpx", "httpx2"):
            return client.send(self.request(client, url), auth=None, follow_redirects=False).text
        if self.library == "requests":
            return client.post(url, data=BODY, headers=HEADERS).text
        if self.library == "urllib3":
            return client.urlopen("POST", url, body=BODY, headers=HEADERS).data.decode()
        if self.library == "httplib2":
            return client.request(url, "POST", body=BODY, headers=HEADERS)[1].decode()
        if self.library == "http.client":
            client.request("POST", PATH, BODY, HEADERS)
            return gzip.decompress(client.getresponse().read())
        return asyncio.run(self.call_async(url))

    @staticmethod
    def request(client, url):
        """What httpx is to send. Its ``post`` has defaults that an old client takes for strangers' after a reload."""
        return client.build_request("POST", url, content=BODY, headers=HEADERS, timeout=5)

    async def call_async(self, url):
        """The same in the other colour."""
        if self.library == "httpx-async":
            async with self.kind() as client:
                return (await client.send(self.request(client, url), auth=None, follow_redirects=False)).text
        async with self.kind() as session, session.post(url, data=BODY, headers=HEADERS) as response:
            return await response.text()


def modules_of(package):
    """Those of the library that are loaded, in the order they came."""
    return [name for name in sys.modules if name == package or name.startswith(package + ".")]


def anew(library, way):
    """Have the library executed once more, and give the module that has the new clients."""
    package, inner = MODULES[library]
    if way == "inner":
        importlib.reload(sys.modules[inner])
    elif way == "package":
        importlib.reload(sys.modules[package])
    elif way == "all":
        for name in modules_of(package):
            importlib.reload(sys.modules[name])
    elif way == "copy":
        for name in modules_of(package):
            if getattr(sys.modules[name], "__file__", "").endswith(".py"):  # what is compiled is there once
                del sys.modules[name]
        importlib.import_module(inner)
    elif way == "late":  # found by a finder in front of ours, which sees nothing of it
        sys.meta_path.insert(0, importlib.machinery.PathFinder)
        importlib.reload(sys.modules[inner])
        sys.meta_path.pop(0)
        sys.modules.pop("colorsys", None)
        importlib.import_module("colorsys")
    return sys.modules[package if way in ("package", "all") and library != "urllib3" else inner]


def ours(kind):
    """What on a class, or in its module, is ours."""
    looked_at = {**vars(kind), **{name: each for base in kind.__mro__[:-1] for name, each in vars(base).items()}}
    looked_at |= vars(sys.modules.get(kind.__module__, install))
    return [
        name
        for name, each in looked_at.items()
        if str(getattr(each, "__globals__", {}).get("__name__")).startswith("amplitude_ai.transports.")
    ]


def once(library, way, url):
    """Old and new clients, before, after, and when we are gone."""
    events, errors = EventList(), amplitude_ai.stats().get("internal_errors", 0)
    importlib.import_module(MODULES[library][1])
    amplitude_ai.install_transport(amplitude_client=events)
    old = Client(library, sys.modules[MODULES[library][1]], url)
    answers = [old.call()]
    new = Client(library, anew(library, way), url)
    answers += [old.call(), new.call(), old.call(), new.call()]
    amplitude_ai.flush()
    recorded = len(events.of_type("llm_message"))
    amplitude_ai.uninstall_transport()
    answers += [old.call(), new.call()]
    amplitude_ai.flush()
    return {
        "answers": len(answers),
        "same": len({str(answer) for answer in answers}) == 1,
        "anew": old.kind is not new.kind,
        "recorded": recorded,
        "afterwards": len(events.of_type("llm_message")) - recorded,
        "ours": ours(old.kind) + ours(new.kind),
        "errors": amplitude_ai.stats().get("internal_errors", 0) - errors,
    }


def by_hand(library, way, url):
    """Clients of both copies, instrumented one by one; and one that we make."""
    events = EventList()
    importlib.import_module(MODULES[library][1])
    old = Client(library, sys.modules[MODULES[library][1]], url)
    amplitude_ai.instrument(old.client, amplitude_client=events)
    clients = [old, Client(library, anew(library, way), url), Client(library, sys.modules[MODULES[library][0]], url)]
    amplitude_ai.instrument(clients[1].client, amplitude_client=events)
    make = amplitude_ai.instrumented_requests if library == "requests" else amplitude_ai.instrumented_httpx
    clients[2].client = make(**{} if library == "requests" else {"library": library}, amplitude_client=events)
    answers = [client.call() for client in clients]
    amplitude_ai.flush()
    return {"answers": len(set(answers)), "recorded": len(events.of_type("llm_message"))}


def of_ours(library, way, url):
    """This package itself, imported once more or reloaded, and installed again while the first installation stands."""
    importlib.import_module(MODULES[library][1])
    lists, client = [], Client(library, sys.modules[MODULES[library][1]], url)
    for number in range(3):
        for name in modules_of("amplitude_ai") if number and way == "copy" else ():
            del sys.modules[name]
        package = importlib.import_module("amplitude_ai")
        if number and way == "reload":
            importlib.reload(sys.modules["amplitude_ai.instrumentation.install"])
            importlib.reload(package)
        lists.append(importlib.import_module("amplitude_ai.testing").EventList())
        package.install_transport(amplitude_client=lists[-1])
        client.call()
        package.flush()
    package.uninstall_transport()
    client.call()
    package.flush()
    return {
        "recorded": [len(events.of_type("llm_message")) for events in lists],
        "ours": ours(client.kind),
    }


def lazily(library, way, url):
    """A library that is executed when it is first looked at, or that never is in ``sys.modules``."""
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events)
    name = MODULES[library][0]
    spec = importlib.util.find_spec(name)
    if way == "lazy":
        spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    if way == "lazy":
        sys.modules[name] = module
    spec.loader.exec_module(module)
    importlib.import_module("colorsys")
    amplitude_ai.install_transport(amplitude_client=events)
    before = type(module).__name__
    Client(library, module, url).call()
    amplitude_ai.flush()
    return {"looked at": before == "module", "recorded": len(events.of_type("llm_message"))}


def depth(function):
    """Wrappers upon each other."""
    return 0 if not hasattr(function, "__wrapped__") else 1 + depth(function.__wrapped__)


def often(library, way, url, times=40):
    """The library executed again and again, each copy used once and let go."""
    importlib.import_module(MODULES[library][1])
    amplitude_ai.install_transport(amplitude_client=EventList())
    kinds, hooks = weakref.WeakSet(), []
    for number in range(times):
        client = Client(library, anew(library, way), url)
        kinds.add(client.kind)
        client.call()
        del client
        if number % 10 == 9:
            gc.collect()
            hooks.append(sum(hook.owner is not None for hook in install._undo))
    deepest = max(depth(each) for kind in kinds for each in vars(kind).values() if callable(each))
    return {"alive": len(kinds), "more hooks": max(hooks) - hooks[0], "deepest": deepest}


if __name__ == "__main__":
    what, libraries, way, url = sys.argv[1:]
    see = {each.__name__: each for each in (once, by_hand, of_ours, lazily, often)}[what]
    print(json.dumps({library: see(library, way, url) for library in libraries.split(",")}))
