"""What is wrong with a data set, what it means, and what a click can do about it."""
