"""The sides of the split that photos have had in the runs of a data set, kept from version to version."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from automl.datasets.split import make_split
from automl.records import DatasetManifest, RememberedSides, Scoring
from automl.store.database import Database, find_run
from automl.store.patience import patiently
from automl.store.tables import Dataset, DatasetSides, Run


def latest_sides(session: Session, dataset_id: str, seed: int = 0) -> RememberedSides | None:
    """What the latest run of a data set with this seed has left; None where there was none."""
    query = select(DatasetSides.sides).where(DatasetSides.dataset_id == dataset_id, DatasetSides.seed == seed)
    return session.scalars(query.order_by(DatasetSides.id.desc()).limit(1)).first()


@patiently
def sides_for_run(database: Database, run_id: str, manifest: DatasetManifest) -> RememberedSides | None:
    """What decides the split of a run, beside its photos and its seed; from now on its own split is remembered, too.

    A version is split once for each seed: another run of the same version, or another attempt at this one, has the same
    split, whatever was done in between.

    Args:
        database: Where the run is.
        run_id: The run; its version is known.
        manifest: The photos of its version.

    Raises:
        NotFound: There is no such run.
        BadDataset: Nothing can be trained from the photos.
    """
    with database.session() as session:
        # Begins with a write: two runs that start at once take turns.
        own_dataset = select(Run.dataset_id).where(Run.id == run_id).scalar_subquery()
        turn = update(Dataset).where(Dataset.id == own_dataset).values(id=Dataset.id)
        session.execute(turn, execution_options={"synchronize_session": False})
        run = find_run(session, run_id)
        settings = run.settings
        own = select(DatasetSides).where(DatasetSides.version_id == run.version_id)
        row = session.scalars(own.where(DatasetSides.seed == settings.seed)).first()
        before = row.sides if row else latest_sides(session, run.dataset_id, settings.seed)
        if manifest.has_own_test:
            return before
        plan = make_split(manifest, settings.seed, scoring=settings.scoring, remembered=before)
        after = (before or RememberedSides()).after(manifest, plan, is_by_rule=settings.scoring is Scoring.AUTO)
        if row is None:
            row = DatasetSides(dataset_id=run.dataset_id, version_id=run.version_id, seed=settings.seed, sides=after)
            session.add(row)
        else:
            row.sides = after
        return before
