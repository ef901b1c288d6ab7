"""What was measured about the machine is measured once."""

from pathlib import Path

import pytest

from automl.models.measured import measured


def test_an_answer_is_kept_for_the_next_process(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "measured.json"
    assert measured("a", lambda: "fast", file) == "fast"
    assert measured("b", lambda: "", file) == ""
    assert measured("a", lambda: pytest.fail("measured again"), file) == "fast"


@pytest.mark.parametrize("content", ["", "[]", '{"format": 0, "answers": {"a": "old"}}'])
def test_a_file_that_says_nothing_is_replaced(tmp_path: Path, content: str) -> None:
    file = tmp_path / "measured.json"
    file.write_text(content)
    assert [measured("a", lambda: "new", file) for _ in range(2)] == ["new", "new"]
    assert "new" in file.read_text()


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert measured("a", lambda: "slow", tmp_path / "file" / "measured.json")
