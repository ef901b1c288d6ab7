from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from automl.errors import BadUpload
from automl.records import DatasetState, RunState
from automl.settings import Settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, find_dataset
from automl.store.events import RunEvents
from automl.store.exports import add_exports
from automl.store.tables import Dataset, Run
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

    def export(self, run_id: str) -> None:
        self.sent.append(("export", run_id))


@pytest.fixture(autouse=True)
def own_parts(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    own = Parts(
        settings=settings,
        database=database,
        store=ArtifactStore(settings.files_dir),
        events=RunEvents(settings.broker_url),
    )
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
    def check(*_: object, **__: object) -> None:
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


def test_a_check_that_breaks_after_it_was_cancelled_leaves_no_verdict(
    add_dataset: AddDataset, database: Database, load_dataset: Callable[[str], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = add_dataset(DatasetState.CHECKING)

    def check(*_: object, **__: object) -> None:
        with database.session() as session:
            find_dataset(session, dataset_id).state = DatasetState.UPLOADING
        raise RuntimeError

    monkeypatch.setattr(tasks, "check", check)
    with pytest.raises(RuntimeError):
        tasks.check_dataset(dataset_id)
    assert load_dataset(dataset_id).state is DatasetState.UPLOADING


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


@pytest.fixture
def delivering(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every supervised run is done at once, with formats to be made."""

    class Supervisor:
        def __init__(self, *_: object, **__: object) -> None: ...

        def supervise_next(self) -> str:
            with database.session() as session:
                (run,) = session.scalars(select(Run)).all()
                run.state = RunState.DONE
                add_exports(session, run.id)
                return run.id

    monkeypatch.setattr(tasks, "Supervisor", Supervisor)


def test_a_run_that_was_delivered_has_its_other_formats_made(run_id: str, delivering: None) -> None:
    tasks.train(run_id)
    assert SentMessages.sent[-1] == ("export", run_id)


def test_a_run_without_a_model_has_no_formats(run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "Supervisor", lambda *_, **__: SimpleNamespace(supervise_next=lambda: run_id))
    tasks.train(run_id)
    assert ("export", run_id) not in SentMessages.sent


def test_a_message_serves_the_run_whose_turn_it_is(run_id: str, delivering: None) -> None:
    tasks.train("the run of this message was cancelled")
    assert SentMessages.sent == [("export", run_id)]


def test_a_message_for_which_nobody_waits_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "Supervisor", lambda *_, **__: SimpleNamespace(supervise_next=lambda: None))
    tasks.train("a run that another worker has")
    assert SentMessages.sent == []


@pytest.mark.parametrize("more", [True, False])
def test_the_next_format_waits_behind_what_is_in_the_queue_by_then(
    run_id: str, monkeypatch: pytest.MonkeyPatch, more: bool
) -> None:
    made = []

    def make_next(run_id: str) -> bool:
        made.append(run_id)
        return more

    monkeypatch.setattr(tasks, "ExportSupervisor", lambda *_: SimpleNamespace(make_next=make_next))
    tasks.export(run_id)
    assert made == [run_id]
    assert SentMessages.sent == [("export", run_id)] * more


def test_an_export_of_a_run_that_is_gone_does_nothing() -> None:
    tasks.export("gone")
    assert SentMessages.sent == []
