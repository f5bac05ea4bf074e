"""The source `content`: items by what they are, known before anybody has taken them."""
