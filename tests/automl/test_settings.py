import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.errors import BadSetting
from automl.settings import SETTINGS, Setting, Settings, load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "settings.md"


def default_in_words(row: Setting) -> str:
    """The default as it reads on every machine."""
    if isinstance(row.default, int):
        return f"{row.default:,}" if row.default >= 10_000 else str(row.default)
    text = str(row.default).replace(str(REPOSITORY), "<repository>")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return text.replace(cache, "~/.cache") or "(empty)"


def documented_rows() -> list[list[str]]:
    lines = PAGE.read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `DARKROOM_")]


def test_the_documented_table_is_the_table_of_the_code() -> None:
    rows = [[f"`{row.variable}`", f"`{default_in_words(row)}`", row.unit, row.help] for row in SETTINGS]
    assert documented_rows() == rows


def test_every_row_has_a_field_and_every_field_a_row() -> None:
    assert [row.name for row in SETTINGS] == [field.name for field in dataclasses.fields(Settings)]


def test_the_defaults_need_no_environment() -> None:
    settings = load_settings({})
    assert settings.host == "127.0.0.1"
    assert settings.database_url == f"sqlite:///{settings.home}/darkroom.sqlite3"
    assert settings.broker_url == f"redis+socket://{settings.redis_socket}"


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_every_setting_is_read_from_its_variable(row: Setting) -> None:
    text = "7" if isinstance(row.default, int) else "/somewhere"
    assert str(getattr(load_settings({row.variable: text}), row.name)) == text


@pytest.mark.parametrize("row", [row for row in SETTINGS if isinstance(row.default, int)], ids=lambda row: row.name)
def test_a_number_that_is_none_is_explained(row: Setting) -> None:
    with pytest.raises(BadSetting, match=f"{row.variable} must be a number of {row.unit}, not 'many'"):
        load_settings({row.variable: "many"})


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"DARKROOM_PORT": ""}) == load_settings({})


def test_folders_become_absolute_and_know_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"DARKROOM_HOME": "here"}).home == tmp_path / "here"
    assert load_settings({"DARKROOM_HOME": "~"}).home == Path.home()


def test_the_files_of_a_home_lie_inside_it() -> None:
    settings = load_settings({"DARKROOM_HOME": "/h", "DARKROOM_CACHE_DIR": "/c"})
    assert {settings.files_dir.parent, settings.features_dir.parent} == {Path("/h")}
    assert settings.weights_dir == Path("/c/weights")


def test_reading_the_settings_touches_no_disk(tmp_path: Path) -> None:
    code = "from automl.settings import load_settings; load_settings()"
    environ = {**os.environ, "DARKROOM_HOME": str(tmp_path / "home"), "DARKROOM_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True)
    assert not list(tmp_path.iterdir())
