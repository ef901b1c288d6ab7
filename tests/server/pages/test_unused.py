"""What the pages say of photos that nobody uses."""

from datetime import timedelta

from automl.records import DatasetState
from automl.store.retention import WARNING_DAYS
from automl.store.tables import now


def words(answer) -> str:
    return " ".join(answer.text.split())


def test_every_list_and_the_page_say_what_will_happen_and_one_click_keeps_it(client, world):
    dataset_id = world.add_dataset(warned_at=now() - timedelta(days=WARNING_DAYS - 3), name="old roses")
    assert "One of your data sets has not been used for a long time" in words(client.get("/"))
    assert "Moves to the bin" in words(client.get("/datasets"))
    page = words(client.get(f"/datasets/{dataset_id}"))
    assert "Do you still need these photos?" in page
    assert "in 3 days</time>" in page
    kept = client.post(f"/datasets/{dataset_id}/keep", follow_redirects=True)
    assert "Do you still need" not in kept.text
    assert world.dataset(dataset_id).warned_at is None
    assert "bin</a>" not in client.get("/").text


def test_where_all_is_used_nothing_is_said(client, world):
    dataset_id = world.add_dataset(DatasetState.READY)
    assert "unused-soon" not in client.get("/").text
    assert 'id="unused"' not in client.get(f"/datasets/{dataset_id}").text
