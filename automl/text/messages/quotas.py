"""What is said where an account has as much as it may have, and of data sets that nobody uses."""

TOO_MANY_DATA_SETS = (
    "You have as many data sets as an account may have here ({most:,}). What is in the bin counts: delete one for "
    "good, or ask an administrator for more."
)
TOO_MANY_RUNS = (
    "You have as many runs that wait or are under way as an account may have here ({most:,}). Wait for one to end, or "
    "cancel one."
)
QUEUE_FULL = "As many runs wait or are under way on this server as it takes ({most:,}). Try again later."
TOO_MANY_FILES = (
    "With these there would be more photos than an account may have here ({most:,}). What is in the bin counts: delete "
    "something for good, or ask an administrator for more."
)
TOO_MANY_BYTES = (
    "With these there would be more than an account may have here ({size}). What is in the bin counts: delete "
    "something for good, or ask an administrator for more."
)
