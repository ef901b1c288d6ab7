"""A file of a data set, as the check and the edits see it."""

from dataclasses import dataclass, replace

from automl.images.fingerprint import Traits
from automl.records import FileState, Split


@dataclass(frozen=True, slots=True)
class DataFile:
    """The fields of a row of `dataset_files`, without its look.

    Without a `key` it has no bytes: it was refused for good before the check. `format` and `fault` are empty until it
    has been decoded; what is found out then is kept, so that a repeated check decodes only what is new.
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
    fault: str = ""

    @property
    def is_seen(self) -> bool:
        """Whether it has been decoded, or could not be."""
        return bool(self.format or self.fault)

    def refused(self, reason: str) -> "DataFile":
        return replace(self, state=FileState.REFUSED, reason=reason)

    def seen(self, traits: Traits, thumbnail: str) -> "DataFile":
        return replace(
            self,
            width=traits.width,
            height=traits.height,
            format=traits.format,
            spread=traits.spread,
            is_gray=traits.is_gray,
            thumbnail=thumbnail,
        )
