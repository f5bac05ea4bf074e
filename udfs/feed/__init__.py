"""What user learners and item learners tell each other."""
