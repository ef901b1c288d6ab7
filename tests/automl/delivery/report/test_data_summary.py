"""The counts of the photos agree with the split."""

from pathlib import Path

from automl.delivery.report.data_summary import describe_data
from automl.records import DatasetManifest, ImageRecord, RefusedFile, SplitPlan
from automl.records.report import ClassCounts, DataReport

IMAGES = tuple(ImageRecord(Path("x"), "x", label, str(i), 9, 9) for i, label in enumerate("aaabbb"))
MANIFEST = DatasetManifest("photos", ("a", "b"), IMAGES, (RefusedFile("x.txt", "no picture"),), "abc")
PLAN = SplitPlan((0, 1, 3), ((0,), (1,), (0,)), 2, (2, 4), (5,), (), 3)


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
