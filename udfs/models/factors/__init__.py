"""Matrix factorisation, learned online."""
