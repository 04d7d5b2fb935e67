"""The HTTP libraries' own test suites, run with and without us (``make suites``); fetched then, never copied here."""
