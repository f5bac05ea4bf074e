"""What Redis holds, read back."""
