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
TOO_MANY_PIXELS = "The picture has more than {max_pixels:,} pixels. Make it smaller."
TOO_LITTLE_MEMORY = "The picture needs more memory than this machine has. Make it smaller."
EMPTY_FILE = "The file is empty."
DAMAGED = "The picture is damaged or cut off; it cannot be read to its end."
UNUSUAL_KIND = (
    "This is a {form} file of an unusual kind that cannot be read here. Export it as an ordinary JPEG or PNG."
)
HEIF = "Photos in HEIC or AVIF form, as some phones take them, cannot be read here. Export it as JPEG."
ARCHIVE = "This is an archive or an office document, not a picture. Unpack it first."
PDF = "This is a PDF, not a picture. Export its pages as JPEG or PNG."
SVG = "This is a drawing (SVG), not a photo. Export it as PNG."
OTHER_FILE = "This is not a picture in a form that can be read here (JPEG, PNG, WebP, BMP, GIF or TIFF)."

# What went wrong while the photos of a run were decoded.
NO_LONGER_READABLE = "{name} can no longer be read ({reason})."
READER_KILLED = "A process that reads the photos was killed, most often because memory ran out."

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
