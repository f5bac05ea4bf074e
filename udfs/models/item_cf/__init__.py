"""Item-based collaborative filtering: items that go together."""
