"""What is said of a folder or an archive on this machine that is checked for the command line."""

NO_SUCH_FOLDER = "There is no folder {folder}."
NO_SUCH_FILE = "There is no file {file}."
TOO_MANY_FILES = "The folder holds more than the limit of {most:,} files."
FOLDER_NOT_OPENED = "The folder cannot be opened: {reason}."
ARCHIVE_NOT_READ = "{file} cannot be read: {reason}."
FILE_NOT_READ = "The file cannot be read: {reason}."
NOT_AN_ORDINARY_FILE = "It is not an ordinary file."
