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


SHAPES = {
    "a word beside a text": ({"error": "No key.", "code": "Not allowed"}, "Not allowed", "No key.", "Not allowed"),
    "a code that is a word": ({"error": {"code": "quota", "message": "No."}}, "quota", "No.", "quota"),
    "a code that is a number": ({"error": {"code": 401, "message": "No."}}, None, "No.", "401"),
    "watsonx": ({"errors": [{"code": "not_found", "message": "No."}]}, "not_found", "No.", "not_found"),
    "cloudflare": ({"success": False, "errors": [{"code": 10000, "message": "No."}]}, None, "No.", "10000"),
    "cloudflare's gateway": ({"success": False, "error": [{"code": 2001, "message": "No."}]}, None, "No.", "2001"),
    "writer": ({"tpe": "x", "errors": [{"key": "fail.auth", "description": "No."}]}, "fail.auth", "No.", None),
    "writer, no key": ({"tpe": "fail.auth", "errors": [{"description": "No."}]}, "fail.auth", "No.", None),
    "stability": ({"name": "bad_request", "errors": ["No."]}, None, "No.", None),
    "hugging face": ({"error": ["No.", "Neither."]}, None, "No.", None),
    "databricks": ({"error_code": "BAD_REQUEST", "message": "No."}, "BAD_REQUEST", "No.", None),
    "mistral": (
        {"object": "error", "type": "invalid_request_error", "message": {"detail": [{"msg": "No."}, {"msg": "Nor."}]}},
        "invalid_request_error",
        "No.; Nor.",
        None,
    ),
    "a problem": ({"type": "about:blank", "title": "Not Found", "detail": "No."}, "Not Found", "No.", None),
    "nvidia": (
        {"type": "urn:inference-service:problem-details:bad-request", "title": "Bad Request", "detail": "No."},
        "Bad Request",
        "No.",
        None,
    ),
    "nvidia, no type": ({"status": 404, "title": "Not Found", "detail": "No."}, "Not Found", "No.", None),
    "a form's faults": ({"message": "No.", "errors": {"name": ["Nor."]}}, None, "No.", None),
    "faults without a text": ({"message": "No.", "errors": [{"field": "name"}]}, None, "No.", None),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_each_says(shape):
    """Its type, message and code."""
    body, *told = SHAPES[shape]
    error = read_error(body)
    assert [error.type, error.message, error.code] == told


@pytest.mark.parametrize("body", [{"error": []}, {"errors": []}, {"errors": [None]}, {"errors": {"name": "x"}}])
def test_an_empty_list_is_no_error(body):
    """Nor are faults of nobody knows what."""
    assert read_error(body) is None
