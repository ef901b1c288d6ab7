import structlog

from worker.task_log import bind_ids, forget_ids
from worker.tasks import check_dataset, make_samples, train


def bound(task, *args, **kwargs) -> dict[str, object]:
    bind_ids(task=task, args=args, kwargs=kwargs)
    found = structlog.contextvars.get_contextvars()
    forget_ids()
    return found


def test_lines_of_a_task_carry_its_name_and_its_ids() -> None:
    assert bound(make_samples, "d1", "r1") == {"task": make_samples.name, "dataset_id": "d1", "run_id": "r1"}
    assert bound(check_dataset, "d1", attempt=2) == {"task": check_dataset.name, "dataset_id": "d1"}
    assert bound(train, "r1") == {"task": train.name, "run_id": "r1"}


def test_a_message_with_other_arguments_is_logged_without_ids() -> None:
    assert bound(make_samples, "d1") == {"task": make_samples.name}


def test_nothing_is_left_for_the_next_task() -> None:
    bound(train, "r1")
    assert structlog.contextvars.get_contextvars() == {}
