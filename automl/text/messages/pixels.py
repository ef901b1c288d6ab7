"""Messages about the pixels of photos: how they are read, and why a file is not a photo that can be read."""

from automl.text.one_or_many import OneOrMany

# How the photos of a data set become pixels.
GRAY_INTEGERS = (
    "Some photos have more than 256 shades of gray or of a colour. In all of them the value {black} counts as black "
    "and {white} as white, here and wherever the model is used."
)
GRAY_FLOATS = (
    "Some photos are gray with decimal numbers for shades. In all of them the value {black} counts as black and "
    "{white} as white, here and wherever the model is used."
)
DARKER_INTEGERS = (
    "Some of these photos would be almost black beside the others, as their files have fewer shades. In photos without "
    "a larger value than {white}, {white} counts as white."
)
DARKER_FLOATS = (
    "Some photos with decimal numbers would be almost black beside the others. In photos without a larger value than "
    "{white}, {white} counts as white."
)
BLACK_BACKGROUND = (
    "Transparent photos are put on black, here and wherever the model is used, since what some of them show is white."
)
GRAY_BACKGROUND = (
    "Transparent photos are put on gray, here and wherever the model is used, since what some of them show is white, "
    "and what others show is black."
)

# Why a file cannot be used.
TOO_MANY_PIXELS = OneOrMany(
    one="The picture has more than {max_pixels:,} pixels. Make it smaller.",
    many="The pictures have more than {max_pixels:,} pixels. Make them smaller.",
)
PICTURE_TOO_LARGE = OneOrMany(
    one="The picture is too large: opened, it would take {size} of memory, and at most {most} are allowed here. Make "
    "it smaller.",
    many="The pictures are too large: opened, each would take {size} of memory, and at most {most} are allowed here. "
    "Make them smaller.",
)
TOO_SLOW = OneOrMany(
    one="The picture could not be opened within {seconds:.0f} seconds, which no ordinary photo takes. Save it anew as "
    "an ordinary JPEG or PNG.",
    many="The pictures could not be opened within {seconds:.0f} seconds each, which no ordinary photo takes. Save them "
    "anew as ordinary JPEG or PNG.",
)
STOPS_READER = OneOrMany(
    one="The picture is damaged in a way that stops the program that opens it.",
    many="The pictures are damaged in a way that stops the program that opens them.",
)
TOO_LITTLE_MEMORY = OneOrMany(
    one="Opening the picture takes more memory than one picture may have here. Make it smaller, or save it as JPEG.",
    many="Opening the pictures takes more memory than one picture may have here. Make them smaller, or save them as "
    "JPEG.",
)
EMPTY_FILE = OneOrMany(
    one="The file is empty.",
    many="The files are empty.",
)
DAMAGED = OneOrMany(
    one="The picture is damaged or cut off; it cannot be read to its end.",
    many="The pictures are damaged or cut off; they cannot be read to their ends.",
)
UNUSUAL_KIND = OneOrMany(
    one="This is a {form} file of an unusual kind that cannot be read here. Export it as an ordinary JPEG or PNG.",
    many="These are {form} files of an unusual kind that cannot be read here. Export them as ordinary JPEG or PNG.",
)
HEIF = OneOrMany(
    one="Photos in HEIC or AVIF form, as some phones take them, cannot be read here. Export it as JPEG.",
    many="Photos in HEIC or AVIF form, as some phones take them, cannot be read here. Export them as JPEG.",
)
ARCHIVE = OneOrMany(
    one="This is an archive or an office document, not a picture. Unpack it first.",
    many="These are archives or office documents, not pictures. Unpack them first.",
)
PDF = OneOrMany(
    one="This is a PDF, not a picture. Export its pages as JPEG or PNG.",
    many="These are PDFs, not pictures. Export their pages as JPEG or PNG.",
)
SVG = OneOrMany(
    one="This is a drawing (SVG), not a photo. Export it as PNG.",
    many="These are drawings (SVG), not photos. Export them as PNG.",
)
OTHER_FILE = OneOrMany(
    one="This is not a picture in a form that can be read here (JPEG, PNG, WebP, BMP, GIF or TIFF).",
    many="These are not pictures in a form that can be read here (JPEG, PNG, WebP, BMP, GIF or TIFF).",
)

# What went wrong while the photos of a run were decoded.
PHOTO_CHANGED = (
    "What is stored of {name} is not what was sent: the disk has lost or changed some of it. Send it again, and start "
    "the run again."
)
NO_LONGER_READABLE = "{name} can no longer be read ({reason})."
READER_NOT_STARTED = "The program that opens pictures could not be started. Its messages are in the log."

# What is found out about transparent photos that show nothing.
HIDDEN_PHOTOS = OneOrMany(
    one="{n:,} photo shows nothing, because transparency hides what is in it",
    many="{n:,} photos show nothing, because transparency hides what is in them",
)
HIDDEN_ON_WHITE = (
    "Transparent photos are put on white, and nothing is to be seen of these on it. Save them with a background of "
    "another colour, or leave them out."
)
HIDDEN_ON_GRAY = (
    "Transparent photos are put on gray here, as suits most of yours, and nothing is to be seen of these on it. Save "
    "them with a background of another colour, or leave them out."
)
HIDDEN_ON_BLACK = (
    "Transparent photos are put on black here, as suits most of yours, and nothing is to be seen of these on it. Save "
    "them with a background of another colour, or leave them out."
)
HIDDEN_PHOTOS_LEFT_OUT = OneOrMany(one="Left out {n:,} transparent photo", many="Left out {n:,} transparent photos")
