"""A data set over several versions: its test photos stay its test photos."""

from collections.abc import Callable, Mapping

import pytest

from automl.datasets import split as split_module
from automl.datasets.edits import Edit, ExcludeFiles, MoveFiles, edit_values
from automl.datasets.split import make_split
from automl.records import RunSettings, Scoring, Split
from automl.settings import Settings
from automl.store.checks import check_dataset, load_manifest, reassess
from automl.store.sides import sides_for_run
from automl.store.tables import DatasetEdit, DatasetSides, DatasetVersion, Run, now
from automl.store.versions import latest_version
from tests.automl.conftest import UploadedDataset
from tests.automl.images.pictures import encoded, picture, two_classes

HELD_OUT = RunSettings(scoring=Scoring.HELD_OUT)
Upload = Callable[[Mapping[str, bytes]], UploadedDataset]


class Versions:
    """A data set that is changed and used by runs in turn."""

    def __init__(self, dataset: UploadedDataset, settings: Settings) -> None:
        self.dataset, self.settings = dataset, settings
        self.check()

    def check(self) -> None:
        check_dataset(self.dataset.database, self.dataset.store, self.dataset.id, settings=self.settings)

    def add(self, files: Mapping[str, bytes]) -> None:
        self.dataset.add(files)
        self.check()

    def edit(self, edit: Edit) -> int:
        with self.dataset.database.session() as session:
            values = edit_values(edit)
            row = DatasetEdit(dataset_id=self.dataset.id, kind=edit.kind, values=values, title=edit.usual_title)
            session.add(row)
            session.flush()
            reassess(session, self.dataset.store, self.dataset.id)
            return row.id

    def undo(self, edit_id: int) -> None:
        with self.dataset.database.session() as session:
            row = session.get(DatasetEdit, edit_id)
            assert row is not None
            row.undone_at = now()
            session.flush()
            reassess(session, self.dataset.store, self.dataset.id)

    def start(self, settings: RunSettings = HELD_OUT) -> str:
        with self.dataset.database.session() as session:
            version = latest_version(session, self.dataset.id)
            assert version is not None
        return self.dataset.start_run(settings=settings, version_id=version.id)

    def split(self, run_id: str, settings: RunSettings = HELD_OUT) -> tuple[dict[str, tuple[int, ...]], set[str]]:
        """The folds of what is learned from and the test, by the names of the photos, as the pipeline makes them."""
        database, store = self.dataset.database, self.dataset.store
        manifest = load_manifest(database, store, run_id, scratch=self.settings.home)
        remembered = sides_for_run(database, run_id, manifest)
        plan = make_split(manifest, settings.seed, scoring=settings.scoring, remembered=remembered)
        folds = {manifest.images[i].name: folds for i, folds in zip(plan.pool, plan.folds, strict=True)}
        return folds, {manifest.images[i].name for i in plan.test}

    def tested(self) -> set[str]:
        return self.split(self.start())[1]

    def ids(self, *names: str) -> tuple[int, ...]:
        files = self.dataset.files()
        return tuple(files[name].id for name in names)


@pytest.fixture
def versions(uploaded: Upload, settings: Settings) -> Versions:
    return Versions(uploaded(two_classes(20)), settings)


def test_the_first_run_is_split_as_ever(versions: Versions) -> None:
    run_id = versions.start()
    manifest = load_manifest(versions.dataset.database, versions.dataset.store, run_id, scratch=versions.settings.home)
    plan = make_split(manifest, 0, scoring=Scoring.HELD_OUT)
    assert versions.split(run_id)[1] == {manifest.images[i].name for i in plan.test}


