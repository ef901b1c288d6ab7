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
NO_RATE = "{variable} is {rate!r}, which is no rate. It looks like 60 per minute, or 5 per second;1000 per hour."
TOO_OFTEN = "You have asked for this very often in a short time. Nothing was done. Wait a minute, and go on then."
TOO_MANY_MINUTES = (
    "An account may ask for {most} minutes of training a day here, and {left} of yours are left. The next ones come "
    "free on {when}. Choose a shorter time, or ask an administrator for more."
)
NO_END = "An account may ask for {most} minutes of training a day here, so a run needs a time. Choose one."
TOO_MANY_FILES = (
    "With these there would be more photos than an account may have here ({most:,}). What is in the bin counts: delete "
    "something for good, or ask an administrator for more."
)
TOO_MANY_BYTES = (
    "With these there would be more than an account may have here ({size}). What is in the bin counts: delete "
    "something for good, or ask an administrator for more."
)
