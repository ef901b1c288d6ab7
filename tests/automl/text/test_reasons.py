import pytest

from automl.text.messages import labelling, pixels, tables
from automl.text.one_or_many import OneOrMany
from automl.text.reasons import reason_of


@pytest.mark.parametrize(
    ("message", "values"),
    [
        (labelling.DIRECTLY_IN_PART, {"part": "my {test} (2)"}),
        (labelling.NO_PHOTO, {}),
        (tables.TWO_CLASSES, {"table": "a.csv", "first": "cat", "second": "dog"}),
        (pixels.TOO_MANY_PIXELS, {"max_pixels": 100_000_000}),
    ],
)
def test_the_reason_of_one_file_is_said_of_many_in_other_words(message: OneOrMany, values: dict[str, object]) -> None:
    one = message.format(n=1, **values)
    assert reason_of(one, 1) == one
    assert reason_of(one, 2) == message.format(n=2, **values) != one


def test_a_reason_without_other_words_stays() -> None:
    assert reason_of("Something is odd here.", 3) == "Something is odd here."
