from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import JSON, Engine, column, inspect, select, table

from automl import store
from automl.records import ClassSummary, DatasetState, DatasetSummary, FileState
from automl.store.database import Database
from automl.store.tables import Base, Dataset, DatasetFile, Run, TrialSummary
from tests.reports import made_report

WINNER = made_report(winner={"trial": 4})


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        options = {"compare_type": True, "version_table": "darkroom_version"}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def go_back(database: Database, revision: str) -> None:
    """As an older version would have left the tables."""
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
    with database._schema_connection() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def go_back_and_migrate(database: Database, revision: str) -> None:
    """As an older version would have left the tables, and then as the present one makes them of that."""
    go_back(database, revision)
    database.migrate()


def test_the_migrations_make_exactly_the_tables_that_the_code_has(database: Database) -> None:
    assert differences(database.engine) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    database.migrate()
    assert differences(database.engine) == []


def test_a_run_of_an_older_version_keeps_its_winner_marked(database: Database) -> None:
    with database.session() as session:
        runs = [Run(dataset=Dataset(name="x"), budget_s=60.0, result=result) for result in (None, WINNER)]
        session.add_all(runs)
        session.add(TrialSummary(run=runs[0], number=0, state="complete", image_size_px=96, started_s=0, duration_s=1))
    go_back_and_migrate(database, "0002")
    with database.session() as session:
        assert {run.best_trial for run in session.scalars(select(Run))} == {None, 4}
        assert session.scalars(select(TrialSummary)).one().run_id == runs[0].id


def test_photos_that_an_older_version_has_checked_are_checked_once_more(database: Database) -> None:
    with database.session() as session:
        session.add_all(Dataset(name=state.value, state=state) for state in DatasetState)
    go_back_and_migrate(database, "0003")
    with database.session() as session:
        assert {dataset.state for dataset in session.scalars(select(Dataset))} == {DatasetState.UPLOADING}


def test_a_run_of_an_older_version_has_no_name(database: Database) -> None:
    with database.session() as session:
        session.add(Run(dataset=Dataset(name="x"), budget_s=60.0, name="lost on the way back"))
    go_back_and_migrate(database, "0006")
    with database.session() as session:
        assert session.scalars(select(Run)).one().name == ""


def test_what_lists_and_pages_show_is_found_for_what_an_older_version_has_made(database: Database) -> None:
    summary = DatasetSummary(classes=(ClassSummary(label="cat"),), verdict="fine")
    very_many = DatasetSummary(classes=tuple(ClassSummary(label=str(n)) for n in range(51)))
    with database.session() as session:
        dataset = Dataset(name="x", state=DatasetState.READY, summary=summary)
        many = Dataset(name="y", state=DatasetState.READY, summary=very_many)
        session.add_all([dataset, many, Dataset(name="z")])
        states = [FileState.REFUSED] + 16 * [FileState.ACCEPTED]
        files = [DatasetFile(name=f"cat/{i:02}", label="cat", state=state) for i, state in enumerate(states)]
        dataset.files = files
        session.add(Run(dataset=dataset, budget_s=60.0, result=made_report(test={"accuracy": 0.9})))
        session.flush()
        ids = [file.id for file in files]
    go_back_and_migrate(database, "0007")
    with database.session() as session:
        assert session.scalars(select(Run)).one().test_accuracy == 0.9
        summaries = {dataset.name: dataset.summary for dataset in session.scalars(select(Dataset))}
    assert summaries["x"] == summary.model_copy(update={"samples": {"cat": tuple(ids[1::2])}})
    assert summaries["y"].samples == {}
    assert summaries["z"] == DatasetSummary()


def test_photos_keep_the_fingerprint_that_an_older_version_has_made(database: Database) -> None:
    with database.session() as session:
        session.add(Dataset(name="x", files=[DatasetFile(name="a", fingerprint=b"gray"), DatasetFile(name="b")]))
    go_back_and_migrate(database, "0008")
    with database.session() as session:
        files = session.scalars(select(DatasetFile).order_by(DatasetFile.id))
        assert [file.fingerprint for file in files] == [b"gray", None]


def test_the_parts_of_an_older_ensemble_are_no_parameters(database: Database) -> None:
    same = {"state": "complete", "image_size_px": 96, "started_s": 0, "duration_s": 1}
    with database.session() as session:
        run = Run(dataset=Dataset(name="x"), budget_s=60.0)
        session.add(TrialSummary(run=run, number=0, params={"dropout": 0.1}, **same))
        session.add(TrialSummary(run=run, number=8, stage="blend", parts=[5, 0, 3], **same))
    go_back(database, "0008")
    older = table("trial_summaries", column("number"), column("params", JSON()))
    with database.engine.connect() as connection:
        params = connection.scalars(select(older.c.params).order_by(older.c.number)).all()
    assert params == [{"dropout": 0.1}, {"members": "5+0+3"}]
    database.migrate()
    with database.session() as session:
        head, ensemble = session.scalars(select(TrialSummary).order_by(TrialSummary.number))
        assert (head.params, head.parts) == ({"dropout": 0.1}, [])
        assert (ensemble.params, ensemble.parts) == ({}, [5, 0, 3])


def test_trials_that_an_older_version_has_told_twice_are_told_once(database: Database) -> None:
    same = {"state": "complete", "image_size_px": 96, "started_s": 0}
    with database.session() as session:
        run = Run(dataset=Dataset(name="x"), budget_s=60.0)
        session.add_all([run, TrialSummary(run=run, number=0, duration_s=1, **same)])
    go_back(database, "0016")
    with database.session() as session:
        for number, duration_s in ((0, 7), (1, 2), (1, 8)):
            session.add(TrialSummary(run_id=run.id, number=number, duration_s=duration_s, **same))
    database.migrate()
    with database.session() as session:
        trials = session.scalars(select(TrialSummary).order_by(TrialSummary.number))
        assert [(trial.number, trial.duration_s) for trial in trials] == [(0, 1), (1, 2)]


def test_optunas_version_table_is_left_alone(database: Database) -> None:
    tables = inspect(database.engine).get_table_names()
    assert "darkroom_version" in tables
    assert "alembic_version" not in tables
