"""`millirec evaluate`: the real job over files, test then learn, and a report of it."""
