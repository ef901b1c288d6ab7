"""What the web server answers where a request cannot be served as it was meant."""

# Errors of the server itself: their titles, and what they mean.
DID_NOT_WORK_TITLE = "That did not work"
OTHER_PAGE_TITLE = "Not from another page"
NOTHING_HERE_TITLE = "There is nothing here"
IN_BIN_TITLE = "This is in the bin"
NOT_NOW_TITLE = "Not right now"
TOO_OFTEN_TITLE = "A little slower, please"
TOO_MUCH_TITLE = "That is too much at once"
PHOTOS_NOT_USABLE_TITLE = "These photos cannot be used yet"
NOT_AVAILABLE_TITLE = "Not available right now"
DISK_FULL_TITLE = "The server's disk is full"
BAD_REQUEST = "The server could not make sense of this request."
NOTHING_AT_ADDRESS = "What was at this address may have been deleted, or the link is incomplete."
OTHER_KIND_OF_REQUEST = "This address does not take this kind of request."
CONNECTION_LOST = "The connection was too slow or broke off. Nothing is wrong with your files; try again."
TOO_MUCH = "This is more than the server takes in one go."
UNKNOWN_KIND_OF_DATA = "The server does not know this kind of data."
NOT_THAT_LONG = "This file is not that long, or it has changed meanwhile. Download it from the start."
INTERNAL = "Something went wrong on the server, and it is not your fault. Your photos and runs are safe. Try again."
WENT_WRONG_TITLE = "Something went wrong"
DID_NOT_WORK = "That did not work."
QUEUE_SILENT = (
    "The job could not be handed to the worker, because the queue (Redis) does not answer. Nothing was started. "
    "Wait a moment and try again."
)
DATABASE_AWAY = (
    "The database of this server does not answer at the moment. Nothing is lost, and searches that are under way go on."
)
DATABASE_AWAY_NOT_DONE = (
    "The database of this server does not answer at the moment, so what you asked for was not done. Wait a moment, go "
    "back and do it once more."
)
OTHER_HOST = "This server does not answer to the name {host}. DARKROOM_HOSTS can allow it."
UNKNOWN_PROXY = (
    "A proxy handed this request on, so others may reach this server, and nobody has to sign in yet. Set "
    "DARKROOM_PROXIES to the number of proxies and start Darkroom again; then everybody signs in."
)
OTHER_SITE = "This form was sent by another web site, so it was ignored. Open Darkroom's own page instead."

# What somebody else, or the same person in another window, has changed meanwhile.
CHANGED_MEANWHILE = (
    "Since your page was shown, something was changed that goes against what you asked for. So nothing was done yet."
)
OUTDATED = (
    "The data set is not as it was when it was read: If-Match names another revision. Read it again before changing it."
)
NAMED_MEANWHILE = "Somebody has changed the name meanwhile. It is “{name}” now. Look at it before you change it again."
UNDOING = "Undo: {title}"

# What is not there, or not there any more.
FILE_REPLACED = "There is no such file. It may have been replaced by a newer one."
FILE_GONE = "This file is no longer there."
PHOTO_GONE = "This photo is no longer there."
NO_PHOTO = "There is no such photo."
NO_CLASS = "There is no such class any more. It may have been renamed."
NO_VERSION = "There is no such version of these photos."
RUN_HAS_NO_CLASS = "This run has no such class."
NO_ANSWERS = "There are no answers to show: this run has no result yet, or an earlier version of Darkroom made it."
OTHER_RUN_COMPARED = "One of these runs does not belong to these photos, or it has been deleted."
NO_RESULT_TO_COMPARE = "Only runs that have a result can be compared. One of these has none."
MODEL_GONE = "There is no model of this run any more."
NO_EVENT = "There is no such event."
OTHER_RUN_TO_START_FROM = "The run to start from does not belong to these photos, or it has been deleted."

# Uploads.
BROKEN_OFF = "The upload broke off before it was complete. Send it again."
NO_FORM = "Files must be sent as a form (multipart/form-data)."
TOO_MANY_FIELDS = "This form has more than {most} text fields. Files must be sent as files."
FIELD_TOO_LONG = "A text field of this form is far too long."
CHECKED_BY_RUN = "A run is checking these photos. Cancel that run, and the check ends with it."
CHECK_CANCELLED = (
    "You cancelled the check. All photos are still here, and those that were looked at need not be opened again. Start "
    "the check again when you like, or delete the photos below."
)
BEING_CHECKED = "These photos are being checked right now. Add more when that is done."
BAD_CLASS_NAME = "The name of a class may have up to {most} characters, and no slash."
LABEL_TOO_LATE = "The field `label` must come before the files that it is for."
TOO_MANY_LONG_NAMES = "More than {most:,} names are longer than {longest:,} characters."
NAME_TOO_LONG = "Its name is longer than {longest:,} characters."
TOO_MANY_FILES = "A data set may hold up to {most:,} files; these are more. Leave some out."
TOO_MANY_BYTES = "A data set may be up to {size} large; this is more. Leave some photos out, or shrink them."
DISK_FULL = "The server's disk is full, so the upload stopped. Free some space and go on."
NO_PHOTOS_ARRIVED = "No photos arrived. Go back, choose a folder or an archive (.zip, .tar), and send it again."
TOO_MANY_SORTED = (
    "The models of one data set may have sorted up to {most:,} photos at a time; these are more. Delete sorted photos "
    "that you do not need any more."
)
TOO_MANY_BYTES_SORTED = (
    "Photos that the models of one data set have sorted may be up to {size} together; these are more. Delete sorted "
    "photos that you do not need any more."
)
NOTHING_TO_ADD = "There is no photo to add: look at some photos first, and say what they are."
NO_SUCH_VERDICT = "This is none of the classes that the model knows."
NO_FILES_ARRIVED = "No files have arrived yet. Send the photos first."

