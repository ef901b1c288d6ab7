"""The summary of a data set: what its last check found, as the pages, the command line and the API show it.

It is kept as JSON in the database. Summaries that older versions of Darkroom wrote are upgraded by `read_summary`, so
nothing else needs to know of them.
"""

import hashlib
from collections.abc import Mapping

from pydantic import Field, JsonValue

from automl.records.dataset import RefusedFile
from automl.records.states import Severity
from automl.records.stored_record import StoredRecord


class ClassSummary(StoredRecord):
    """How many photos a class has, and where its user has put them."""

    label: str
    """Name of the class."""

    n_images: int = 0
    """All photos of the class that are used."""

    train: int = 0
    """Photos in the user's training folder."""

    validation: int = 0
    """Photos in the user's validation folder."""

    test: int = 0
    """Photos in the user's test folder."""

    unassigned: int = 0
    """Photos that the user has put into none of these folders."""


class ReadingSummary(StoredRecord):
    """One way to read the classes from the names of the files."""

    reading: str
    """Value of `automl.labelling.places.Reading`."""

    words: str
    """The same in one sentence for people."""

    column: str = ""
    """The column of the table that is chosen by it; empty for the one that was found."""


class LayoutSummary(ReadingSummary):
    """The way in which the classes were read."""

    others: tuple[ReadingSummary, ...] = ()
    """Other ways that give at least two classes, the likeliest first."""

    joined: tuple[str, ...] = ()
    """A sentence for each class name that was joined with another spelling of it."""


class SizesSummary(StoredRecord):
    """Width and height in pixels of three photos, by their area."""

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]


class ClassSplit(StoredRecord):
    """Where the photos of one class go."""

    label: str
    """Name of the class."""

    learn: int = 0
    """Photos that training and validation share."""

    test: int = 0
    """Photos that are kept for the final test."""

    left_out: int = 0
    """Photos that are not used: copies of test photos, and frames between two blocks of a clip."""


class SplitSummary(StoredRecord):
    """Where the photos go with the usual seed; another seed picks other photos, but as many."""

    classes: tuple[ClassSplit, ...] = ()
    """The classes, by name; empty where no split is possible."""

    n_learn: int = 0
    """Photos that training and validation share."""

    n_test: int = 0
    """Photos that are kept for the final test."""

    n_left_out: int = 0
    """Photos that are not used: copies of test photos, and frames between two blocks of a clip."""

    n_folds: int = 0
    """Folds of the cross-validation; 1 where the models are compared on one fixed part."""

    tests_every_photo: bool = False
    """Whether every photo teaches, and is tested by a model that has not seen it, so that no test set is needed."""

    notes: tuple[str, ...] = ()
    """Sentences for people about the split."""


class FixSummary(StoredRecord):
    """An edit that one click makes, without what it would change: that is found anew when it is wanted."""

    title: str
    """What the button says."""

    done: str
    """What the list of changes says afterwards."""

    kind: str
    """Value of `automl.datasets.edits.EditKind`."""

    values: Mapping[str, JsonValue] = Field(default_factory=dict)
    """Always empty: a fix may name thousands of files."""


class FindingSummary(StoredRecord):
    """Something that is worth knowing about the data set; see `automl.datasets.findings.finding.Finding`."""

    kind: str
    """Which check of the doctor has found it, such as "duplicates"."""

    title: str
    """What was found."""

    consequence: str
    """What it means for the result, in a sentence or two."""

    severity: Severity
    """How much harm is done if nothing is done."""

    groups: tuple[tuple[int, ...], ...] = ()
    """Ids of the first files, those of a group to be seen together."""

    fix: FixSummary | None = None
    """What a click can do about it."""

    keep: FixSummary | None = None
    """What another click says: that nothing is wrong. Its key is that of the finding with `-keep` behind it."""

    n_groups: int = 0
    """All groups, also those that are not listed."""

    n_photos: int = 0
    """All photos, also those that are not listed."""

    key: str
    """Distinguishes findings of one kind, as long as they say the same."""


class DatasetSummary(StoredRecord):
    """What the last check of a data set found. Before the first check everything is empty.

    Only fields that were set are written to JSON.
    """

    n_images: int = 0
    """Photos that are used."""

    n_refused: int = 0
    """Files that cannot be used."""

    n_excluded: int = 0
    """Photos that the user has left out."""

    n_unlabelled: int = 0
    """Those of the refused photos that lack nothing but a class. The model of a run can tell what they show."""

    n_duplicates: int = 0
    """Photos in use that are exact copies of another one."""

    classes: tuple[ClassSummary, ...] = ()
    """The classes, by name."""

    refused: tuple[RefusedFile, ...] = ()
    """The first files that cannot be used."""

    verdict: str = ""
    """One sentence about the whole: what there is, or why nothing can be trained from it."""

    notes: tuple[str, ...] = ()
    """More sentences for people."""

    fingerprint: str = ""
    """SHA-256 over contents, labels and parts of the photos in use."""

    layout: LayoutSummary | None = None
    """How the classes were read."""

    sizes: SizesSummary | None = None
    """None where there is no photo."""

    samples: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    """Ids of some photos of each class; empty for very many classes."""

    findings: tuple[FindingSummary, ...] = ()
    """The worst first."""

    split: SplitSummary | None = None
    """None where nothing can be trained."""

    version: int | None = None
    """Number of the data set's version; None where nothing can be trained."""

    read_photo_s: float | None = Field(default=None, alias="look_s")
    """Seconds that this machine took to read one photo, all cores at work; None where that was not measured."""


SPEED_KEY = "look_s"
"""Where `DatasetSummary.read_photo_s` stands in the JSON, for queries of the database."""


def keep_key(key: str) -> str:
    """The key of the answer that nothing is wrong, made from that of the finding."""
    return f"{key}-keep"


def finding_key(kind: str, title: str) -> str:
    """The key of a finding of this kind that says this."""
    return f"{kind}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"


def read_summary(values: Mapping[str, JsonValue]) -> DatasetSummary:
    """A summary from its JSON, of this version of Darkroom or of an older one.

    What older versions did not write keeps its default. Their findings had no key.

    Raises:
        pydantic.ValidationError: this is no summary.
    """
    findings = values.get("findings")
    if isinstance(findings, list):
        values = {**values, "findings": [_with_key(finding) for finding in findings]}
    return DatasetSummary.model_validate(values)


def _with_key(finding: JsonValue) -> JsonValue:
    if not isinstance(finding, dict) or "key" in finding:
        return finding
    return {**finding, "key": finding_key(str(finding.get("kind")), str(finding.get("title")))}
