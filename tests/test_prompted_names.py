"""Agents whose names stand in their prompts alone."""

import pytest

from amplitude_ai._models import Message
from amplitude_ai.sessions._prompted_names import prompted_name

from .records import call


@pytest.mark.parametrize(
    ("role", "text", "expected"),
    [
        ("system", "You are Billing. You know the firm.\nYour personal goal is: help", "Billing"),  # crewai
        ("system", 'Help.\n\nYou are an agent. Your internal name is "billing". The description is', "billing"),  # adk
        ("user", "You're a helpful agent named 'expert'.\nYou have been submitted this task", "expert"),  # smolagents
        ("user", "New task:\nYou're a helpful agent named 'expert'.\nYou have", "expert"),
        ("system", "# Agent\n\nI am a workflow orchestrator. Obey.\n\nYour name is Ann B.\n\n", "Ann B"),  # controlflow
        ("system", "# Agent\n\nYour name is Ann.\n", None),
        ("system", "You are a helpful assistant. Be brief.", None),
        ("user", "You are Billing. You know.\nYour personal goal is: help", None),  # a person's
        ("user", "You are Billing. You know.\nYour personal goal is: help\nCurrent Task: Pay", "Billing"),  # crewai
        ("assistant", "You're a helpful agent named 'expert'.\n", None),
        ("system", "You are " + "a" * 100_000, None),
        ("system", "You are " + "a. " * 50_000, None),
    ],
)
def test_a_name(role, text, expected):
    """Where that framework writes it, and nowhere else."""
    assert prompted_name(call(Message("system", "First."), Message(role, text))) == expected
