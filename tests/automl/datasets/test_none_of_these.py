import pytest

from automl.datasets.none_of_these import (
    NONE_OF_THESE,
    AnythingElse,
    anything_else,
    class_of_anything_else,
    is_none_of_these,
)

KNOWN = [NONE_OF_THESE, "Other", "OTHERS", "none_of_the_above", "background", "(unknown)", "Sonstiges", "u\u0308brige"]
KNOWN += ["Autres", "arrière-plan", "ninguno", "altro", "overig", "другое", "其他", "その他", "기타"]
KINDS = ["", "mother", "other dog", "nothingham", "negative", "normal", "healthy", "nuts", "0"]


@pytest.mark.parametrize("label", KNOWN)
def test_it_is_known_by_its_name_in_many_languages(label):
    assert is_none_of_these(label)


@pytest.mark.parametrize(
    "label", ["", "mother", "other dog", "nothingham", "negative", "normal", "healthy", "nuts", "0"]
)
def test_kinds_of_their_own_are_not_taken_for_it(label):
    assert not is_none_of_these(label)


def test_there_is_one_beside_kinds_or_none():
    assert class_of_anything_else(["cat", "dog", "other"]) == "other"
    assert class_of_anything_else(["cat", "dog"]) is None
    assert class_of_anything_else(["other"]) is None
    assert class_of_anything_else(["cat", "other", "background"]) is None


def test_what_is_taken_for_each_other_is_counted_apart_from_the_kinds_among_themselves():
    confusion = [[8, 1, 1], [2, 5, 0], [3, 0, 7]]
    found = anything_else(["cat", "other", "dog"], confusion)
    assert found == AnythingElse(label="other", n_else=7, n_taken=2, n_kinds=20, n_missed=1)
    assert anything_else(["cat", "dog", "bird"], confusion) is None
