"""Models for heat maps, which compare a photo with typical ones of the training set."""

import csv
import io
from collections.abc import Callable, Iterator

import numpy as np
from sqlalchemy import select

from automl.errors import BadBundle, NotFound
from automl.images.decoding.orders import Show, Shown
from automl.records import PhotoUse
from automl.serving.explained import ExplainedModel
from automl.serving.heat import typical_of
from automl.serving.model_cache import OpenModel
from automl.serving.predict import Classifier
from automl.store.tables import Artifact, DatasetFile, Run
from server.services import Services


def explained(
    services: Services, run: Run, *, artifact: Artifact, model: OpenModel, read: Callable[[str], bytes]
) -> ExplainedModel:
    """The model with its heat maps, prepared once with the typical photos that the report used and that still exist.

    Args:
        read: returns a member of the run's bundle by its name.

    Raises:
        BadBundle: this model cannot be explained.
    """

    def prepare(opened: ExplainedModel) -> None:
        squares = list(_typical(services, run, learned=_learned(artifact, read), classifier=model.classifier))
        if squares:
            opened.learn_typical(np.stack(squares))

    return model.explained(lambda: read("model.onnx"), prepare)


def _learned(artifact: Artifact, read: Callable[[str], bytes]) -> list[str]:
    """SHA-256 of the training photos, in order; empty for a bundle that was written before the end of the run."""
    if artifact.kind != "bundle":
        return []
    try:
        table = read("photos.csv").decode()
    except BadBundle:  # bundles of early versions have no such table
        return []
    return [
        row["sha256"]
        for row in csv.DictReader(io.StringIO(table))
        if row.get("part") in (PhotoUse.LEARNED, PhotoUse.LEARNED_AND_TESTED)
    ]


def _typical(services: Services, run: Run, *, learned: list[str], classifier: Classifier) -> Iterator[np.ndarray]:
    """Pixels of each typical photo that can still be read, as the model takes them."""
    wanted = list(typical_of(learned))
    with services.database.session() as session:
        query = select(DatasetFile.sha256, DatasetFile.key).where(
            DatasetFile.dataset_id == run.dataset_id, DatasetFile.sha256.in_(wanted)
        )
        keys = {sha256: key for sha256, key in session.execute(query) if key}
    for sha256 in wanted:
        try:
            with services.store.as_file(keys.get(sha256, "")) as photo:
                answer = services.decoders.answer(Show(photo=photo, size_px=classifier.size_px, rules=classifier.rules))
        except NotFound:
            continue  # it was removed from the data set meanwhile
        if isinstance(answer, Shown):
            yield answer.square
