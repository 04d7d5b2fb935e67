"""Agents of many frameworks on the stand-in of `_stage`: each ``main(url)`` has a user ask, once or twice."""
