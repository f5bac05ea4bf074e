"""The simulated shop: searches, carts, purchases, and stock that runs out."""
