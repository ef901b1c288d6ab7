"""Work that is done ahead comes in order, is bounded, and ends with whoever uses it."""

import threading
from collections.abc import Iterator

import pytest

from automl.models.ahead import made_ahead


def test_items_come_in_order_and_their_error_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise KeyError("sixth")

    taken = []
    with pytest.raises(KeyError, match="sixth"):
        for item in made_ahead(items(), 2):
            taken.append(item)
    assert taken == list(range(5))
    assert list(made_ahead(iter([]), 2)) == []


def test_no_more_is_made_than_was_asked_for_and_closing_ends_the_thread() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = made_ahead(items(), 2)
    assert next(ahead) == 0
    ahead.close()
    assert len(made) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name == "made-ahead"]
