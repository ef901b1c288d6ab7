"""What is said of data sets, runs and files while they are kept, checked and changed."""

# What is not there, or cannot be read.
NO_FILE = "There is no such file."
TOO_LARGE = "This is larger than the limit of {most:,} bytes."
NO_RUN = "There is no such run. It may have been deleted."
NO_SORTING = "There are no such sorted photos. They may have been deleted, or their time was up."
NO_DATA_SET = "There is no such data set. It may have been deleted."
RUN_IN_BIN = "This run was deleted. It is in the bin until {until} and can be put back from there."
DATA_SET_IN_BIN = "These photos were deleted. They are in the bin until {until} and can be put back from there."
PHOTOS_OF_RUN_IN_BIN = "The photos of this run are in the bin, too. Put those back first."
GONE_FROM_BIN = "This is not in the bin any more: it was put back, or removed for good."
NO_RESULT = "This run has no result."
NEWER_DARKROOM = "This data set was saved by a newer Darkroom. Update this one, or upload the photos again."
DISK_FULL = "The disk that holds {what} is full. Free some space and start again."
DISK_SHORT = (
    "The server's disk is nearly full: less than {reserve} are free, which are kept for what is under way. Delete what "
    "you no longer need and empty the bin, or ask the person who runs this server for more room; then try again."
)
UPLOADED_PHOTOS = "the uploaded photos"
LINK_ENDED = (
    "This link opens nothing. Its time is up, it was taken back, or a part of it is missing. Ask for a new one."
)

# The check of a data set.
LOOKING_AT_FILES = "Looking at the files"
UNPACKING = "Unpacking {name}: {n:,} files so far"
LOOKING_AT_PHOTOS = "Looking at the photos: {n_done:,} of {n_total:,}"
COMPARING = "Comparing the photos with each other"
NOT_CHECKED = "These photos have not been checked yet."
CONTENTS_GONE = "Its contents are not here any more. Send it again."
CONTENTS_CHANGED = "What is stored of it is not what was sent: the disk has lost or changed some of it. Send it again."

# What a run can be asked, and when.
WAITING_FOR_WORKER = "Waiting for the worker"
NO_SUCH_CHANGE = "A run that is {old} cannot become {new}."
ENDED_ALREADY = "This run has already ended."
NOT_STARTED = "This run has not started yet, so there is no model to keep. Cancel it instead."
NO_MODEL_YET = "There is no model to keep yet. Wait for the first one, or cancel the run."
ENDED_SO_NO_MORE_TIME = "This run has already ended, so it cannot be given more time. Start another one instead."
ENDING_SO_NO_MORE_TIME = "This run was asked to end, so it cannot be given more time."
TESTED_SO_NO_MORE_TIME = "The search is over and the best model is being tested, so more time would not be used."
TOO_LONG = "A run may take {longest} at most on this server, and this would be longer."
MORE_TIME_GIVEN = "You gave it {more} more: {all} in all"
TOO_MANY_LINKS = "This run has {most} links already. Take one back first."
EXPORT_GIVEN_UP = (
    "The program that makes this format was stopped three times, most often because the computer ran out of "
    "memory. Close other programs and try again."
)

# What became of a file that was found to be damaged.
PHOTO_OF = "{photo} in {data_set}"
REPAIRED_FROM_TWIN = "repaired, from another copy of the same photo"
SEND_AGAIN = "lost; send this photo again"
SMALL_COPY_DRAWN = "repaired: its small copy is drawn again"
VERSION_OF = "version {number} of {data_set}"
VERSION_LOST = "lost; runs on this version cannot be repeated"
VERSION_MADE_AGAIN = "the list of its photos is lost; it is made again when they are checked"
FILE_OF_RUN = "{file} of {run}"
RUN_FILE_LOST = "lost; restore a backup, or start the run again"
FORMAT_MADE_AGAIN = "repaired: the worker makes it again"
CACHE_MADE_AGAIN = "removed; it is made again when it is needed"
WEIGHTS_AGAIN = "removed; fetch them again with: automl weights fetch {name}"
