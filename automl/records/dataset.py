"""A verified data set, and who is used for what."""

from dataclasses import dataclass
from pathlib import Path

from automl.records.states import Split


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One accepted picture.

    `path`: where its bytes are now. `name`: the path the user gave it (for people only, never opened).
    `split`: None where the user's folders do not say. `width`, `height`: pixels, upright. `group`: the same for all
    near copies of one picture; empty where there is no other than exact ones.
    """

    path: Path
    name: str
    label: str
    sha256: str
    width: int
    height: int
    split: Split | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not used, and why, in words for the user."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """A verified data set.

    `classes` is sorted; `fingerprint` is a SHA-256 over contents, labels and splits; `notes`: sentences about what was
    found in it. `version`: the number that its user knows this state of it by, None where there is only one.
    """

    name: str
    classes: tuple[str, ...]
    images: tuple[ImageRecord, ...]
    refused: tuple[RefusedFile, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()
    version: int | None = None


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Who is used for what; indices into `DatasetManifest.images`.

    `pool`: int indices of the images that training and validation share. `folds`: for each of them the number of
    the fold that holds it out, 0 <= fold < n_folds, or -1 where it is always trained on; one number for each repeat of
    the cross-validation, and as many for every image. `test`: held back until
    the winner is final. `left_out`: unused (a copy of a test image). `notes`: sentences for the user.
    """

    pool: tuple[int, ...]
    folds: tuple[tuple[int, ...], ...]
    n_folds: int
    test: tuple[int, ...]
    left_out: tuple[int, ...]
    notes: tuple[str, ...]
    seed: int
