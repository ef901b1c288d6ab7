"""What is said of tables of labels."""

from automl.text.one_or_many import OneOrMany

# Why a photo has no class.
NO_TABLE = OneOrMany(
    one="No table here says what it shows.",
    many="No table here says what they show.",
)
NO_CLASS = OneOrMany(
    one="The table {table} gives it no class.",
    many="The table {table} gives them no class.",
)
NOT_NAMED = OneOrMany(
    one="The table {table} has no row with the file's name.",
    many="The table {table} has no rows with the names of these files.",
)
NOT_NAMED_BY_SEVERAL = OneOrMany(
    one="The tables {tables} do not name it.",
    many="The tables {tables} do not name them.",
)
UNCLEAR_NAME = OneOrMany(
    one="Several photos have this name, and {table} does not say which of them it means.",
    many="Several photos have the same name as each of them, and {table} does not say which it means.",
)
TWO_CLASSES = OneOrMany(
    one="The table {table} gives it two classes: '{first}' and '{second}'.",
    many="The table {table} gives each of them two classes: '{first}' and '{second}'.",
)
LONG_CLASS = OneOrMany(
    one="The name of its class in {table} is longer than {most} characters.",
    many="The names of their classes in {table} are longer than {most} characters.",
)
NO_PHOTO = "It is not a photo."
IS_THE_TABLE = "It is the table that says what the photos show."

# How the tables were understood. They are followed by what is known of the split.
READ = "The table {table} says what each photo shows (column '{column}')."
READ_WITH_PARTS = "The table {table} says what each photo shows (column '{column}'), with your own {parts} photos."
READ_BY_NUMBER = "The table {table} says what each photo shows (column {column})."
READ_BY_NUMBER_WITH_PARTS = (
    "The table {table} says what each photo shows (column {column}), with your own {parts} photos."
)
READ_ONE_HOT = "The table {table} says what each photo shows (one column for each class)."
READ_ONE_HOT_WITH_PARTS = (
    "The table {table} says what each photo shows (one column for each class), with your own {parts} photos."
)
READ_SEVERAL = "The tables {table} say what each photo shows (column '{column}')."
READ_SEVERAL_WITH_PARTS = (
    "The tables {table} say what each photo shows (column '{column}'), with your own {parts} photos."
)
READ_SEVERAL_BY_NUMBER = "The tables {table} say what each photo shows (column {column})."
READ_SEVERAL_BY_NUMBER_WITH_PARTS = (
    "The tables {table} say what each photo shows (column {column}), with your own {parts} photos."
)
READ_SEVERAL_ONE_HOT = "The tables {table} say what each photo shows (one column for each class)."
READ_SEVERAL_ONE_HOT_WITH_PARTS = (
    "The tables {table} say what each photo shows (one column for each class), with your own {parts} photos."
)

OTHER_COLUMN_READ = "The column '{column}' of {table} says what each photo shows."

# What is worth knowing about a table that is used.
MISSING_PHOTOS = OneOrMany(
    one="In {table}, one row names a photo that cannot be found here.",
    many="In {table}, {n:,} rows name photos that cannot be found here.",
)
OTHER_COLUMNS = OneOrMany(
    one=(
        "{table} has another column that could be meant: {others}. The classes were read from '{column}'. If that is "
        "not what you want, choose the other one."
    ),
    many=(
        "{table} has other columns that could be meant: {others}. The classes were read from '{column}'. If that is "
        "not what you want, choose another one."
    ),
)
GROUPED = "Photos with the same '{column}' in {table} stay together: all of them are learned from, or none."
SHARES = (
    "{table} gives each photo a share of every class ({columns}). The class with the largest share was taken for each "
    "photo."
)
READ_IN_ENCODING = (
    "{table} is not written in UTF-8; its letters were read as {encoding}. If names look wrong, save it as UTF-8 and "
    "send it again."
)
CUT = "Only the first {most:,} rows of {table} were read."

# What is said of photos without a class.
UNLABELLED = OneOrMany(one="{n:,} photo has no class", many="{n:,} photos have no class")
UNLABELLED_MEANS = OneOrMany(
    one="{reason} Nothing is learned from it. The model of a finished run can tell what it shows.",
    many="{reason} Nothing is learned from them. The model of a finished run can tell what they show.",
)
PHOTO_GONE = "Its contents are not here any more."

# Why a table is not used.
BROKEN = "{table} could not be read as a table, so it was not used."
WORKBOOK = (
    "{table} is a workbook of a spreadsheet program, so it was not read. If it says what the photos show, save the "
    "sheet as .csv and send that."
)
TOO_LARGE = "{table} is larger than {most} MB, so it was not read. Delete the columns that are not needed."
TOO_LARGE_TOGETHER = "The tables are larger than {most} MB together, so {table} was not read."
UNREADABLE = "{table} could not be opened, so it was not used: {reason}"
NO_SUCH_PHOTOS = (
    "Nothing in the table {table} matches the photos: it names '{named}', and a photo here is called '{photo}'. Make "
    "the names in the table those of the photos."
)
SEVERAL_CLASSES = (
    "{table} gives some photos several classes at once ('{photo}' is {classes}). Darkroom learns one class for each "
    "photo. Send a table with a single class for each photo."
)
SEVERAL_CLASSES_CHOOSE = (
    "{table} gives some photos several classes at once ('{photo}' is {classes}). Darkroom learns one class for each "
    "photo. It can learn one of the columns, with yes and no as classes: choose one of {columns}."
)
SEVERAL_SCORES = (
    "{table} gives the photos several classes at once: its columns {columns} hold numbers that do not add up to 1. "
    "Darkroom learns one class for each photo. Send a table with a single class for each photo."
)
UNCLEAR_NAMES = (
    "Several photos are called '{photo}', and {table} does not say which of them it means. Write the folder before "
    "each name, as in '{path}'."
)
NO_NAME_OF_COLUMN = "The name of a column is a text of at most {most:,} characters."
NO_SUCH_COLUMN = "{table} has no column '{column}' for the classes. It has {columns}."
