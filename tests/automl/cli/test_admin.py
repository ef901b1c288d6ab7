"""`automl admin`: accounts from the command line."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from automl.cli import admin, parser
from automl.errors import BadSetting, NotAllowedNow
from automl.records import Role
from automl.settings import Settings, load_settings
from automl.store.accounts import account_of, find_by_email
from automl.store.audit import events_before
from automl.store.database import Database
from automl.store.one_time_links import find_link

PASSWORD = "four words in a row"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_PUBLIC_URL": "https://photos.example.org/"})


def run(settings: Settings, *arguments: str) -> str:
    said = io.StringIO()
    options = parser().parse_args(["admin", *arguments])
    assert admin.run(options, settings, Console(file=said, width=200)) == 0
    return said.getvalue()


def create(settings: Settings, tmp_path: Path, email: str = "ann@example.org", *more: str) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return run(settings, "create", "--email", email, "--password-file", str(file), *more)


def test_an_account_is_made_and_listed(settings: Settings, tmp_path: Path):
    assert "ann@example.org can sign in now (administrator)" in create(settings, tmp_path)
    create(settings, tmp_path, "vic@example.org", "--role", "viewer", "--name", "Vic")
    table = run(settings, "list")
    assert re.search(r"vic@example.org\s+│ Vic\s+│ viewer\s+│ active", table)
    database = Database(settings.database_url)
    assert account_of(database, "ann@example.org", PASSWORD).role is Role.ADMINISTRATOR
    database.close()


def test_a_setup_link_is_there_until_somebody_administers(settings: Settings, tmp_path: Path):
    first, second = (run(settings, "setup-link").split()[0] for _ in range(2))
    assert first.startswith("https://photos.example.org/once/")
    database = Database(settings.database_url)
    with database.session() as session:
        assert find_link(session, second.rpartition("/")[2]).account_id is None
    database.close()
    create(settings, tmp_path)
    with pytest.raises(NotAllowedNow, match="administrator already"):
        run(settings, "setup-link")


def test_disabling_enabling_and_another_password(settings: Settings, tmp_path: Path):
    create(settings, tmp_path)
    create(settings, tmp_path, "bob@example.org", "--role", "member")
    assert "signed out everywhere" in run(settings, "disable", "--email", "bob@example.org")
    assert "sign in again" in run(settings, "enable", "--email", "bob@example.org")
    assert "/once/" in run(settings, "reset-password", "--email", "bob@example.org")
    database = Database(settings.database_url)
    with database.session() as session:
        done = [(event.action, event.detail) for event in events_before(session)]
    database.close()
    assert done[0] == ("reset_link_made", "bob@example.org: member")
    assert [action for action, _ in done[1:]] == ["enabled", "disabled", "account_made", "account_made"]
    with pytest.raises(NotAllowedNow, match="last administrator"):
        run(settings, "disable", "--email", "ann@example.org")
    with pytest.raises(BadSetting, match="Nobody has the address"):
        run(settings, "reset-password", "--email", "eve@example.org")
    with pytest.raises(BadSetting, match="Say for which"):
        run(settings, "disable")


def test_the_password_may_be_typed_but_never_stands_in_the_command(settings: Settings, monkeypatch):
    typed = iter([PASSWORD, "another", PASSWORD, PASSWORD])
    monkeypatch.setattr(admin, "getpass", lambda _prompt: next(typed))
    with pytest.raises(BadSetting, match="not the same"):
        run(settings, "create", "--email", "ann@example.org")
    run(settings, "create", "--email", "ann@example.org")
    assert "--password " not in parser().format_help()
    database = Database(settings.database_url)
    with database.session() as session:
        assert find_by_email(session, "ann@example.org") is not None
    database.close()
