"""How the classes were read from folders, names of files or a table, and how else they could be read."""

from automl.text.one_or_many import OneOrMany

OTHER_READING = "{words} The classes would be: {classes}."
OTHER_LAYOUT = "Another reading is possible with --layout {layout}. {words}"
OTHER_LABEL_COLUMN = "Another reading is possible with --label-column {column}. {words}"

# Why a photo has no class.
OUTSIDE_CLASS_FOLDERS = OneOrMany(
    one="It lies outside any class folder. Put it in a folder with the name of what it shows.",
    many="They lie outside any class folder. Put each of them in a folder with the name of what it shows.",
)
FOLDER_NAME_TOO_LONG = OneOrMany(
    one="The name of its class folder is longer than {most} characters.",
    many="The names of their class folders are longer than {most} characters.",
)
BESIDE_TRAINING_FOLDER = OneOrMany(
    one="It lies beside the training folder, not in a class folder inside it.",
    many="They lie beside the training folder, not in a class folder inside it.",
)
DIRECTLY_IN_PART = OneOrMany(
    one=(
        "It lies directly in the folder '{part}', so what it shows is unknown. Put it in a folder with the name of "
        "its class: {part}/name-of-class/photo.jpg."
    ),
    many=(
        "They lie directly in the folder '{part}', so what they show is unknown. Put each of them in a folder with "
        "the name of its class: {part}/name-of-class/photo.jpg."
    ),
)
FOLDER_SAYS_NOTHING = OneOrMany(
    one="It lies in the folder '{folder}', whose name does not say what its photos show.",
    many="They lie in the folder '{folder}', whose name does not say what its photos show.",
)
BELONGS_TO_PHOTOS = OneOrMany(
    one=(
        "It lies in the folder '{folder}', whose pictures belong to the photos beside that folder, so nothing is "
        "learned from it."
    ),
    many=(
        "They lie in the folder '{folder}', whose pictures belong to the photos beside that folder, so nothing is "
        "learned from them."
    ),
)
BELONGS_TO_PHOTO = OneOrMany(
    one=(
        "Its name is that of a photo beside it with '{ending}' behind it, so it belongs to that photo, and nothing is"
        " learned from it."
    ),
    many=(
        "Their names are those of photos beside them with '{ending}' behind, so they belong to these photos, and "
        "nothing is learned from them."
    ),
)
NO_PHOTO = OneOrMany(
    one="It is not a photo.",
    many="They are not photos.",
)
NAME_WITHOUT_CLASS = OneOrMany(
    one="Its name does not say what it shows. A name such as cat_001.jpg would.",
    many="Their names do not say what they show. Names such as cat_001.jpg would.",
)
CLASS_IN_NAME_TOO_LONG = OneOrMany(
    one="The name of its class is longer than {most} characters.",
    many="The names of their classes are longer than {most} characters.",
)
NO_NAME = OneOrMany(
    one="It has no name.",
    many="They have no names.",
)
LEFTOVER = "It is not a photo but a leftover of a program or of the system."
HIDDEN = OneOrMany(
    one="It is hidden (its name, or its folder's, begins with a dot). Rename it if you want it used.",
    many=(
        "They are hidden (their names, or those of their folders, begin with a dot). Rename them if you want them used."
    ),
)
UNUSED_TABLE = OneOrMany(
    one="It is a table, not a photo, and was not needed to find the classes.",
    many="They are tables, not photos, and were not needed to find the classes.",
)
ONE_CLASS_TO_LEARN = (
    "Outside your test part all photos are of one class, '{label}', so no other class could be learned. The photos of "
    "all parts were put together, and Darkroom chooses those for the test itself."
)
JOINED_SPELLING = "'{label}' was taken for another spelling of '{kept}'."

# What was found in all.
NO_FOLDER_SAYS = "No folder says what the photos show."
NO_NAME_SAYS = "The names of the files do not say what the photos show."
NO_TABLE_SAYS = "No table here says what the photos show."
ONE_CLASS = "All photos are of one class, '{label}'."
ONE_CLASS_WITH_PARTS = "All photos are of one class, '{label}', with your own {parts} folders."
CLASS_FOLDERS = "One folder for each class."
CLASS_FOLDERS_WITH_PARTS = "One folder for each class, with your own {parts} folders."
INNERMOST = "The innermost folder of each photo is its class."
INNERMOST_WITH_PARTS = "The innermost folder of each photo is its class, with your own {parts} folders."
INNERMOST_REPEATED = (
    "The innermost folder of each photo is its class, since the folders around these hold the same classes: {outer}."
)
INNERMOST_REPEATED_WITH_PARTS = (
    "The innermost folder of each photo is its class, with your own {parts} folders. The folders around these hold the "
    "same classes: {outer}."
)
INNERMOST_IN_GROUPS = (
    "The innermost folder of each photo is its class, since the folders around these hold the same classes: {outer}. "
    "All photos of one such outer folder are either learned from or used for the test, so the test shows how well the "
    "model does with a new one."
)
NAMES_SAY = "The name of each file says its class ({name}: {label})."
NAMES_SAY_WITH_PARTS = "The name of each file says its class ({name}: {label}), with your own {parts} photos."
