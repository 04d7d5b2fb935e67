"""Turns `Exchange` into `LLMCall`."""
