import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from automl.errors import BadSetting
from automl.settings import SETTINGS, Setting, load_settings


def test_the_defaults_need_no_environment() -> None:
    settings = load_settings({})
    assert settings.host == "127.0.0.1"
    assert settings.database_url == f"sqlite:///{settings.home}/darkroom.sqlite3"
    assert settings.broker_url == f"redis+socket://{settings.redis_socket}"


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_every_setting_is_read_from_its_variable(row: Setting) -> None:
    text = "True" if isinstance(row.default, bool) else "7" if isinstance(row.default, int) else "/somewhere"
    text = "viewer" if row.unit == "role" else text
    assert str(getattr(load_settings({row.variable: text}), row.name)) == text


def test_a_switch_or_a_role_that_is_none_is_explained() -> None:
    with pytest.raises(BadSetting, match="DARKROOM_OPENID_TRUSTS_ADDRESSES must be yes or no, not 'perhaps'"):
        load_settings({"DARKROOM_OPENID_TRUSTS_ADDRESSES": "perhaps"})
    with pytest.raises(BadSetting, match="DARKROOM_OPENID_ROLE must be 'member' or 'viewer', not 'king'"):
        load_settings({"DARKROOM_OPENID_ROLE": "king"})


NUMBERS = [row for row in SETTINGS if isinstance(row.default, int) and not isinstance(row.default, bool)]


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.name)
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


def test_every_setting_says_what_it_is() -> None:
    for row in SETTINGS:
        assert row.unit and row.help.endswith(".") and "\n" not in row.help


def test_settings_do_not_change_and_have_no_other_fields() -> None:
    settings = load_settings({})
    with pytest.raises(ValidationError):
        settings.port = 3
    assert settings.model_copy(update={"port": 3}).port == 3
    with pytest.raises(ValidationError):
        type(settings)(ports=3)


def test_the_environment_of_the_process_is_read_by_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "7")
    assert load_settings({}).port == 8000
    assert load_settings().port == 7
