"""What every test gets: no store of the developer's own, no swallowed error unseen."""

import os
import tempfile

import pytest

os.environ["AMPLITUDE_AI_STORE"] = os.path.join(tempfile.mkdtemp(prefix="amplitude-ai-tests-"), "events.db")
os.environ.pop("AMPLITUDE_API_KEY", None)

import amplitude_ai
from amplitude_ai import _guard
from amplitude_ai.testing import EventList
from tests.bare_server import bare_server  # noqa: F401
from tests.clients_common import seen  # noqa: F401
from tests.fake_amplitude import server  # noqa: F401
from tests.records import binding, book  # noqa: F401
from tests.simulator.plugin import simulator, simulator_process  # noqa: F401


@pytest.fixture(autouse=True)
def internal_errors(request):
    """Fail the test for what the fence swallowed; ``@pytest.mark.swallows`` says that it is meant to."""
    swallowed = []
    _guard.on_internal_error = lambda stage, exc: swallowed.append((stage, exc))
    yield swallowed
    _guard.on_internal_error = None
    if swallowed and request.node.get_closest_marker("swallows") is None:
        stage, exc = swallowed[0]
        raise AssertionError(f"swallowed at {stage}") from exc


@pytest.fixture
def events():
    """The events of everything sent in a test."""
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events, user_id="ann")
    yield events
    amplitude_ai.uninstall_transport()
