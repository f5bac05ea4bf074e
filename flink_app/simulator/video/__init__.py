"""The simulated video platform: films and series, watched to a fraction, rated, and favourites."""