def test_over_versions_the_test_photos_stay_the_test_photos(versions: Versions) -> None:
    tested = versions.tested()
    in_test = sorted(name for name in tested if name.startswith("cat/"))[0]
    learned = sorted({f"cat/{i}.png" for i in range(20)} - tested)[0]
    # Labels are corrected on either side.
    correction = versions.edit(MoveFiles(files=versions.ids(in_test, learned), to="dog"))
    assert versions.tested() == tested
    # Photos come, among them one that is a copy of a test photo, and one that is nearly one.
    test_dog = sorted(name for name in tested if name.startswith("dog/"))[0]
    seed = 100 + int(test_dog[4:-4])
    larger = picture(seed).resize((48, 32))
    versions.add({"dog/copy.png": encoded(seed), "dog/larger.png": encoded(larger), "dog/new.png": encoded(777)})
    assert versions.dataset.files()["dog/larger.png"].near == versions.ids(test_dog)[0]
    assert versions.tested() == {*tested, "dog/copy.png", "dog/larger.png"}
    # Some are left out and put back, and the correction is undone.
    exclusion = versions.edit(ExcludeFiles(files=versions.ids(in_test, learned)))
    assert versions.tested() == {*tested, "dog/copy.png", "dog/larger.png"} - {in_test}
    versions.undo(exclusion)
    versions.undo(correction)
    assert versions.tested() == {*tested, "dog/copy.png", "dog/larger.png"}


def test_folds_stay_where_every_photo_is_tested(versions: Versions) -> None:
    auto = RunSettings()
    before, _ = versions.split(versions.start(auto), auto)
    versions.edit(MoveFiles(files=versions.ids("cat/3.png"), to="dog"))
    versions.add({f"cat/new{i}.png": encoded(500 + i) for i in range(4)})
    after, _ = versions.split(versions.start(auto), auto)
    assert {name: after[name] for name in before} == before
    assert len(after) == 44


def test_the_page_shows_the_split_that_the_next_run_will_have(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split_module, "FEWEST_IMAGES_WITH_TEST", 40)
    monkeypatch.setattr(split_module, "FEWEST_IMAGES_TO_KEEP_TEST", 20)
    auto = RunSettings()
    tested = versions.split(versions.start(auto), auto)[1]
    assert len(tested) == 6
    versions.edit(
        ExcludeFiles(files=versions.ids(sorted(tested)[0], *sorted({f"dog/{i}.png" for i in range(9)} - tested)))
    )
    shown = versions.dataset.row.summary.split
    assert shown is not None
    after = versions.split(versions.start(auto), auto)
    assert after[1] == tested - {sorted(tested)[0]}
    assert (shown.n_test, shown.n_learn, shown.tests_every_photo) == (5, len(after[0]), False)


def test_remembering_makes_no_new_version(versions: Versions) -> None:
    versions.tested()
    with versions.dataset.database.session() as session:
        reassess(session, versions.dataset.store, versions.dataset.id)
        assert session.query(DatasetVersion).count() == 1


def test_a_run_that_is_taken_up_again_has_the_split_that_it_had(versions: Versions) -> None:
    first = versions.start()
    split = versions.split(first)
    versions.edit(ExcludeFiles(files=versions.ids(*sorted(split[1])[:2])))
    versions.add({f"cat/new{i}.png": encoded(500 + i) for i in range(9)})
    versions.tested()
    assert versions.split(first) == split


def test_another_seed_is_another_split_that_also_stays(versions: Versions) -> None:
    other = RunSettings(scoring=Scoring.HELD_OUT, seed=1)
    tested, tested_by_other = versions.tested(), versions.split(versions.start(other), other)[1]
    assert tested != tested_by_other
    versions.add({f"cat/new{i}.png": encoded(500 + i) for i in range(2)})
    assert versions.split(versions.start(other), other)[1] == tested_by_other
    assert versions.tested() == tested


def test_a_version_stays_though_its_run_is_deleted(versions: Versions) -> None:
    """What is remembered of its photos belongs to it."""
    run_id = versions.start()
    versions.split(run_id)
    with versions.dataset.database.session() as session:
        session.delete(session.get(Run, run_id))
    versions.add({"cat/new.png": encoded(500)})
    with versions.dataset.database.session() as session:
        assert session.query(DatasetVersion).count() == 2


def test_with_a_test_folder_nothing_is_remembered(uploaded: Upload, settings: Settings) -> None:
    files = two_classes(20, prefix="train/") | {f"test/cat/{i}.png": encoded(900 + i) for i in range(5)}
    files |= {f"test/dog/{i}.png": encoded(950 + i) for i in range(5)}
    versions = Versions(uploaded(files), settings)
    assert {file.split for file in versions.dataset.files().values()} == {Split.TRAIN, Split.TEST}
    assert versions.tested() == {name for name in files if name.startswith("test/")}
    with versions.dataset.database.session() as session:
        assert session.query(DatasetSides).count() == 0
