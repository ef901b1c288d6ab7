"""The table of the doctor's checks."""

import pytest

from automl.datasets.findings import registry
from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.findings.finding import Finding
from automl.datasets.findings.registry import Subject, all_checks


def test_every_marked_function_of_the_package_is_a_check_in_the_order_of_subjects() -> None:
    names = [check.__name__ for check in all_checks()]
    assert names[0] == "unusable_files"
    assert names.index("two_labels") < names.index("small") < names.index("tiny_classes")


def test_a_function_that_is_marked_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_ENTRIES", [])

    def nothing(dataset: ExaminedDataset) -> list[Finding]:
        return []

    assert registry.doctor_check(Subject.PHOTOS)(nothing) is nothing
