"""Warns of data sets that nobody uses any more, and puts them into the bin once the warning was long enough ago."""

from collections import defaultdict

import structlog

from automl.settings import Settings
from automl.store.database import Database
from automl.store.retention import WARNING_DAYS, bin_unused, warn_of_unused
from automl.store.tables import Account
from automl.text.messages import worker as worker_messages
from worker.notices import try_to_email

_log = structlog.stdlib.get_logger(__name__)


def clear_unused(database: Database, settings: Settings) -> None:
    """Does what is due by now.

    The page of a data set shows its warning. Its owner gets an e-mail, too, where there is a mail server.
    """
    with database.session() as session:
        binned = [dataset.id for dataset in bin_unused(session, settings)]
    for dataset_id in binned:
        _log.info("unused photos were put into the bin", dataset_id=dataset_id)
    names: defaultdict[str, list[str]] = defaultdict(list)
    with database.session() as session:
        for dataset in warn_of_unused(session, settings):
            account = session.get(Account, dataset.owner_id) if dataset.owner_id else None
            if account is not None and account.disabled_at is None:
                names[account.email].append(dataset.name)
    for address, unused in names.items():
        text = worker_messages.UNUSED_PHOTOS.format(days=WARNING_DAYS, names="\n".join(unused), url=settings.public_url)
        try_to_email(settings, address, worker_messages.SUBJECT_UNUSED_PHOTOS, text)
