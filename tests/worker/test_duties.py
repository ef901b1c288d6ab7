"""Small duties, which wait for nothing: each in a thread of its own, in a process of their own."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from automl.settings import Settings, load_settings
from automl.store.bin import BinKind, put_into_bin
from automl.store.check_lease import claim_check
from automl.store.database import Database
from automl.store.tables import Dataset
from tests.redis_server import running_redis
from tests.worker.conftest import wait_until
from worker.duties import REAP_EVERY_S, Duty, do_duties, duties_of, is_done_here
from worker.reaper import GRACE_S


@pytest.fixture
def doing(in_background: Callable[[Callable[[], None]], threading.Thread]) -> Callable[..., threading.Event]:
    """Does these duties until the event that it returns is set."""

    def start(*duties: Duty) -> threading.Event:
        stopping = threading.Event()
        in_background(lambda: do_duties(duties, stopping))
        return stopping

    return start


def test_a_duty_that_takes_long_delays_no_other_one(doing: Callable[..., threading.Event]) -> None:
    done, hold = [], threading.Event()
    slow = Duty(name="slow", every_s=0.01, do=lambda: hold.wait(20) and None)
    stopping = doing(slow, Duty(name="quick", every_s=0.01, do=lambda: done.append(1)))
    wait_until(lambda: len(done) > 3)
    hold.set()
    stopping.set()


def test_a_duty_that_fails_is_done_again(doing: Callable[..., threading.Event]) -> None:
    errors = [OperationalError("SELECT", {}, Exception("gone")), RuntimeError("a mistake of ours")]
    done = []

    def fail_first() -> None:
        if errors:
            raise errors.pop()
        done.append(1)

    stopping = doing(Duty(name="failing", every_s=0.01, do=fail_first))
    wait_until(lambda: bool(done))
    stopping.set()


def test_a_lost_run_is_taken_back_within_fifteen_seconds_by_design() -> None:
    assert REAP_EVERY_S + GRACE_S < 15


@pytest.fixture
def remove(settings: Settings) -> Duty:
    return next(duty for duty in duties_of(settings) if duty.name == "remove")


def test_what_is_deleted_for_good_is_gone_at_the_next_look(
    remove: Duty, database: Database, add_dataset: Callable[..., str]
) -> None:
    dataset_id = add_dataset()
    with database.session() as session:
        put_into_bin(session, BinKind.DATASET, dataset_id, keep_s=0.0)
    began_s = time.monotonic()
    remove.do()
    assert time.monotonic() - began_s < 5
    with database.session() as session:
        assert session.get(Dataset, dataset_id) is None


def test_a_data_set_is_removed_once_its_check_has_noticed(
    remove: Duty, database: Database, add_dataset: Callable[..., str]
) -> None:
    dataset_id = add_dataset()
    with database.session() as session:
        claim = claim_check(session, dataset_id, 30)
        assert claim is not None
        put_into_bin(session, BinKind.DATASET, dataset_id, keep_s=0.0)
    remove.do()
    with database.session() as session:
        assert session.get(Dataset, dataset_id) is not None
        claim.release(session)
    remove.do()
    with database.session() as session:
        assert session.get(Dataset, dataset_id) is None


def test_they_leave_a_sign_by_which_others_know_that_they_are_done(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url:
        settings = load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_BROKER_URL": url})
        assert not is_done_here(settings)
        next(duty for duty in duties_of(settings) if duty.name == "sign").do()
        assert is_done_here(settings)
    assert not is_done_here(settings)
