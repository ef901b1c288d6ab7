"""What sorted photos have brought, told by the run after."""

from datetime import timedelta

import pytest

from automl.store.tables import DatasetVersion, Run, now
from server.views.gained import gain_of
from tests.server.answered import add_answered, add_photos

ROWS = [(f"{i:02}", "rose" if i % 2 else "tulip", "rose" if i % 2 else "tulip", 0.9) for i in range(40)]
WRONG = [(sha, label, "tulip" if label == "rose" else "rose", share) for sha, label, _, share in ROWS]


@pytest.fixture
def dataset_id(world):
    return add_photos(world, **{f"{i:02}": "rose" if i % 2 else "tulip" for i in range(40)})


def add_run(world, dataset_id, number, rows, n_sorted=0, days_ago=0):
    """A run of a version with so many sorted photos, of which one was not looked at."""
    with world.database.session() as session:
        version = DatasetVersion(
            dataset_id=dataset_id,
            number=number,
            fingerprint=str(number),
            key="k",
            n_images=40,
            n_classes=2,
            n_confirmed=max(0, n_sorted - 1),
            n_unseen=min(1, n_sorted),
        )
        session.add(version)
        session.flush()
    created_at = now() - timedelta(days=days_ago)
    return add_answered(world, dataset_id, rows, version_id=version.id, created_at=created_at)


def gain(world, run_id):
    with world.database.session() as session:
        found = gain_of(session, world.store, session.get_one(Run, run_id))
        return None if found is None else (found.former.id, found.words)


def test_it_compares_with_the_run_before_on_what_both_were_asked(world, dataset_id):
    before = add_run(world, dataset_id, 1, WRONG[:20] + ROWS[20:], days_ago=2)
    after = add_run(world, dataset_id, 2, WRONG[:8] + ROWS[8:38], n_sorted=12)
    assert gain(world, before) is None
    former, words = gain(world, after)
    assert former == before
    assert words.startswith(
        "Since the run before, 12 photos that a model had sorted were added. On the 38 photos that both have been "
        "asked, this run is right on 78.9 % and the one before on 47.4 %: 31.6 points more. On many more photos like "
        "these, it would be "
    )
    assert "luck" not in words


def test_a_small_difference_may_be_luck_and_a_loss_is_told_too(world, dataset_id):
    add_run(world, dataset_id, 1, ROWS, days_ago=2)
    after = add_run(world, dataset_id, 2, WRONG[:1] + ROWS[1:], n_sorted=1)
    _, words = gain(world, after)
    assert "1 photo that a model had sorted was added" in words
    assert "2.5 points less" in words
    assert words.endswith("So the difference may be luck.")


def test_only_what_came_since_the_run_before_counts(world, dataset_id):
    add_run(world, dataset_id, 1, ROWS, n_sorted=3, days_ago=2)
    assert gain(world, add_run(world, dataset_id, 2, ROWS, n_sorted=3, days_ago=1)) is None
    _, words = gain(world, add_run(world, dataset_id, 3, ROWS, n_sorted=5))
    assert words.startswith("Since the run before, 2 photos")
    assert "both runs are right on 100.0 %" in words


def test_where_no_photo_is_shared_nothing_is_claimed(world, dataset_id):
    add_run(world, dataset_id, 1, ROWS[:20], days_ago=2)
    _, words = gain(world, add_run(world, dataset_id, 2, ROWS[20:], n_sorted=5))
    assert words.endswith("The two runs have no tested photo in common, so what that has brought cannot be said.")


def test_the_result_page_says_it(world, client, dataset_id):
    before = add_run(world, dataset_id, 1, WRONG, days_ago=2)
    after = add_run(world, dataset_id, 2, ROWS, n_sorted=5)
    text = client.get(f"/runs/{after}").text
    assert "What the sorted photos have brought" in text
    assert f"run={before}&amp;run={after}" in text
    assert 'id="gained"' not in client.get(f"/runs/{before}").text
    assert "4 of them were sorted by a model, then confirmed by a person." in client.get(f"/runs/{after}/details").text
