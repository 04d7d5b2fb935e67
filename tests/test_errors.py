"""Error bodies, by shape."""

import pytest

from amplitude_ai._models import is_refusal
from amplitude_ai.parsers._errors import read_error


@pytest.mark.parametrize(("status", "refused"), [(None, False), (200, False), (399, False), (400, True), (503, True)])
def test_which_status_is_a_refusal(status, refused):
    """From 400 on; where no answer came, nobody refused."""
    assert is_refusal(status) is refused


def test_openai_shape_gives_type_message_and_code():
    """An OpenAI error body yields its own type, message and code."""
    error = read_error(
        {"error": {"message": "no such model", "type": "invalid_request_error", "code": "model_not_found"}}
    )
    assert (error.type, error.message, error.code) == ("invalid_request_error", "no such model", "model_not_found")


def test_google_status_is_the_type():
    """Google names the kind of error in ``status``."""
    error = read_error([{"error": {"code": 404, "message": "gone", "status": "NOT_FOUND"}}])
    assert (error.type, error.message, error.code) == ("NOT_FOUND", "gone", "404")


def test_bedrock_type_is_in_a_header():
    """Bedrock says the type in ``x-amzn-errortype``, with a URL behind a colon."""
    error = read_error({"message": "slow down"}, {"x-amzn-errortype": "ThrottlingException:http://x/"})
    assert (error.type, error.message) == ("ThrottlingException", "slow down")


def test_no_error_is_none():
    """A good body holds no error."""
    assert read_error({"choices": []}) is None
