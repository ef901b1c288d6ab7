"""What was measured about the machine is measured once."""

from pathlib import Path

import pytest

from automl.models.measured import keep_figure, keep_quickest, kept_figures, kept_quickest, measured


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


def test_the_quickest_time_stays_and_rises_slowly_where_the_machine_has_become_slower(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    assert kept_quickest("work", file) is None
    for seconds, expected in [(8.0, 8.0), (2.0, 2.0), (9.0, 2.1), (2.05, 2.05)]:
        keep_quickest("work", seconds, file)
        assert kept_quickest("work", file) == pytest.approx(expected)
    for _ in range(40):
        keep_quickest("work", 6.0, file)
    assert kept_quickest("work", file) == pytest.approx(6.0)


def test_the_figures_of_the_last_runs_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    assert kept_figures("share", file) == ()
    for figure in range(7):
        keep_figure("share", float(figure), file)
    assert kept_figures("share", file) == (2.0, 3.0, 4.0, 5.0, 6.0)
