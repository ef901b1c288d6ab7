"""The worker's tasks and the queue of each, by name: the web process sends what it never imports."""

from collections.abc import Mapping

TRAIN = "darkroom.train"
CHECK_DATASET = "darkroom.check_dataset"
MAKE_SAMPLES = "darkroom.make_samples"
EXPORT = "darkroom.export"

TRAIN_QUEUE = "train"
LIGHT_QUEUE = "light"

DUTIES = "duties"
"""What the process that has no queue is called, see `worker.duties`."""

QUEUES: Mapping[str, str] = {
    TRAIN: TRAIN_QUEUE,
    **dict.fromkeys((CHECK_DATASET, MAKE_SAMPLES, EXPORT), LIGHT_QUEUE),
}
"""The queue of every task."""
