"""Second programs: tools that fail, several at once, sub-agents, handoffs, streams, retries, several turns.

Each has ``model``, what the stand-in answers (`tests.neighbours._script`), and ``main``. What is true of it stands in
`tests.neighbours.test_second`.
"""
