"""What is said of the state of an installation: `/readyz`, `automl doctor`, backups."""

DATABASE_ANSWERS = "The database answers."
DATABASE_AWAY = "The database does not answer. Start it again, or mend DARKROOM_DATABASE_URL."
DATABASE_EMPTY = "The database has no tables yet. Start Darkroom once: it makes them."
DATABASE_OLDER = "The tables are of an older version of Darkroom. Start Darkroom once: it brings them up to date."
DATABASE_NEWER = (
    "The tables were made by a newer version of Darkroom. Install that version, or restore a backup from before the "
    "upgrade."
)
QUEUE_ANSWERS = "The queue (Redis) answers."
QUEUE_AWAY = "The queue (Redis) does not answer. Start Darkroom, or Redis, again."
NODES_THERE = "Workers are there: {nodes}."
NO_NODE = "No worker for {kinds} is there. Start it again; what waits for it is kept."
DISK_ENOUGH = "{free} are free on the disk of {folder}."
DISK_SHORT = "Only {free} are free on the disk of {folder}; {wanted} are wanted. Delete what is not needed."
NOTHING_WAITS = "No run waits."
OLDEST_WAITS = "The oldest waiting run has waited for {time}."

# Backups.
BACKED_UP = "{target} holds the database and {n:,} files, {size} together. Keep it on another disk."
RESTORED = "The database and {n:,} files are back in {home}. Start Darkroom now: scripts/serve"
COPYING = "Copying {name}"
UNPACKING = "Unpacking {name}"
NO_DATABASE_YET = "There is nothing to back up yet: Darkroom has not run in this home folder."
DATABASE_NOT_COPIED = "The database could not be copied: {reason}"
NO_POSTGRES_TOOL = (
    "{tool} was not found. It comes with PostgreSQL's client programs: sudo apt install postgresql-client"
)
NO_BACKUP = "{name} is no backup that Darkroom has made."
BACKUP_DAMAGED = (
    "The backup is damaged, so nothing was restored. {n:,} files are not what was backed up, among them {name}. Try an "
    "older backup."
)
OTHER_KIND_OF_DATABASE = (
    "The database of this backup is of the kind {kind}. Set DARKROOM_DATABASE_URL to such a database and restore again."
)
STOP_DARKROOM_FIRST = "Darkroom runs in {home}. Stop it first (Ctrl-C where it runs), then restore."
SOMETHING_IS_THERE = (
    "{home} holds data already, which a restored backup would replace. Choose an empty folder, such as "
    "DARKROOM_HOME=restored automl restore ..."
)
BACKUP_HELP = "write the database and all files into one .tar, also while Darkroom runs"
BACKUP_TARGET_HELP = "the .tar to write; a new one"
RESTORE_HELP = "put a backup into an empty home folder (DARKROOM_HOME)"
RESTORE_SOURCE_HELP = "a .tar that automl backup has written"

# `automl doctor`.
DOCTOR_HELP = "say whether this installation has all that it needs, and what to do where not"
IN_ORDER = "in order"
TO_DO = "to do"
CONDITION = "what"
STATE = "state"
ALL_IN_ORDER = "Everything is in order."
WEIGHTS_THERE = "{n} pretrained networks are installed in {folder}."
NO_WEIGHTS = "No pretrained network is installed. Fetch them: automl weights fetch"
WEIGHTS_MISSING = "{there} of {n} pretrained networks are installed. The others: automl weights fetch"
DEVICE = "Training computes on: {device}."
PORT_FREE = "Port {port} is free."
PORT_OURS = "Darkroom answers at {address}."
PORT_TAKEN = "Port {port} of {host} is taken by another program. Stop it, or choose another: DARKROOM_PORT=8001"
HOME_WRITABLE = "{home} can be written, and only by its owner."
HOME_READ_ONLY = "{home} cannot be written. Choose another folder (DARKROOM_HOME), or change its permissions."
HOME_OPEN = "Other users of this machine can read {home}, with all photos. Close it: chmod 700 {home}"

# The figures of `/metrics`, as Prometheus shows them beside their names.
METRIC_HTTP_REQUEST_SECONDS = "Seconds until the head of an answer was sent."
METRIC_DISK_FREE_BYTES = "Free on the disk of the home folder."
METRIC_OLDEST_QUEUED_RUN_SECONDS = "Since the oldest waiting run was asked for; 0 where none waits."
METRIC_DATABASE_UP = "1 while the database answers."
METRIC_WORKER_SECONDS_SINCE_SIGN = "Since each worker node said that it is alive."
METRIC_QUEUE_UP = "1 while the queue (Redis) answers."
METRIC_RUNS = "Runs in each state."
METRIC_DATASETS = "Data sets in each state."
METRIC_EXPORTS = "Formats of models in each state."
METRIC_FILES = "Files of all data sets."
METRIC_FILE_BYTES = "Their size."
METRIC_TRIALS = "Trials of all runs."
METRIC_TRIAL_SECONDS = "Seconds that they took."
METRIC_PREDICTION_SECONDS = "Seconds of each photo that a model has answered."
METRIC_LOCK_WAIT_SECONDS = "Seconds of each wait for something that few may do at once."
METRIC_MODEL_CACHE = "Questions to models that were open already, and to those that had to be opened."
METRIC_ERRORS = "Answers that are errors, by their code."
