"""Warnings reach the owner, and what was warned of goes into the bin."""

from datetime import timedelta

import pytest

from automl.records import DatasetState
from automl.settings import load_settings
from automl.store.database import Database, known_dataset
from automl.store.tables import Account, Dataset, now
from worker import retention
from worker.retention import clear_unused


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(
        retention, "try_to_email", lambda _settings, address, _subject, text: sent.append((address, text))
    )
    return sent


def test_one_letter_to_each_owner_and_then_the_bin(database: Database, letters: list[tuple[str, str]]) -> None:
    settings = load_settings({"DARKROOM_RETENTION_DAYS": "60", "DARKROOM_PUBLIC_URL": "https://photos.example.org"})
    long_ago = now() - timedelta(days=100)
    with database.session() as session:
        session.add_all(
            [
                Account(id="ann", email="ann@example.org"),
                Account(id="bob", email="bob@example.org", disabled_at=long_ago),
            ]
        )
        session.flush()
        for name, owner_id in (("roses", "ann"), ("tulips", "ann"), ("weeds", "bob"), ("of nobody", None)):
            ready = DatasetState.READY
            session.add(Dataset(id=name, name=name, owner_id=owner_id, state=ready, created_at=long_ago))
    clear_unused(database, settings)
    ((address, text),) = letters
    assert address == "ann@example.org"
    assert "roses\ntulips\n" in text
    assert "in 14 days" in text
    assert "https://photos.example.org" in text
    clear_unused(database, settings)
    assert len(letters) == 1
    with database.session() as session:
        known_dataset(session, "roses").warned_at = now() - timedelta(days=15)
    clear_unused(database, settings)
    with database.session() as session:
        assert known_dataset(session, "roses").deleted_at is not None
        assert known_dataset(session, "tulips").deleted_at is None
