"""The words that name a part of the split, such as the `train` of a folder or of the name of a file."""

import re
from functools import lru_cache

from automl.records import Split
from automl.text.upload_names import Folders

SPLIT_WORDS: dict[str, Split] = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "dev": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
"""Each known word, in lower case, and the part of the split that it names."""

PLAIN_FOLDERS = frozenset(
    {"images", "image", "imgs", "img", "photos", "photo", "pictures", "pics", "jpg", "jpeg", "png", "raw", "data"}
)
"""Names of folders that only say that there are photos in them."""

_WORDS_BESIDE_SPLIT = PLAIN_FOLDERS | {"set", "dataset", "split", "folder", "files", "samples"}


@lru_cache(maxsize=4096)
def split_of(folder: str) -> Split | None:
    """The part of the split that a folder of this name holds, if it is named for one: `train`, `test_set`."""
    words = [word for word in re.split(r"[\s_.-]+", folder.lower()) if word]
    named = [word for word in words if word not in _WORDS_BESIDE_SPLIT]
    return SPLIT_WORDS.get(named[0]) if len(named) == 1 else None


@lru_cache(maxsize=4096)
def innermost_split(folders: Folders) -> Split | None:
    """The part of the split that is named by the innermost folder that names one."""
    return next((split for folder in reversed(folders) if (split := split_of(folder))), None)
