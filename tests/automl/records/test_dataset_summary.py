"""The summary of a data set, as JSON and back."""

import json

import pytest
from pydantic import ValidationError

from automl.records import ClassSummary, DatasetSummary, Severity
from automl.records.dataset_summary import SPEED_KEY, finding_key, read_summary

OF_AN_OLDER_VERSION = {
    "n_images": 4,
    "verdict": "4 photos, 2 classes, ready",
    "classes": [{"label": "rose", "n_images": 4, "train": 0, "validation": 0, "test": 0, "unassigned": 4}],
    "refused": [{"name": "a.txt", "reason": "It is no picture."}],
    "findings": [{"kind": "small", "title": "1 photo", "consequence": "Bad.", "severity": "warning", "groups": [[1]]}],
    "something_else": 1,
}


def test_a_summary_comes_back_from_its_json_as_it_was() -> None:
    summary = DatasetSummary(n_images=4, classes=(ClassSummary(label="rose", n_images=4),), read_photo_s=0.25)
    written = summary.model_dump(mode="json", exclude_unset=True)
    assert written == {"n_images": 4, "classes": [{"label": "rose", "n_images": 4}], SPEED_KEY: 0.25}
    assert read_summary(json.loads(json.dumps(written))) == summary


def test_before_the_first_check_a_summary_is_empty() -> None:
    assert read_summary({}) == DatasetSummary()
    assert DatasetSummary().model_dump(exclude_unset=True) == {}


def test_what_an_older_version_wrote_is_read_with_what_it_did_not_know_at_its_default() -> None:
    summary = read_summary(OF_AN_OLDER_VERSION)
    assert (summary.verdict, summary.n_excluded, summary.layout, summary.version) == (
        "4 photos, 2 classes, ready",
        0,
        None,
        None,
    )
    assert (summary.classes[0].unassigned, summary.refused[0].name) == (4, "a.txt")


def test_findings_of_an_older_version_get_their_key() -> None:
    (finding,) = read_summary(OF_AN_OLDER_VERSION).findings
    assert (finding.key, finding.severity) == (finding_key("small", "1 photo"), Severity.WARNING)
    assert finding.groups == ((1,),)


def test_what_is_no_summary_is_refused() -> None:
    with pytest.raises(ValidationError):
        read_summary({"classes": 3})


def test_a_summary_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        DatasetSummary().n_images = 3  # type: ignore[misc]
