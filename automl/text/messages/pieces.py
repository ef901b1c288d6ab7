"""Pieces that sentences of several areas are filled with: lists of names, and amounts."""

from automl.text.one_or_many import OneOrMany

QUOTED_NAME = "'{name}'"
NAMES_AND_LAST = "{all_but_last} and {last}"
NAMES_AND_MORE = "{names} and {n:,} more"

PHOTOS = OneOrMany(one="{n:,} photo", many="{n:,} photos")
CLASSES = OneOrMany(one="{n:,} class", many="{n:,} classes")
SQUARE_PICTURE = "{n} × {n} pixels"

MOMENT = "{day} {month} {year}, {time} UTC"
HOURS = OneOrMany(one="{n:,} hour", many="{n:,} hours")
MINUTES = OneOrMany(one="{n:,} minute", many="{n:,} minutes")
SECONDS = OneOrMany(one="{n:,} second", many="{n:,} seconds")
BYTES = OneOrMany(one="{n} byte", many="{n} bytes")
ON_PHOTOS_NOT_LEARNED_FROM = "{share} on photos it had not learned from"
