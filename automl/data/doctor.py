"""The doctor: looks over the photos of a data set and says what is wrong, what it means, and what a click can do."""

from collections.abc import Sequence

from automl.data.class_findings import gray_mixed, joined, spellings, tiny_classes, unbalanced
from automl.data.copy_findings import duplicates, in_test_too, near_copies, near_two_labels, two_labels
from automl.data.finding import Finding, Fix, Photo, Photos, Refused, Severity, grouped
from automl.data.photo_findings import blank, elongated, refused_files, small, wrong_extension

__all__ = ["Finding", "Fix", "Photo", "Refused", "Severity", "examine"]

_ORDER = list(Severity)


def examine(photos: Photos, refused: Sequence[Refused], joined_labels: Sequence[str] = ()) -> list[Finding]:
    """What is worth knowing about a data set, the worst first, then the most frequent.

    `joined_labels`: a sentence for each class name that was joined with another spelling of it.
    """
    by_content = grouped(photos, lambda photo: photo.sha256)
    by_look = grouped(photos, lambda photo: photo.near)
    in_two = {photo.sha256 for group in by_content if _n_labels(group) > 1 for photo in group}
    clear_by_look = grouped([photo for photo in photos if photo.sha256 not in in_two], lambda photo: photo.near)
    findings = [
        *refused_files(refused),
        *two_labels([group for group in by_content if group[0].sha256 in in_two]),
        *near_two_labels([group for group in clear_by_look if _n_labels(group) > 1]),
        *in_test_too(by_content, by_look),
        *duplicates([group for group in by_content if len(group) > 1 and group[0].sha256 not in in_two]),
        *near_copies([group for group in clear_by_look if _n_labels(group) == 1 and _n_contents(group) > 1]),
        *small(photos),
        *blank(photos),
        *elongated(photos),
        *wrong_extension(photos),
        *tiny_classes(photos),
        *unbalanced(photos),
        *gray_mixed(photos),
        *spellings(photos),
        *joined(joined_labels),
    ]
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), -finding.n_photos))


def _n_labels(group: Photos) -> int:
    return len({photo.label for photo in group})


def _n_contents(group: Photos) -> int:
    return len({photo.sha256 for photo in group})
