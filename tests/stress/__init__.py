"""``make stress``: the library on its worst day, printed as a table."""
