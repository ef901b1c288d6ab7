"""The sample images as a data set, for a first try without photos of one's own."""

import tempfile
from pathlib import Path

from automl.images.sample_images import write_sample_images
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database, find_dataset
from automl.store.tables import DatasetFile


def store_samples(database: Database, store: ArtifactStore, dataset_id: str) -> None:
    """Fills an empty data set with all sample images, or with none on failure. Does nothing if it has files already.

    Raises:
        NotFound: no such data set.
    """
    with database.session() as session:
        if find_dataset(session, dataset_id).files:
            return
    with tempfile.TemporaryDirectory(prefix="darkroom-samples-") as folder:
        write_sample_images(Path(folder))
        files = [
            _store_file(store, dataset_id=dataset_id, folder=Path(folder), path=path)
            for path in sorted(Path(folder).rglob("*.png"))
        ]
    with database.session() as session:
        session.add_all(files)


def _store_file(store: ArtifactStore, *, dataset_id: str, folder: Path, path: Path) -> DatasetFile:
    stored = store.put(f"datasets/{dataset_id}", path)
    return DatasetFile(
        dataset_id=dataset_id,
        name=path.relative_to(folder).as_posix(),
        key=stored.key,
        sha256=stored.sha256,
        n_bytes=stored.n_bytes,
    )
