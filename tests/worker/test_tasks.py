from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from automl.errors import BadUpload
from automl.records import DatasetState, RunState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, Dataset, Run, find_dataset
from worker import tasks
from worker.tasks import Parts

AddDataset = Callable[..., str]
AddRun = Callable[..., str]


class SentMessages:
    """Stands in for `messages.Messages` and keeps what is sent."""

    sent: list[tuple[object, ...]] = []

    def __init__(self, _app: object) -> None: ...

    def train(self, run_id: str) -> None:
        self.sent.append(("train", run_id))

    def check_dataset(self, dataset_id: str, attempt: int) -> None:
        self.sent.append(("check_dataset", dataset_id, attempt))


@pytest.fixture(autouse=True)
def own_parts(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    own = Parts(settings, database, ArtifactStore(settings.files_dir))
    monkeypatch.setattr(tasks, "parts", lambda: own)
    monkeypatch.setattr(tasks, "Messages", SentMessages)
    monkeypatch.setattr(SentMessages, "sent", [])
    yield own


@pytest.fixture
def load_dataset(database: Database) -> Callable[[str], Dataset]:
    def load(dataset_id: str) -> Dataset:
        with database.session() as session:
            return find_dataset(session, dataset_id)

    return load


def break_check(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def check(*_: object) -> None:
        raise error

    monkeypatch.setattr(tasks, "check", check)


def test_a_check_that_breaks_leaves_a_message_and_no_secrets(
    add_dataset: AddDataset, load_dataset: Callable[[str], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)
    break_check(monkeypatch, RuntimeError("password=hunter2"))
    with pytest.raises(RuntimeError):
        tasks.check_dataset(dataset_id)
    dataset = load_dataset(dataset_id)
    assert dataset.state is DatasetState.INVALID
    assert "hunter2" not in dataset.message
    assert "try again" in dataset.message


def test_a_data_set_that_is_checked_already_is_left_alone(
    add_dataset: AddDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_check(monkeypatch, RuntimeError("it was checked again"))
    tasks.check_dataset(add_dataset(DatasetState.READY))


def test_an_error_with_words_for_people_is_shown_as_it_is(
    add_dataset: AddDataset, load_dataset: Callable[[str], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)
    break_check(monkeypatch, BadUpload("The archive is damaged."))
    with pytest.raises(BadUpload):
        tasks.check_dataset(dataset_id)
    assert load_dataset(dataset_id).message == "The archive is damaged."


@pytest.fixture
def redelivered() -> Iterator[None]:
    """The next call is of a message whose first worker process died."""
    tasks.check_dataset.push_request(delivery_info={"redelivered": True})
    yield
    tasks.check_dataset.pop_request()


def test_a_check_whose_process_died_is_tried_again_with_a_count(add_dataset: AddDataset, redelivered: None) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)
    tasks.check_dataset.run(dataset_id, 1)
    assert SentMessages.sent == [("check_dataset", dataset_id, 2)]


def test_a_check_that_kills_its_process_each_time_is_given_up(
    add_dataset: AddDataset, load_dataset: Callable[[str], Dataset], redelivered: None
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)
    tasks.check_dataset.run(dataset_id, tasks.MAX_CHECKS)
    assert load_dataset(dataset_id).state is DatasetState.INVALID
    assert "three times" in load_dataset(dataset_id).message
    assert SentMessages.sent == []


def test_a_check_that_was_done_before_its_process_died_is_kept(
    add_dataset: AddDataset, load_dataset: Callable[[str], Dataset], redelivered: None
) -> None:
    dataset_id = add_dataset(DatasetState.READY)
    tasks.check_dataset.run(dataset_id, tasks.MAX_CHECKS)
    assert load_dataset(dataset_id).state is DatasetState.READY


def test_sample_images_are_stored_checked_and_their_run_started(
    add_dataset: AddDataset, add_run: AddRun, load_dataset: Callable[[str], Dataset]
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING, n_files=0)
    run_id = add_run(dataset_id)
    tasks.make_samples(dataset_id, run_id)
    assert load_dataset(dataset_id).state is DatasetState.READY
    assert SentMessages.sent == [("train", run_id)]


def test_sample_images_made_twice_are_there_once(add_dataset: AddDataset, add_run: AddRun, database: Database) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING, n_files=0)
    run_id = add_run(dataset_id)
    n_files = []
    for _ in range(2):
        tasks.make_samples(dataset_id, run_id)
        with database.session() as session:
            n_files.append(len(find_dataset(session, dataset_id).files))
    assert n_files[0] == n_files[1] > 100


def test_samples_that_cannot_be_made_fail_their_run(
    add_dataset: AddDataset, add_run: AddRun, load_run: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = add_run(dataset_id := add_dataset(DatasetState.CHECKING, n_files=0))
    monkeypatch.setattr(tasks, "store_samples", lambda *_: SimpleNamespace().missing)
    with pytest.raises(AttributeError):
        tasks.make_samples(dataset_id, run_id)
    assert load_run(run_id).state is RunState.FAILED
