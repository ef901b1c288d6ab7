"""The home folder, which other users of the machine must not open."""

import os
from pathlib import Path

import pytest

from automl.cli.doctor import of_home
from scripts.stack.home import CannotStart, locked


def test_a_new_home_is_its_owners_alone(tmp_path: Path) -> None:
    with locked(tmp_path / "new" / "home"):
        assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o777])
def test_one_that_others_can_open_is_closed_and_that_is_said_once(
    tmp_path: Path, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    assert not of_home(home).is_met
    for _ in range(2):
        with locked(home):
            assert home.stat().st_mode & 0o777 == 0o700
    assert capsys.readouterr().err == f"Other users of this machine could open {home}; now only you can.\n"
    assert of_home(home).is_met


def test_one_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    with pytest.raises(CannotStart, match="belongs to another user"), locked(tmp_path):
        pass
