"""The agent's name where a framework writes it into its prompts, and nowhere else. Pure; the table is the knowledge."""

from __future__ import annotations

from .._models import LLMCall
from .._pattern import lazy_pattern

#: Characters of a prompt that are looked at.
_HEAD = 4000
#: crewai translations/en.json, role_playing
_CREW = r"\A\s*(?>You are (?P<name>[^\n]{1,200}?)\. )(?>[\s\S]{0,3000}?\nYour personal goal is: )"
_SYSTEM = (
    lazy_pattern(_CREW),
    # google-adk flows/llm_flows/identity.py
    lazy_pattern(r'(?:\A|\n)\s*You are an agent\. Your internal name is "(?P<name>[^"\n]{1,200})"'),
    # camel prompts/ai_society.py
    lazy_pattern(r"\A===== RULES OF [A-Z]+ =====\nNever forget you are an? (?P<name>[^\n]{1,200}?) and I am an? "),
    # marvin templates/agent.jinja
    lazy_pattern(
        r"\n\s*You are an AI agent\. This is your information\.[^\n]*\n\s*<name>(?P<name>[^<\n]{1,200})</name>"
    ),
    # controlflow orchestration/prompt_templates/agent.jinja
    lazy_pattern(
        r"\A# Agent\n\nI am a workflow orchestrator\.[\s\S]{0,400}?\nYour name is (?P<name>[^\n]{1,200}?)\.\n"
    ),
)
_USER = (
    # smolagents prompts/*.yaml, managed_agent.task
    lazy_pattern(r"\A\s*(?:New task:\n)?\s*You're a helpful agent named '(?P<name>[^'\n]{1,200})'\.\n"),
    # crewai, Agent(use_system_prompt=False)
    lazy_pattern(_CREW + r"[\s\S]{0,3000}?\nCurrent Task: "),
)


def prompted_name(call: LLMCall) -> str | None:
    """The agent that a request's instructions are for, or its first user turn."""
    for message in call.messages[:8]:
        rules = _SYSTEM if message.role == "system" else _USER if message.role == "user" else ()
        head = message.text[:_HEAD]
        for rule in rules:
            if found := rule.search(head):
                return found["name"]
    return None
