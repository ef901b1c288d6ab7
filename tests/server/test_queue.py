import time

import pytest

from server.queue import CHECK_DATASET, TRAIN, QueueUnavailable, TaskQueue


@pytest.mark.parametrize("scheme", ["redis+socket://{folder}/nobody.sock", "redis://127.0.0.1:1/0"])
def test_a_queue_that_is_away_is_said_within_seconds(tmp_path, scheme):
    queue = TaskQueue(scheme.format(folder=tmp_path))
    before = time.monotonic()
    with pytest.raises(QueueUnavailable, match="Nothing was started"):
        queue.send(TRAIN, "0" * 32)
    assert time.monotonic() - before < 10


def test_tasks_go_to_their_queue_by_name_with_ids_only():
    queue = TaskQueue("memory://")
    queue.send(TRAIN, "run")
    queue.send(CHECK_DATASET, "dataset")
    with queue._celery.connection_for_read() as connection:
        for name, task, ids in (("train", TRAIN, ["run"]), ("light", CHECK_DATASET, ["dataset"])):
            message = connection.SimpleQueue(name).get_nowait()
            assert message.headers["task"] == task
            assert message.payload[0] == ids
