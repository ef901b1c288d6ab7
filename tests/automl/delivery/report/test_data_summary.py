"""The counts of the photos agree with the split."""

from pathlib import Path

from automl.delivery.report.data_summary import describe_data
from automl.records import DatasetManifest, ImageRecord, RefusedFile, SplitPlan
from automl.records.report import ClassCounts, DataReport

IMAGES = tuple(
    ImageRecord(path=Path("x"), name="x", label=label, sha256=str(i), width=9, height=9)
    for i, label in enumerate("aaabbb")
)
MANIFEST = DatasetManifest(
    name="photos", classes=("a", "b"), images=IMAGES, refused=(RefusedFile("x.txt", "no picture"),), fingerprint="abc"
)
PLAN = SplitPlan(pool=(0, 1, 3), folds=((0,), (1,), (0,)), n_folds=2, test=(2, 4), left_out=(5,), notes=(), seed=3)


def test_every_photo_is_counted_once_in_its_part():
    data = describe_data(MANIFEST, PLAN)
    assert data.classes == (
        ClassCounts(label="a", n_learned=2, n_test=1, n_left_out=0),
        ClassCounts(label="b", n_learned=1, n_test=1, n_left_out=1),
    )
    assert data.n_images == data.n_learned + data.n_test + data.n_left_out == 6
    assert data.n_refused == 1


def test_the_version_is_the_users_and_survives_json():
    data = describe_data(MANIFEST, PLAN, version=4)
    assert DataReport.model_validate_json(data.json_text()) == data
    assert (data.version, data.n_folds, data.split_seed) == (4, 2, 3)
