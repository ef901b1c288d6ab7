import pytest

from automl.labelling.places import Place
from automl.labelling.reading import Reading, read_layout


def found(*names: str) -> set[tuple[str, str]]:
    places = read_layout(names, reading=Reading.NAMES).places
    return {(place.label, place.group) for place in places if isinstance(place, Place)}


def names(form: str, subjects: str, labels: str, n: int = 3) -> list[str]:
    return [
        form.format(subject=subject, label=label, i=i)
        for subject in subjects.split()
        for label in labels.split()
        for i in range(n)
    ]


@pytest.mark.parametrize(
    "form", ["{subject}_{label}_{i}.jpg", "{label}-{subject}-{i}.jpg", "{i}_{subject}_{label}.jpg"]
)
def test_a_subject_is_the_group_and_not_the_class(form: str) -> None:
    expected = {(label, subject) for label in ("happy", "sad") for subject in ("s01", "s02", "s03")}
    assert found(*names(form, "s01 s02 s03", "happy sad")) == expected


def test_what_counts_the_photos_of_each_class_is_no_subject() -> None:
    assert found(*names("{label}_{subject}.jpg", "n1 n2 n3 n4", "cat dog", 1)) == {("cat", ""), ("dog", "")}


@pytest.mark.parametrize("subjects", ["t1 t2", "potato tomato", "b737 b747 b777"])
def test_words_that_name_no_subject_belong_to_the_class(subjects: str) -> None:
    labels = "ok" if subjects.startswith("b7") else "ok sick"
    expected = {(f"{subject}_{label}", "") for subject in subjects.split() for label in labels.split()}
    assert found(*names("{subject}_{label}_{i}.jpg", subjects, labels)) == expected
