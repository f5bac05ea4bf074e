"""Popular and trending items."""
