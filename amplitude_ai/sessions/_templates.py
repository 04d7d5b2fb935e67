"""The texts that frameworks write in a user's role, by their own words: retries, prompts of their own. Pure.

The table is the knowledge. A row is so much of a text that no person writes it by chance: how it begins, and what
follows in this order. "I encountered an error" or "Fix the errors and try again." alone are what people say all day.
Each row is under its author's source.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._models import Message
from .._pattern import lazy_pattern
from ._conversation import last_text

_TEMPLATES: tuple[tuple[str, ...], ...] = (
    # instructor v2/providers/*/handlers.py (handle_reask), and its older reask.py
    ("Validation Error found:\n", "\nRecall the function "),
    ("Validation Errors found:\n", "\nRecall the function "),
    ("Validation Error(s) found:\n", "\nRecall the function "),
    ("Validation Error due to no tool invocation:\n", "\nRecall the function "),
    ("Correct your JSON ONLY RESPONSE, based on the following errors:\n",),
    ("Correct the following JSON response, based on the errors given below:\n\nJSON:\n", "\n\nExceptions:\n"),
    ("Recall the function arguments correctly and fix the errors",),
    # crewai translations/en.json (slices, errors), utilities/planning, reasoning
    ("Now it's time you MUST give your absolute best final answer. You'll ignore all previous",),
    ("Analyze the tool result. If requirements are met, provide the Final Answer.",),
    ("Sorry, I didn't use the right format. I MUST either use a tool",),
    ("You can't keep going, here is the best final answer you generated:",),
    ("I encountered an error while trying to use the tool. This was the error:", " accepts these inputs: "),
    ("I encountered an error: ", "\nMoving on then. I MUST either use a tool"),
    ("Moving on then. I MUST either use a tool (use one at time) OR give my best final answer",),
    ("I tried reusing the same input, I must stop using this action input.",),
    ("I did it wrong. Tried to both perform Action and give a Final Answer at the same time",),
    ("I did it wrong. Invalid Format: I missed the 'Action",),
    ("Error: the Action Input is not a valid key, value dictionary.",),
    ("You tried to use the tool ", ", but it doesn't exist. You must use one of the following tools"),
    ("### Previous attempt failed validation:", "### Previous result:", "making sure to address the validation error"),
    ("Analyze the following conversation and create a structured summary that preserves all information needed to",),
    ("<summary>\n", "\n</summary>", "Continue the task from where"),
    ("Based on the following human feedback, determine which outcome", "\nFeedback: ", "\nPossible outcomes: "),
    ("Output to review:\n", "Lessons from past human feedback:"),
    (
        "Create a focused execution plan for the following task:\n\n## Task\n",
        '"READY: I am ready to execute the task."',
    ),
    ("You are ", "\n\nYour primary goal is: ", '"READY: I am ready to execute the task."'),
    # mem0 configs/prompts.py
    ("You are a smart memory manager which controls the memory of a system.\nYou can perform four operations:",),
    ("## Summary\n", "\n## Last k Messages\n", "\n## Recently Extracted Memories\n", "\n## New Messages\n"),
    ("Create procedural memory of the above conversation.",),
    ("Deduce the facts, preferences, and memories from the provided text.\nJust return the facts",),
    # smolagents prompts/*.yaml and agents.py
    ("You are a world expert at analyzing a situation to derive facts, and plan accordingly",),
    ("You are a world expert at analyzing a situation, and plan accordingly towards solving a task.",),
    ("Now write your updated facts below, taking into account the above history:",),
    ("Based on the above, please provide an answer to the following user task:",),
    ("You're a helpful agent named '", "'.\nYou have been submitted this task by your manager.\n---\n"),
    # pydantic-ai messages.py (RetryPromptPart, RetryFeedbackPart), models/__init__.py, _framing.py
    ("Your previous response failed the application's validation (this is automated feedback, not a message from",),
    ("Validation feedback:\n", "\n\nFix the errors and try again."),
    ("Plain text responses are not permitted, please ",),
    ("Please include your response in a tool call.",),
    ("Please return text or include your response in a tool call.",),
    ("<conversation_summary>\nThe following is a summary of the earlier conversation, written by a separate",),
    # camel societies/role_playing.py
    ("Now start to give me instructions one by one. Only reply with Instruction and Input.",),
    # ag2 agent.py (AgentReply.content)
    ("Your previous response could not be validated by schema.", "\n\nPlease try again.\n\n== Validation Error ==\n"),
    # browser-use agent/service.py, agent/judge.py, tools/service.py
    ("REPLAN SUGGESTED: You have failed ", " consecutive times. Your current plan may need revision."),
    ("PLANNING NUDGE: You have taken ", " steps without creating a plan."),
    ("BUDGET WARNING: You have used ", " steps remaining. If the task cannot be completed in the remaining steps"),
    ("You reached max_steps - this is your last step. Your only tool available is the",),
    ("You failed ", " times. Therefore we terminate the agent.\nYour only tool available is"),
    ("Heads up: you have repeated a similar action ", " times in the last ", " actions. "),
    ("The page content has not changed across ", " consecutive actions. Your actions might not be having"),
    ("You forgot to return an action. Please respond with a valid JSON action",),
    ("<query>\n", "\n</query>", "<content_stats>\n", "<webpage_content>\n"),
    ("<task>\n", "\n<agent_trajectory>\n", "\n<final_result>\n"),
    # LangGraph prebuilt/tool_node.py
    ("Error: ", "\n Please fix your mistakes."),
    # google-adk flows/llm_flows/contents.py and _fencing.py: what another agent said
    ("For context: below is a transcript of what another agent did, quoted between ",),
    # llama-index ReAct output parser; LangChain's output fixing and retry parsers; guardrails-ai
    ("Error: Could not parse output. Please follow the thought-action-input format.",),
    ("Instructions:\n--", "\nCompletion:\n--", "\nAbove, the Completion did not satisfy the constraints given in"),
    ("Prompt:\n", "\nCompletion:\n", "\nAbove, the Completion did not satisfy the constraints given in"),
    ("I was given the following JSON response, which had problems due to incorrect values.",),
    # guardrails-ai constants.xml (high_level_*_reask_prompt)
    ("I was given the following response, which was not parseable as JSON.\n", "\nHelp me correct this by making it "),
    (
        "This was a previous response you generated:\n\n======\n",
        "\n======\n\nGenerate a new response that corrects your old response such that the following issues are fixed",
    ),
    # beeai-framework backend/chat.py (on_retry), agents/tool_calling, agents/react/runners
    ("The tool call for the '", "' tool has malformed parameters. It must be a valid JSON.\n\nAvailable Tools: "),
    ("Tool call was not produced.\n\nAvailable Tools: ",),
    ("I can't see your answer. You must use the '", "' tool to send me a message."),
    ("Error: The generated response does not adhere to the communication structure mentioned in the system prompt.",),
    # A history that is summed up, and its summary. LangChain agents/middleware/summarization.py
    ("<role>\nContext Extraction Assistant\n</role>\n", "\n<messages>\nMessages to summarize:\n"),
    # LangChain classic memory/prompt.py
    ("Progressively summarize the lines of conversation provided, adding onto the previous summary returning a",),
    ("You are an AI assistant helping a human keep track of facts about relevant people, places, and concepts in",),
    # google-adk apps/llm_event_summarizer.py
    ("The following is a conversation history between a user and an AI agent. It may or may not start from a",),
    # haystack hooks/compaction/summarization.py
    ("<conversation_to_summarize>\n", "\n</conversation_to_summarize>"),
    # camel agents/_utils.py, agents/chat_agent.py, utils/message_summarizer.py
    ("Summarize the conversation below.\nProduce markdown that strictly follows this outline and numbering:",),
    ("[CONTEXT_SUMMARY] The following is a summary of our conversation from a previous session: ",),
    ('Please analyze the following chat messages and generate a structured summary.\n\nMESSAGES:\n"""\n',),
    # griptape templates/memory/conversation/summarize_conversation.j2
    ('Conversation summary:\n"""\n', '\n"""\n\nUpdate the summary with this:\n'),
    # llama-index prompts/default_prompts.py, what it asks beside the question
    ("Write a summary of the following. Try to use only the information provided. Try to include as many key",),
    (
        "Some choices are given below. It is provided in a numbered list (1 to ",
        "\nUsing only the choices above and not",
    ),
    ("A list of documents is shown below. Each document has a number next to it along with a summary of the",),
    ("Some text is provided below. Given the text, extract up to ", "Avoid stopwords."),
)
#: The rest, which begin with what changes.
_COUNTED = lazy_pattern(r"\d{1,9} validation errors?:")  # pydantic-ai, as above
_COUNTED_ENDS = "\n\nFix the errors and try again."
_COUNTED_TOOLS = lazy_pattern(r"\d{1,9} validation errors? for AvailableTools\n")  # beeai-framework backend/utils.py
_CONTEXT = lazy_pattern(  # google-adk, before there were fences
    r"For context:\s*\[[^\]\n]{1,200}\] (?:said: |called tool `|`[^`\n]{1,200}` tool returned result: )"
)
#: Short ones, which are a framework's where the conversation is: begins, whose text, and what that says.
_BY_PLACE = (
    (
        "Now proceed and carry out this plan.",
        "assistant",
        ("the plan of action that I will follow", "I still need to solve"),
    ),
    ("Input:\n", "system", ("Personal Information Organizer", "Assistant Information Organizer")),
    ("<agent_history>\n", "system", ("summarizing an agent run for prompt compaction",)),
    ("<previous_compacted_memory>\n", "system", ("summarizing an agent run for prompt compaction",)),
    # griptape templates/tasks/prompt_task/user_*_subtask.j2
    ("<|Response|>: ", "assistant", ("Actions: [",)),
    ("Please, keep going!", "assistant", ("Actions: [",)),
    ("Fix these validation errors.", "assistant", ("Validation Errors: [{'type': ",)),
    # strands agent/conversation_manager/summarizing_conversation_manager.py, agno session/summary.py
    ("Please summarize this conversation.", "system", ("You are a conversation summarizer. Provide a concise",)),
    ("Provide the summary of the conversation.", "system", ("Analyze the following conversation between a user and",)),
    ("<system>", "system", ("system messages arrive inside user turns wrapped in <system> tags",)),
)
_HEADS = tuple({row[0] for row in _TEMPLATES})


def is_template(text: str, before: Sequence[Message]) -> bool:
    """Whether a framework wrote ``text``, which stands behind the messages ``before``."""
    text = text.lstrip()
    if text.startswith(_HEADS) and any(_has(text, row) for row in _TEMPLATES):
        return True
    if _COUNTED.match(text):
        return text.rstrip().endswith(_COUNTED_ENDS)
    if _COUNTED_TOOLS.match(text):
        return "\n\nAvailable Tools: " in text
    return _CONTEXT.match(text) is not None or any(
        text.startswith(begins) and any(one in (last_text(before, role) or "") for one in says)
        for begins, role, says in _BY_PLACE
    )


def _has(text: str, pieces: tuple[str, ...]) -> bool:
    if not text.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:]:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True
