"""The frames that frameworks put around a person's own words, and the words in them. Pure; the table is the knowledge.

By how a frame begins and goes on: crewai's task (translations/en.json, ``task``, ``expected_output``; what an earlier
task gave follows), Strands' swarms and graphs (multiagent/swarm.py, graph.py), and others. What goes on is looked for
once, by itself: a pattern of the whole would go through the rest of the text for each of its lines, and keep the
application from running meanwhile. Where a question stands behind what was found for it (`_embedded`), it is looked
for from the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .._pattern import lazy_pattern
from ._embedded import embedded_question

_REQUEST = "\n\nUser Request: "
_FOLLOWS = "\n<follow_up_user_request> "
_FOLLOW_UP = lazy_pattern(r"\n<follow_up_user_request> (?P<words>[\s\S]*) </follow_up_user_request>\Z")


def _all(begun: re.Match[str], words: str) -> str:
    return words


def _followed_up(begun: re.Match[str], words: str) -> str:
    follows = _FOLLOW_UP.search(words, max(0, words.rfind(_FOLLOWS)))
    return words if follows is None else follows["words"]


def _outdented(begun: re.Match[str], words: str) -> str:
    return words.replace(f"\n{begun['indent']}", "\n")


#: How one begins, how it goes on, and what of the words between is the person's.
_FRAMES: tuple[tuple[re.Pattern[str], re.Pattern[str], Callable[[re.Match[str], str], str]], ...] = (
    (
        # Agent(use_system_prompt=False) says who it is here
        lazy_pattern(
            r"\A\s*(?:(?>You are [^\n]{1,200}?\. )(?>[\s\S]{0,3000}?\nYour personal goal is: )[\s\S]{0,3000}?\n)?"
            r"Current Task: "
        ),
        lazy_pattern(
            r"\n[^\S\n]*\n(?:This is the expect(?:ed)? criteria for your final answer: "
            r"|Provide your complete response:\s*\Z|Begin! This is VERY important to you, use the tools)"
        ),
        _all,
    ),
    (
        lazy_pattern(r"\A\s*Context:\n(?:User Request: |(?P<handed>Handoff Message: ))"),
        lazy_pattern(
            r"\n\n(?:Previous agents who worked on this: |Shared knowledge from previous agents:\n"
            r"|Other agents available for|You have access to swarm coordination tools)"
        ),
        _all,
    ),
    (lazy_pattern(r"\A\s*Original Task:\s"), lazy_pattern(r"\nInputs from previous nodes:"), _all),
    (
        # camel prompts/ai_society.py (its full stop behind the task is the frame's)
        lazy_pattern(r"\A\s*Here is a task that [^\n]{1,200}? will help [^\n]{1,200}? to complete: "),
        lazy_pattern(r"\.\nPlease make it more specific\. Be creative and imaginative\.\n"),
        _all,
    ),
    (
        # browser-use agent/prompts.py: the page changes from step to step (of several requests the last is new)
        lazy_pattern(r"\A<user_request>\n"),
        lazy_pattern(r"\n</user_request>\n\n<agent_history>\n"),
        _followed_up,
    ),
    (
        # marvin templates/task.jinja
        lazy_pattern(
            r"\A\s*<task>\n    <id>\w{1,64}</id>\n(?:    <name>[^\n]{0,1000}</name>\n)?"
            r"    <instructions>\n(?P<indent> +)"
        ),
        lazy_pattern(r"\n    </instructions>\n"),
        _outdented,
    ),
    (
        # guardrails-ai constants.xml (complete_json_suffix and its fellows), behind whatever was said
        lazy_pattern(r"\A"),
        lazy_pattern(
            r"\nGiven below is (?:a )?(?:JSON Schema|XML) that describes the (?:information to extract from this "
            r"document and the tags to extract it into|output structure you should return)\.\n"
        ),
        _all,
    ),
)


def framed(text: str) -> str | None:
    """The person's words in a frame, ``None`` where there is no frame."""
    for begins, goes_on, own in _FRAMES:
        begun = begins.match(text)
        if begun is None:
            continue
        start = begun.end()
        if "handed" in begun.groupdict() and begun["handed"]:
            start = text.find(_REQUEST, start) + len(_REQUEST)
            if start < len(_REQUEST):
                continue
        on = goes_on.search(text, start)
        if on is not None:
            # The lines before that are blank are the frame's; where there is none, its first character is.
            words = text[start : on.start() + 1]
            return own(begun, words[: words.find("\n", len(words.rstrip()))])
    return embedded_question(text)
