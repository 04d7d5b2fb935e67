"""Who gets watched: clients made, adopted, or every client of the process."""
