"""Watches LLM traffic at the HTTP transport layer and turns it into Amplitude events."""