# Data sets, runs and downloads.
NOT_NUMBERS_OF_PHOTOS = "The numbers of the photos must be whole numbers."
FIXED_ALREADY = "This was fixed already, or it has changed since. Look at the page again."
UNDONE_ALREADY = "This change has been undone already."
IN_USE = "A run is using these photos. Cancel it, or wait until it has ended."
NOT_CHECKED_YET = "These photos are not checked yet. Change them when that is done."
NO_PHOTOS_TO_DOWNLOAD = (
    "There is nothing to download yet: first the photos must be such that a model can learn from them."
)
NOTHING_TO_TRAIN_FROM = "No model can be trained from these photos. Add more first."
NO_FINISHED_MODEL = "There is no finished model yet, so there are no other formats of it."
NO_MINUTES = "Say how many minutes more it should have: a number above 0."
NO_EMAIL_HERE = (
    "This server sends no e-mail. The person who runs it can switch that on (DARKROOM_SMTP_URL and DARKROOM_MAIL_TO)."
)
NO_FORMAT_CHOSEN = "Tick at least one format."
NO_MODEL_TO_DOWNLOAD = "There is no model to download yet. The first one comes within the first minutes."
NO_SUCH_FORMAT = "There is no format called {name!r}. Known: {known}."
FORMATS_AFTER_RUN = "The formats can be chosen when the run is done. Without a choice you get the best so far."
FORMAT_NEVER_MADE = "{title} was never made for this model. Prepare the other formats first."
FORMAT_FAILED = "{title} could not be made. Try again on the page of the run, or leave it out."
FORMAT_LOST = (
    "What was made of {title} is gone or damaged on the server's disk. It is made again: come back in a few minutes, "
    "or leave it out."
)
BUNDLE_LOST = (
    "The file of this model is gone or damaged on the server's disk, so it cannot be downloaded. Restore a backup, or "
    "start the run again."
)
FORMAT_NOT_READY = "{title} is still being prepared. Wait a moment, or leave it out."
MODEL_DAMAGED = "The model of this run cannot be opened; its file is damaged."
THRESHOLD_AFTER_RUN = "From when on an answer counts as sure can be chosen once the run is done."
BAD_THRESHOLD = "Say from which confidence on an answer counts as sure: a number of percent from {lowest} to {highest}."
SAMPLE_DATA_SET = "Handwritten digits (sample)"
NO_LINKS_HERE = "This server makes no links. The person who runs it can allow them (DARKROOM_MAX_LINK_DAYS)."
LINK_AFTER_RUN = "A link can be made once the run is done."
BAD_LINK = "Say what the link is to show and how long it is to work, as the page of the result offers it."

# Asking a model about photos.
NO_MODEL_TO_TRY = "There is no model to try yet. The first one comes within the first minutes."
TOO_MANY_PHOTOS = "Ask about at most {most:,} photos in one request."
NO_PHOTO_TO_ANSWER = "No photo arrived. Choose one or more, and send them as files called `photos`."
NO_HEAT_MAPS = "Heat maps cannot be drawn for this model."
NO_HEAT_MAP = "There is no heat map of this photo."
PHOTO_TOO_LARGE = "The file is larger than {most}. Make it smaller."
TOO_BUSY = "Too many photos are being looked at right now. Try again in a few seconds."
NO_PHOTO_ARRIVED = "No photo arrived."
LABEL_MISSING = "Say in the field `label`, before the photos, which class they are of."

# Requests of the API that cannot be read.
NO_OBJECT = "The body must be a JSON object."
NO_FILES_HERE = "This address takes no files."
FILES_OR_DATASET = "Send either files or the id of a data set, not both."
NO_SUCH_FIELD = "There is no field called {name!r}. Known: {known}."
VALUES_NO_OBJECT = "`values` must be an object."
MINUTES_NO_NUMBER = "`minutes` must be a number."
PHOTOS_MISSING = "Say which photos to use: the id of a data set in `dataset`, or files in the same form."
NAME_MISSING = "Say in `name` what to call it from now on."
PARENT_NO_ID = "The run that this one follows is named by its id, in `parent`."
LABEL_NO_NAME = "`label` must be the name of a class."
TOO_MANY_FILES_ASKED = "Ask about at most {most:,} files at once."
FILE_INCOMPLETE = "Each file needs a `name`, a whole number `n_bytes`, and, if it is known, a text `sha256`."
NO_LIST_OF_FILES = "The body must be a JSON object such as {example}."
NO_SUCH_STATE = "The state must be one of {known}."
