"""By hand: for what crosses no HTTP, and for what only you know.

python examples/manual_tracking.py --demo
"""

import _demo

_demo.begin()

from amplitude_ai import MessageTimer, llm_session, quick_track_message

with llm_session(user_id="user123", model_provider="local", model_name="my-model") as session:
    session.track_user_message("What is Python?")
    timer = MessageTimer()
    with timer.time():
        answer = "Python is a programming language."
    session.track_message(
        input_tokens=10, output_tokens=50, latency_ms=timer.duration_ms, cost_usd=0.001, output_content=answer
    )
    session.track_tool_call(
        tool_name="web_search", tool_parameters={"query": "Python"}, tool_result={"results": []}, success=True
    )
quick_track_message(
    model_provider="anthropic",
    model_name="claude-haiku-5-5",
    input_content="Explain quantum physics",
    output_content="It is the study of ...",
    input_tokens=20,
    output_tokens=100,
    latency_ms=2000,
    user_id="user123",
)
_demo.end()
