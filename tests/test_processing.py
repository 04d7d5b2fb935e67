"""The server's own account of its time."""

import pytest

from amplitude_ai.parsers._processing import processing_ms


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"openai-processing-ms": "412"}, 412),
        ({"x-envoy-upstream-service-time": " 17 "}, 17),
        ({"x-kong-upstream-latency": "90", "x-envoy-upstream-service-time": "80"}, 80),  # the nearer to the model
        ({"x-inference-time": "33"}, 33),
        ({"x-litellm-response-duration-ms": "181.37"}, 181.37),
        ({"server-timing": "gfet4t7; dur=538"}, 538),
        ({"server-timing": 'app;desc="x";dur=12.5, db;dur=1'}, 12.5),
        ({"openai-processing-ms": "soon", "x-envoy-upstream-service-time": "5"}, 5),
        *[({"openai-processing-ms": text}, None) for text in ("", "nan", "inf", "-4", "1e9", "9" * 40)],
        *[({"server-timing": text}, None) for text in ("", "gfet4t7", "a; dur=", "a; dur=x", ";dur=5", "a;" * 5000)],
        ({}, None),
    ],
)
def test_processing(headers, expected):
    """One figure in ms, or none."""
    assert processing_ms(headers) == expected
