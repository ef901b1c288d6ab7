"""Which training photos are copies of the user's own test photos, and what becomes of them.

What is said of them and what is done with them is decided here, so that finding, verdict and split cannot differ.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from automl.records import Split


class SplitPhoto(Protocol):
    """What has to be known of a photo here; `ImageRecord`, `DataFile` and the `Photo` of the doctor have it."""

    @property
    def label(self) -> str: ...
    @property
    def split(self) -> Split | None: ...
    @property
    def sha256(self) -> str: ...


_Photo = TypeVar("_Photo", bound=SplitPhoto)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesOfTest:
    """Training photos that show a picture of the test, by their positions among the photos.

    Attributes:
        left_out: Those that are not learned from, so that the score stays honest.
        spared: Those that are learned from all the same, since their class has nothing else; never exact copies.
    """

    left_out: frozenset[int]
    spared: frozenset[int]


def copies_of_test(photos: Sequence[_Photo], picture_of: Callable[[_Photo], Hashable]) -> CopiesOfTest:
    """Finds the training photos that are copies or near copies of a test photo.

    A photo that only hangs together with such a copy, as another frame of its clip does, is none.

    Args:
        photos: The photos in use.
        picture_of: The same for all copies and near copies of one picture.
    """
    tested = [photo for photo in photos if photo.split is Split.TEST]
    pictures, contents = {picture_of(photo) for photo in tested}, {photo.sha256 for photo in tested}
    learned = {position: photo for position, photo in enumerate(photos) if photo.split is not Split.TEST}
    copies = {
        position: photo
        for position, photo in learned.items()
        if picture_of(photo) in pictures or photo.sha256 in contents
    }
    known = {photo.label for position, photo in learned.items() if position not in copies}
    spared = frozenset(
        position for position, photo in copies.items() if photo.label not in known and photo.sha256 not in contents
    )
    return CopiesOfTest(left_out=frozenset(copies) - spared, spared=spared)
