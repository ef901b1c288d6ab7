"""A file of a data set, as the check and the edits see it."""

from dataclasses import dataclass, replace

from automl.images.fingerprint import Traits
from automl.images.near_copies import Likeness
from automl.records import FileState, PixelFacts, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One file. What is found out when it is decoded is kept, so that a repeated check decodes only what is new.

    Attributes:
        id: Id of its row in the database, or a number of its own.
        name: Path that the user gave.
        key: Where its bytes are; empty for a file without bytes, which was refused for good before the check.
        sha256: Of its bytes.
        state: What became of it.
        reason: Why it is not used.
        label: Its class. Of a picture that belongs to a photo, and so is none itself, the word that says so: `masks`.
        split: The part that its folder names, None where the folders do not say.
        width: Pixels, upright.
        height: Pixels, upright.
        given_label: The class that it was sent to, whatever its name says; empty if to none.
        format: Format that it has inside, such as "JPEG"; empty until it has been decoded.
        spread: How much its brightness varies, see `automl.images.fingerprint`.
        is_gray: Whether it has no colours.
        thumbnail: Where a small copy of it is.
        near: The same number for all near copies of one picture, None where it was not compared.
        original: The same number for those near copies that may have been made from one file, see
            `automl.images.near_copies.Likeness`; None where it was not compared.
        shot: The same number for those that look the same everywhere, see there; None where it was not compared.
        taken_at: Seconds since 1970 by the clock of the camera, from its EXIF; None where that does not say.
        fault: Why it could not be decoded.
        pixels: What is known of its pixels where they are not ordinary ones; None where they are, and for files that
            were decoded before this was found out.
    """

    id: int
    name: str
    key: str
    sha256: str
    state: FileState = FileState.RECEIVED
    reason: str = ""
    label: str = ""
    split: Split | None = None
    width: int = 0
    height: int = 0
    given_label: str = ""
    format: str = ""
    spread: float = 0.0
    is_gray: bool = False
    thumbnail: str = ""
    near: int | None = None
    original: int | None = None
    shot: int | None = None
    taken_at: float | None = None
    fault: str = ""
    pixels: PixelFacts | None = None

    @property
    def is_seen(self) -> bool:
        """Whether it has been decoded, or could not be."""
        return bool(self.format or self.fault)

    @property
    def is_unlabelled(self) -> bool:
        """Whether it is a photo that could be used if anything said what it shows."""
        return self.state is FileState.REFUSED and not self.label and bool(self.format) and not self.fault

    def refused(self, reason: str) -> "DataFile":
        """The file, not used for this reason."""
        return replace(self, state=FileState.REFUSED, reason=reason)

    def compared(self, likeness: Likeness | None) -> "DataFile":
        """The file, with what it has in common with others; None where it was not compared."""
        if likeness is None:
            return self
        return replace(self, near=likeness.near, original=likeness.original, shot=likeness.shot)

    def seen(self, traits: Traits, thumbnail: str) -> "DataFile":
        """The file, with what was found out when it was decoded."""
        return replace(
            self,
            width=traits.width,
            height=traits.height,
            format=traits.format,
            spread=traits.spread,
            is_gray=traits.is_gray,
            thumbnail=thumbnail,
            pixels=traits.pixels,
            taken_at=traits.taken_at,
        )
