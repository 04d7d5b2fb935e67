"""Tool calls that stand in texts: asked for by what a model writes, answered in a later request's text."""
