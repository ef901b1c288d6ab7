import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.text.natural_order import in_natural_order


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1", "2", "9", "10", "11", "100"],
        ["-10", "-2", "0", "3"],
        ["0.25", "0.5", "1", "1.5", "10"],
        ["0.25 mm", "0.5 mm", "2 mm", "10 mm"],
        ["class 2", "class 10", "class 10 b", "classes"],
        ["02", "2", "03", "10"],
        ["2024.1.9", "2024.1.10", "2024.2.1"],
        ["1", "2", "ant", "bee", "玫瑰"],
        ["a1b2", "a1b10", "a2b1"],
        ["9" * 400, "ant"],
        ["٢", "١٠"],
        ["Cat", "ant", "cat"],
    ],
)
def test_names_come_as_people_sort_them(names: list[str]) -> None:
    mixed = names.copy()
    random.Random(1).shuffle(mixed)
    assert in_natural_order(mixed) == names


@given(st.sets(st.text(max_size=8)))
def test_the_order_does_not_depend_on_the_order_before(names: set[str]) -> None:
    assert in_natural_order(names) == in_natural_order(sorted(names, reverse=True))


@given(st.sets(st.text("abcdefXYZ _-", max_size=8)))
def test_names_without_numbers_come_by_their_letters(names: set[str]) -> None:
    assert in_natural_order(names) == sorted(names)
