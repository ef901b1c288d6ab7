"""How figures, durations and names are said to people."""
