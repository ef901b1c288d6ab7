"""Why a file of this machine cannot be read."""

NOT_FOUND = "There is no such file."
NAME_TOO_LONG = "There is no such file: its name is longer than any file's can be here."
IMPOSSIBLE_NAME = "There is no such file: its name has a character that no file can have in its name."
NOT_ALLOWED = "You may not read it. Ask whoever owns it, or change its permissions."
IS_A_FOLDER = "It is a folder, not a file."
DISK_FAILS = "The disk that it lies on cannot read it. Copy it to another one, if that is still possible."
CANNOT_BE_READ = "It cannot be read: {reason}."

ABOUT = "{name}: {fault}"
