"""What the checks of the doctor are given: the photos of a data set, and the groups in which they belong together."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

from automl.records import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo in use, or one that cannot be used only because it lies in two classes.

    Attributes:
        file_id: Id of its file.
        name: Path that the user gave.
        label: Its class.
        split: Part that its folder names, None where the folders do not say.
        sha256: Of its bytes.
        near: The same number for all that count as copies of one picture, exact copies among them.
        width: Pixels, upright.
        height: Pixels, upright.
        format: Format that it has inside, such as "JPEG"; empty where it is not known.
        spread: How much its brightness varies, see `automl.images.fingerprint`.
        is_gray: Whether it has no colours.
        shot: The same number for photos that look the same everywhere, where so many of those are in more than one
            class that the user is asked; None elsewhere.
        background: What is behind it, such as "white", where parts of it are transparent; else empty.
        clip: The same for all photos of one clip, or of one group that the user has named; empty for none.
        is_frame: Whether the clip was found by likeness, not named by the user.
        is_used: False where it cannot be used, as it lies in two classes, or its class has nothing to learn from.
    """

    file_id: int
    name: str
    label: str
    split: Split | None
    sha256: str
    near: int
    width: int
    height: int
    format: str
    spread: float
    is_gray: bool
    shot: int | None = None
    background: str = ""
    clip: str = ""
    is_frame: bool = False
    is_used: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableFile:
    """A file that is not used.

    Attributes:
        file_id: Its id.
        name: Path that the user gave.
        reason: Why, in words for the user.
        is_unlabelled: Whether it is a photo that lacks nothing but a class.
    """

    file_id: int
    name: str
    reason: str
    is_unlabelled: bool = False


Photos = Sequence[Photo]


class ExaminedDataset:
    """A data set, as the checks of the doctor see it. Groups are made when they are first asked for.

    Args:
        photos: The photos in use, and those that lie in two classes.
        unusable: The other files that are not used.
        joined: A sentence for each class name that was joined with another spelling of it.
    """

    def __init__(self, photos: Photos, unusable: Sequence[UnusableFile] = (), joined: Sequence[str] = ()) -> None:
        self.photos, self.unusable, self.joined = photos, unusable, joined

    @cached_property
    def used(self) -> list[Photo]:
        """The photos in use: only these count where it is said how many photos are of some kind."""
        return [photo for photo in self.photos if photo.is_used]

    @cached_property
    def by_content(self) -> list[list[Photo]]:
        """Exact copies together."""
        return grouped(self.photos, lambda photo: photo.sha256)

    @cached_property
    def clips(self) -> list[list[Photo]]:
        """The clips that were found, class by class."""
        return grouped([photo for photo in self.photos if photo.is_frame], lambda photo: (photo.label, photo.clip))

    @cached_property
    def named_groups(self) -> list[list[Photo]]:
        """The photos that belong together by the user's folders or table."""
        return grouped([photo for photo in self.photos if photo.clip and not photo.is_frame], lambda photo: photo.clip)

    @cached_property
    def by_class(self) -> dict[str, list[Photo]]:
        """The photos of each class that are in use."""
        return {group[0].label: group for group in grouped(self.used, lambda photo: photo.label)}

    @cached_property
    def in_two_classes(self) -> list[list[Photo]]:
        """Exact copies that lie in more than one class."""
        return [group for group in self.by_content if n_labels(group) > 1]

    @cached_property
    def copies(self) -> list[list[Photo]]:
        """Exact copies that lie in one class."""
        return [group for group in self.by_content if len(group) > 1 and n_labels(group) == 1]

    @cached_property
    def same_across_classes(self) -> list[list[Photo]]:
        """Photos that look the same and are in more than one class, where the user is asked whether that is right."""
        asked = [photo for photo in self.photos if photo.shot is not None]
        return [group for group in grouped(asked, lambda photo: photo.shot) if n_labels(group) > 1]

    @cached_property
    def near_copies(self) -> list[list[Photo]]:
        """Near copies together, without the pictures that lie in more than one class."""
        contradicted = {photo.sha256 for group in self.in_two_classes for photo in group}
        return grouped([photo for photo in self.photos if photo.sha256 not in contradicted], lambda photo: photo.near)


def grouped(photos: Photos, key: Callable[[Photo], Hashable]) -> list[list[Photo]]:
    """The photos with the same key together, in the order in which the keys first appear."""
    groups: defaultdict[Hashable, list[Photo]] = defaultdict(list)
    for photo in photos:
        groups[key(photo)].append(photo)
    return list(groups.values())


def n_labels(group: Photos) -> int:
    return len({photo.label for photo in group})


def n_contents(group: Photos) -> int:
    return len({photo.sha256 for photo in group})
