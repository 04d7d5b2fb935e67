"""Mistakes are answered: which option was meant, what to pass, and whose name it is."""

import importlib.util
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import openai
import pytest

import amplitude_ai
from amplitude_ai import AIConfig, _mistakes

PACKAGE = Path(amplitude_ai.__file__).parent


@pytest.mark.parametrize(
    ("make", "meant"),
    [
        (lambda: AIConfig(privacy_mod=True), "privacy_mode"),
        (lambda: AIConfig(redact_PII=True), "redact_pii"),
        (lambda: amplitude_ai.context(userid="ann"), "user_id"),
        (lambda: amplitude_ai.context(user_id="ann", sesion_id="s"), "session_id"),
        (lambda: amplitude_ai.install_transport(ai_confg=AIConfig()), "ai_config"),
        (lambda: amplitude_ai.instrumented_httpx(amplitude_clent=None), "amplitude_client"),
        (lambda: amplitude_ai.instrumented_async_httpx(aiconfig=AIConfig()), "ai_config"),
        (lambda: amplitude_ai.instrumented_requests(userid="ann"), "user_id"),
        (lambda: amplitude_ai.instrument(httpx2.Client(), user_di="ann"), "user_id"),
        (lambda: amplitude_ai.emit_llm_message(input_token=5), "input_tokens"),
        (lambda: amplitude_ai.quick_track_message(model="m"), "model_name"),
    ],
)
def test_a_misspelt_option(make, meant):
    """The message says which option was meant."""
    with pytest.raises(TypeError, match=rf"Did you mean '{meant}'\?"):
        make()


def test_an_option_that_is_near_to_none():
    """Without a near one nothing is guessed."""
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'colour'$"):
        AIConfig(colour="red")


def test_errors_of_others_stay_their_own():
    """A TypeError that is no misspelling of ours passes as it is: the option belongs to the library's client."""
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'zzz'$"):
        amplitude_ai.instrumented_httpx(zzz=1)
    with pytest.raises(TypeError, match="user_id must be a string"):
        amplitude_ai.install_transport(user_id=5)


def test_signatures_stay():
    """What answers misspellings shows the signature and the text of what it stands before."""
    assert list(inspect.signature(amplitude_ai.instrument).parameters)[:2] == ["client", "amplitude_client"]
    assert list(inspect.signature(amplitude_ai.context).parameters)[:2] == ["user_id", "session_id"]
    assert "event_schema" in inspect.signature(AIConfig).parameters
    assert amplitude_ai.install_transport.__doc__.startswith("Record the LLM calls of every")


@pytest.mark.parametrize("client", [openai.OpenAI, httpx2.Client])
def test_a_class_is_no_client(client):
    """``instrument(openai.OpenAI)`` says to pass an instance."""
    with pytest.raises(TypeError, match=rf"is the class .*{client.__name__}: pass an instance"):
        amplitude_ai.instrument(client)


@pytest.mark.parametrize("name", ["AmplitudeAI", "OpenAI", "patch", "track_ai_message"])
def test_a_name_of_amplitudes_own_package(name):
    """Importing it explains whose it is and what does the same here; looking for it is a plain AttributeError."""
    with pytest.raises(ImportError, match=r"Amplitude's own package amplitude-ai; .* done by "):
        exec(f"from amplitude_ai import {name}")
    assert not hasattr(amplitude_ai, name)
    with pytest.raises(AttributeError, match="Amplitude's own package"):
        getattr(amplitude_ai, name)


def test_what_is_named_instead_exists():
    """Each function that is named in the place of another's is one of ours."""
    import re

    for instead in _mistakes.OFFICIAL.values():
        for name in re.findall(r"(\w+)\(", instead):
            assert name in amplitude_ai.__all__, instead


def test_a_misspelt_name():
    """A name that is nearly one of ours gets it."""
    with pytest.raises(AttributeError, match=r"Did you mean 'install_transport'\?"):
        amplitude_ai.instal_transport  # noqa: B018
    with pytest.raises(ImportError):
        from amplitude_ai import instal_transport  # noqa: F401
    assert not hasattr(amplitude_ai, "_nothing")


def test_both_packages_in_one_place(tmp_path):
    """With files of Amplitude's package among ours, importing says so, and what to do; without them it is quiet."""
    shutil.copytree(PACKAGE, tmp_path / "amplitude_ai", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", "import amplitude_ai"]
    quiet = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env={"PATH": ""})
    assert quiet.returncode == 0, quiet.stderr
    (tmp_path / "amplitude_ai" / "patching.py").write_text("")
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env={"PATH": ""})
    assert "Keep one: pip uninstall amplitude-ai amplitude-ai-wire" in told.stderr
    assert importlib.util.find_spec("amplitude_ai.patching") is None
