"""Run by a Python that has Amplitude's own ``amplitude-ai``: holds the conversation and prints its events as JSON."""

import json
from importlib import metadata

from conversation import answering, converse

import amplitude_ai
from amplitude_ai.testing import MockAmplitudeAI


def main():
    mock = MockAmplitudeAI()
    with answering() as url:
        openai = amplitude_ai.OpenAI(amplitude=mock, api_key="k", base_url=f"{url}/v1", max_retries=0)
        anthropic = amplitude_ai.Anthropic(amplitude=mock, api_key="k", base_url=url, max_retries=0)
        with mock.agent("helper", user_id="user-1").session(session_id="session-1"):
            converse(openai, anthropic)
    events = [event.get_event_body() for event in mock.events]
    print(json.dumps({"version": metadata.version("amplitude-ai"), "events": events, "catalogue": catalogue()}))


def catalogue():
    """The required properties of each event."""
    with open(amplitude_ai.__path__[0] + "/data/agent_event_catalog.json") as file:
        listed = json.load(file)["events"]
    return {
        one["event_type"]: {
            "required": [each["name"] for each in one["properties"] if each.get("is_required")],
            "known": [each["name"] for each in one["properties"]],
        }
        for one in listed
    }


main()
