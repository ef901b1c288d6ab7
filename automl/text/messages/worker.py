"""What the worker says of runs, checks and exports, on their pages and in e-mails."""

# What is being done, or waited for.
GETTING_READY = "Getting ready"
WAITING_WORKER_STOPPED = "Waiting to go on: the worker was stopped"
WAITING_WORKER_LOST = "Waiting to go on: the worker was lost"
WAITING_DATABASE_AWAY = "Waiting to go on: the database did not answer for a while"

# Why something could not be done.
RUN_GIVEN_UP = (
    "The worker stopped three times while it worked on this run, so the run was given up. Most often the computer "
    "ran out of memory: close other programs or choose a smaller largest picture size, and start the run again."
)
NOT_STARTED = "The training process could not be started: {reason}."
EXPORT_NOT_STARTED = "The export could not be started: {reason}."
CHECK_BROKE = "Something went wrong while these pictures were checked; it is in the worker's log. Please try again."
CHECK_KEEPS_DYING = (
    "The check of these pictures was interrupted three times. One of the files may be damaged in a way that stops "
    "the program that reads it, or the computer runs out of memory. Upload fewer pictures, or leave out unusual "
    "ones."
)
SAMPLES_NOT_MADE = "The sample images could not be made; the worker's log says why."
KILLED = (
    "The training process was killed from outside, most often because the computer ran out of memory. Close other "
    "programs or choose a smaller largest picture size, and start the run again."
)
STOPPED_UNEXPECTEDLY = "The training process stopped unexpectedly. Its last messages are in the log {log}."
BEST_MODEL_LEFT = "{problem} The best model found before that can still be downloaded."

# Notices at the end of a run.
EMAIL_NOT_SENT = "The e-mail about the end of this run could not be sent; the worker's log says why."
WEBHOOK_NOT_CALLED = "The webhook could not be called at the end of this run; the worker's log says why."
SUBJECT_DONE = "{name} is done"
SUBJECT_FAILED = "{name} could not be finished"
SUBJECT_CANCELLED = "{name} was cancelled"
RUN_DONE = "The run on {name} is done."
RUN_FAILED = "The run on {name} could not be finished."
RUN_CANCELLED = "The run on {name} was cancelled."
RIGHT_WHEN_TESTED = "{share} right when tested."
RIGHT_ON_PHOTOS_NOT_LEARNED_FROM = "{share} right on photos it had not learned from."

# An e-mail about photos that nobody uses.
SUBJECT_UNUSED_PHOTOS = "Some of your photos will be deleted"
UNUSED_PHOTOS = """These photos have not been used for a long time, and move to the bin in {days} days:

{names}

To keep them, open their page on Darkroom and choose "Keep them", or start another run.

{url}"""
