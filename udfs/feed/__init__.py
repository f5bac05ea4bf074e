"""The messages between user learners and item learners."""
