"""Quick-starts of agent frameworks, self-written after their documentation: ``main(url) -> what they gave``.

Each knows its framework and nothing of `amplitude_ai`; ``url`` is the simulator's. A call that fails is part of each.
"""
