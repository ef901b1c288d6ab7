"""The small model beside the delivered one, in the report."""

from dataclasses import replace

import numpy as np
import pytest

from automl.delivery.report.small_model import small_model_report
from automl.search.candidate import Candidate
from automl.search.stages.distillation import Distilled
from tests.automl.search.fakes import N_ROWS, TARGETS, V1, V2, candidate


def distilled(student: Candidate, direct: Candidate) -> Distilled:
    return Distilled(student=student, direct=direct, teacher=(V2, V1), teacher_score=0.95)


def report_of(student: Candidate, direct: Candidate, winner: Candidate):
    found = distilled(student, direct)
    return small_model_report(found, winner, labels=TARGETS.labels, clusters=np.arange(N_ROWS))


def test_it_is_compared_on_the_photos_that_both_have_answered() -> None:
    few = np.arange(20)
    found = report_of(candidate(3, 0.8), candidate(1, 0.75), candidate(2, 0.9, rows=few))
    assert found is not None
    assert (found.trial, found.n_images, found.accuracy) == (3, 20, 1.0)  # the first 32 of 40 are right
    assert found.beyond_winner == pytest.approx(0.1)
    assert found.beyond_winner_95[0] < found.beyond_winner < found.beyond_winner_95[1]
    assert found.direct_accuracy == 0.75 and found.beyond_direct == pytest.approx(0.05)
    assert found.teachers == (V2, V1) and not found.is_winner


def test_a_winner_that_has_it_as_a_part_says_so() -> None:
    student = candidate(3, 0.8)
    for winner in (student, replace(candidate(5, 0.85), parts=(1, 3))):
        found = report_of(student, candidate(1, 0.75), winner)
        assert found is not None and found.is_winner


def test_without_a_photo_in_common_there_is_nothing_to_compare() -> None:
    some, others = np.arange(20), np.arange(20, 40)
    assert report_of(candidate(3, 0.8, rows=some), candidate(1, 0.7), candidate(2, 0.9, rows=others)) is None
