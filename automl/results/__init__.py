"""From the winner to what the user gets: score, plots, exports and the bundle."""
