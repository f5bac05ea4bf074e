"""From what the sources say of each candidate to one order."""
