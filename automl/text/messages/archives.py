"""What is said of archives and of the files in them."""

# Archives that are not opened.
NOT_OPENED_KIND = (
    "This is a {kind} file, which cannot be opened here. Unpack it and send the folder, or make a .zip or a .tar.gz "
    "instead."
)
NO_ARCHIVE = "This is not a .zip, .tar or .tar.gz, or it is damaged. Make it again, or send the folder itself."
ONE_FILE_PACKED = (
    "This .gz holds a single packed file and no folder of photos. Unpack it, and send what comes out of it."
)
ONE_OF_SEVERAL_VOLUMES = (
    "This is one part of an archive that was cut into several parts, which cannot be opened here. Unpack all parts "
    "together on your computer and send the folder, or make one .zip of it."
)
PROTECTED = "This .zip is protected with a password. Make one without."
DAMAGED = "This {kind} is damaged or incomplete. Make it again, or send the folder itself."
NO_FILES = "There is no file in this {kind}."

# What was lost or is in doubt, of archives whose other files are used.
PARTLY_DAMAGED_ZIP = (
    "This .zip is damaged or incomplete. What could be read of it is used; if photos are missing, make it again."
)
PARTLY_DAMAGED = "A part of this {kind} is damaged; the files in it are lost. Make it again."
BREAKS_OFF_AFTER = "This {kind} breaks off before its end: what came after '{name}' is lost. Make it again."
BREAKS_OFF = "This {kind} breaks off before its end: what came in it is lost. Make it again."
UNKNOWN_CODE_PAGE = (
    "The photos in it are used, but this archive does not say in which code page its names were written, and they do "
    "not tell it for certain. They were read as {code_page}: {examples}. If that is wrong, rename the classes here, or "
    "make the archive again with names in UTF-8."
)
EXAMPLE = "'{name}'"

# Limits.
TOO_LARGE_UNPACKED = "Unpacked, this {kind} is larger than the limit of {limit:,} bytes."
SWELLS = "This {kind} unpacks to more than {ratio} times its size, as photos never do."
LISTS_TOO_MANY = "This {kind} lists far more files than the limit allows."
TOO_MANY_FILES = "This {kind} holds more than the limit of {limit:,} files."

# Single files in an archive.
NAME_TOO_LONG = "Its name is longer than {limit:,} characters."
ARCHIVE_IN_ARCHIVE = "It is a {suffix} inside a {kind}, which is not opened. Unpack it first."
LINK = "It is a link to another file, which is not followed. Put the file itself into the archive."
NO_ORDINARY_FILE = "It is not an ordinary file."
SPARSE = "It is packed as a file with holes. Make the archive again without that option (--sparse)."
CUT = "It is damaged: the archive ends inside it."
DAMAGED_MEMBER = "It is damaged inside the .zip."
UNUSUAL_METHOD = "It is packed in an unusual way. Make the .zip again with the common method (Deflate)."
PROTECTED_MEMBER = "It is protected with a password. Make the .zip again without one."
NO_END = "It is in a damaged .zip that does not say where it ends."
