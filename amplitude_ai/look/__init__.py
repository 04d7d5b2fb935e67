"""Reading the local store, for people: what the command line, the page and the report show.

Knows the store's layout and the events' schema, and nothing of terminals, pages, clients or Amplitude. Never writes.
"""
