"""What is noted of a version of a data set."""

from automl.store.tables import DatasetVersion
from automl.text.messages import pages as page_messages


def note_of(version: DatasetVersion) -> str:
    """Which of its photos a model has sorted; empty where there are none."""
    counts = (
        (page_messages.CONFIRMED_IN_VERSION, version.n_confirmed),
        (page_messages.UNSEEN_IN_VERSION, version.n_unseen),
    )
    return " ".join(message.format(n=n) for message, n in counts if n)
