"""Messages that the worker itself sends, and the number of messages that wait in a queue."""

from celery import Celery

from automl.task_names import CHECK_DATASET, EXPORT, MAKE_SAMPLES, TRAIN


class Messages:
    """The two queues, seen through one Celery application."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def train(self, run_id: str) -> None:
        self._app.send_task(TRAIN, (run_id,))

    def check_dataset(self, dataset_id: str, attempt: int = 1) -> None:
        self._app.send_task(CHECK_DATASET, (dataset_id, attempt))

    def make_samples(self, dataset_id: str, run_id: str) -> None:
        self._app.send_task(MAKE_SAMPLES, (dataset_id, run_id))

    def export(self, run_id: str) -> None:
        self._app.send_task(EXPORT, (run_id,))

    def n_waiting(self, queue: str) -> int:
        """Messages in `queue` that no worker has taken yet.

        Raises:
            kombu.exceptions.OperationalError: the broker does not answer.
        """
        with self._app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=2, interval_start=0.2)  # by default it tries for minutes
            declared = self._app.amqp.queues[queue].bind(connection.default_channel).queue_declare()
            n_messages: int = declared.message_count
            return n_messages
