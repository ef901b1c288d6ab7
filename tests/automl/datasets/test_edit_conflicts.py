import pytest

from automl.datasets.edit_conflicts import contradict
from automl.datasets.edits import read_edit


def edit(kind, **values):
    return read_edit(kind, {name.rstrip("_"): value for name, value in values.items()})


ROSE_TO_ROSES = edit("rename", from_="rose", to="roses")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (edit("move", files=[1, 2], to="rose"), edit("move", files=[2], to="tulip")),
        (edit("move", files=[1], to="rose"), edit("exclude", files=[1])),
        (edit("exclude", files=[1]), edit("move", files=[1], to="rose")),
        (edit("exclude", files=[1]), edit("include", files=[1])),
        (edit("confirm", files=[1]), edit("move", files=[1], to="rose")),
        (edit("part", files=[1], to="test"), edit("part", files=[1], to="train")),
        (edit("move", files=[1], to="rose"), ROSE_TO_ROSES),
        (edit("rename", from_="rose", to="Rose"), ROSE_TO_ROSES),
        (edit("rename", from_="tulip", to="rose"), ROSE_TO_ROSES),
        (edit("labels", trust=True), edit("labels", trust=False)),
        (edit("clips", keep=True), edit("clips", keep=False)),
        (edit("move", files=[1], to="rose"), edit("spellings", join=True)),
        (edit("layout", reading="folders"), edit("exclude", files=[1])),
    ],
)
def test_what_would_undo_what_somebody_else_has_just_said_contradicts_it(mine, theirs):
    assert contradict(mine, theirs)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (edit("move", files=[1], to="rose"), edit("move", files=[2], to="tulip")),
        (edit("move", files=[1, 2], to="rose"), edit("move", files=[2, 3], to="rose")),
        (edit("exclude", files=[1]), edit("exclude", files=[1])),
        (edit("part", files=[1], to="test"), edit("move", files=[1], to="rose")),
        (edit("rename", from_="tulip", to="tulips"), ROSE_TO_ROSES),
        (ROSE_TO_ROSES, ROSE_TO_ROSES),
        (ROSE_TO_ROSES, edit("move", files=[1], to="rose")),
        (edit("exclude", files=[1]), ROSE_TO_ROSES),
        (edit("labels", trust=True), edit("labels", trust=True)),
        (edit("labels", trust=True), edit("clips", keep=False)),
        (edit("labels", trust=True), edit("exclude", files=[1])),
    ],
)
def test_what_has_nothing_to_do_with_each_other_or_says_the_same_does_not(mine, theirs):
    assert not contradict(mine, theirs)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (edit("exclude", files=[1]), edit("exclude", files=[1])),
        (ROSE_TO_ROSES, edit("move", files=[1], to="roses")),
        (ROSE_TO_ROSES, ROSE_TO_ROSES),
        (edit("layout", reading="folders"), edit("layout", reading="folders")),
        (edit("labels", trust=True), edit("labels", trust=True)),
    ],
)
def test_saying_the_same_is_no_agreement_where_one_of_them_takes_it_back(mine, theirs):
    assert contradict(mine, theirs, is_undone=True)
