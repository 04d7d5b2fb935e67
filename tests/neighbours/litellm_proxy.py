"""LiteLLM's proxy, in this process, with us around it: ``python -m tests.neighbours.litellm_proxy URL PORT STORE``.

Writes each event as a line of JSON on stdout.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

MODELS = """
model_list:
  - model_name: small
    litellm_params: {{model: openai/gpt-4o-mini, api_base: "{url}/v1", api_key: upstream}}
  - model_name: claude
    litellm_params: {{model: anthropic/claude-3-5-haiku-latest, api_base: "{url}", api_key: upstream}}
litellm_settings: {{num_retries: 0, telemetry: false}}
general_settings: {{dangerously_permit_weak_or_unset_master_key: true}}
"""


class Lines:
    """A client that prints."""

    def track(self, event: object) -> None:
        """One line."""
        print(json.dumps(event.get_event_body()), flush=True)  # type: ignore[attr-defined]

    def flush(self) -> None:
        """Nothing waits."""


def main(url: str, port: int) -> None:
    """Serve until the process is ended."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as config:
        config.write(MODELS.format(url=url))
    os.environ.update(CONFIG_FILE_PATH=config.name, LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR")

    import amplitude_ai
    from amplitude_ai.web import ASGIMiddleware, key_user

    amplitude_ai.install_transport(amplitude_client=Lines())

    import uvicorn
    from litellm.proxy.proxy_server import app

    served = ASGIMiddleware(app, user_id=key_user, trust_headers=True)
    uvicorn.run(served, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
