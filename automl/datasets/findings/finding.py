"""A finding of the doctor: something that is worth knowing about a data set, and what a click can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from automl.datasets.edits import Edit, ExcludeFiles
from automl.datasets.findings.examined_dataset import Photos
from automl.records import FindingSummary, FixSummary, Severity
from automl.records.dataset_summary import finding_key, keep_key
from automl.text.one_or_many import OneOrMany

MAX_GROUPS_IN_SUMMARY = 60
MAX_FILES_IN_SUMMARY = 12
"""Of each group."""

Groups = tuple[tuple[int, ...], ...]
"""Ids of files, those together that are to be seen together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """An edit that one click makes.

    Attributes:
        title: What the button says.
        edit: The edit; its own title stands in the list of what can be undone.
        done: What that title is made of, where it says how many photos were left out; else None.
    """

    title: str
    edit: Edit
    done: OneOrMany | None = None

    def of_files(self, files: tuple[int, ...]) -> "Fix":
        """The same for fewer photos, which its title then counts."""
        title = self.edit.title if self.done is None else self.done.format(n=len(files))
        return replace(self, edit=ExcludeFiles(files=files, title=title))

    def summary(self) -> FixSummary:
        return FixSummary(title=self.title, done=self.edit.title, kind=self.edit.kind, values={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is worth knowing about a data set.

    Attributes:
        kind: Which check has found it, such as "duplicates".
        title: What was found.
        consequence: What it means for the result, in a sentence or two.
        severity: How much harm is done if nothing is done.
        groups: The photos that it is about, those together that are to be seen together, such as copies of one picture.
        fix: What a click can do about it; None where nothing can be done, or nothing should be.
        keep: What another click says: that nothing is wrong. None where the user is not asked.
    """

    kind: str
    title: str
    consequence: str
    severity: Severity
    groups: Groups = ()
    fix: Fix | None = None
    keep: Fix | None = None

    @property
    def n_photos(self) -> int:
        return sum(map(len, self.groups))

    @property
    def key(self) -> str:
        """Distinguishes it from other findings of its kind, as long as it says the same."""
        return finding_key(self.kind, self.title)

    def chosen(self, key: str) -> Fix | None:
        """What the finding does where a click names it by this key, None where it is not meant."""
        if key == keep_key(self.key):
            return self.keep
        return self.fix if key in (self.key, self.kind) else None

    def summary(self) -> FindingSummary:
        """What pages show: the first groups only, and a fix without what it would change."""
        shown = tuple(group[:MAX_FILES_IN_SUMMARY] for group in self.groups[:MAX_GROUPS_IN_SUMMARY])
        return FindingSummary(
            kind=self.kind,
            title=self.title,
            consequence=self.consequence,
            severity=self.severity,
            groups=shown,
            fix=self.fix.summary() if self.fix else None,
            keep=self.keep.summary() if self.keep else None,
            n_groups=len(self.groups),
            n_photos=self.n_photos,
            key=self.key,
        )


def ids(photos: Photos) -> tuple[int, ...]:
    return tuple(photo.file_id for photo in photos)


def all_ids(groups: Sequence[Photos]) -> Groups:
    """The largest groups first: where only some can be shown, these are worth the most."""
    return tuple(ids(group) for group in sorted(groups, key=len, reverse=True))


def singles(photos: Photos) -> Groups:
    """A group for each photo."""
    return tuple((photo.file_id,) for photo in photos)


def leave_out(title: str, photos: Photos, *, done: OneOrMany) -> Fix:
    """A fix that leaves photos out. `done`: what is said of it afterwards."""
    return Fix(title=title, edit=ExcludeFiles(files=ids(photos), title=done.format(n=len(photos))), done=done)
