"""The source `social`: what those took whom a user follows."""
