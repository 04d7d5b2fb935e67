"""Turns `Exchange` into `LLMCall`. Pure: no clock, environment, log or thread."""
