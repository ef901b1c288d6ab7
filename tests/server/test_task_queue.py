import time

import pytest

from automl.task_names import QUEUES, TRAIN
from server.task_queue import QueueUnavailable, TaskQueue


@pytest.mark.parametrize("scheme", ["redis+socket://{folder}/nobody.sock", "redis://127.0.0.1:1/0"])
def test_a_queue_that_is_away_is_said_within_seconds(tmp_path, scheme):
    queue = TaskQueue(scheme.format(folder=tmp_path))
    before = time.monotonic()
    with pytest.raises(QueueUnavailable, match="Nothing was started"):
        queue.send(TRAIN, "0" * 32)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize(("task", "name"), QUEUES.items())
def test_a_task_goes_to_its_queue_by_name_with_ids_only(task, name):
    queue = TaskQueue("memory://")
    queue.send(task, "some id")
    with queue._celery.connection_for_read() as connection:
        message = connection.SimpleQueue(name).get_nowait()
        assert (message.headers["task"], message.payload[0]) == (task, ["some id"])
