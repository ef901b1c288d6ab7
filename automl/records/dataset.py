"""A verified data set, and which photos are used for what."""

from dataclasses import dataclass
from pathlib import Path

from automl.records.serving_contract import ServingContract
from automl.records.states import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One photo in use.

    Attributes:
        path: Where its bytes are now.
        name: Path that the user gave; for people only, never opened.
        label: Its class.
        sha256: Of its bytes.
        width: Pixels, upright.
        height: Pixels, upright.
        split: The part that the user has put it in, None for none.
        group: The same for all near copies of one picture; empty where there are none but exact ones.
        clip: The same for all photos of one clip or burst, or of one group that the user has named, such as a site or a
            patient; empty where there is none.
        frame: Its place within the clip; 0 throughout a group without an order.
    """

    path: Path
    name: str
    label: str
    sha256: str
    width: int
    height: int
    split: Split | None = None
    group: str = ""
    clip: str = ""
    frame: int = 0


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not used.

    Attributes:
        name: Path that the user gave.
        reason: Why, in words for the user.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetManifest:
    """A verified data set.

    Attributes:
        name: What people call it.
        classes: Names of the classes, sorted.
        images: The photos in use.
        refused: The files that are not used.
        fingerprint: SHA-256 over contents, labels and parts of the photos.
        notes: Sentences about what was found in it.
        version: The number by which its user knows this state of it, None where there is only one state.
        contract: How the pixels of its photos become those that a model sees; None for one that is older than such
            contracts.
        keeps_clips: Whether photos of one clip stay together; False where the user says that they are separate photos.
    """

    name: str
    classes: tuple[str, ...]
    images: tuple[ImageRecord, ...]
    refused: tuple[RefusedFile, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()
    version: int | None = None
    contract: ServingContract | None = None
    keeps_clips: bool = True

    @property
    def has_own_test(self) -> bool:
        """Whether the user has put some photos into a test folder."""
        return any(image.split is Split.TEST for image in self.images)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """Which photos are used for what. Photos are indices into `DatasetManifest.images`.

    Attributes:
        pool: Photos that training and validation share.
        folds: For each photo of the pool the number of the fold that holds it out, 0 <= fold < `n_folds`, or -1 where
            it is always trained on; one number for each repeat of the cross-validation, as many for every photo.
        n_folds: Folds of one repeat.
        test: Photos that are held back until the winner is final; none where every photo teaches, and is tested by the
            models of the folds that hold it out.
        left_out: Photos that are not used: copies of test photos, and frames between two blocks of a clip.
        notes: Sentences for the user.
        seed: From which the split was made.
    """

    pool: tuple[int, ...]
    folds: tuple[tuple[int, ...], ...]
    n_folds: int
    test: tuple[int, ...]
    left_out: tuple[int, ...]
    notes: tuple[str, ...]
    seed: int

    @property
    def tests_every_photo(self) -> bool:
        """Whether the delivered score comes from held-out answers to the pool, for want of a test set."""
        return not self.test

    @property
    def tested_rows(self) -> tuple[int, ...]:
        """The rows of the pool that a fold holds out; the others are learned from in every fold."""
        return tuple(row for row, folds in enumerate(self.folds) if folds[0] >= 0)
