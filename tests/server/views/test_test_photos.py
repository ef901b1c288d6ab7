import io
import zipfile
import zlib

import pytest

from automl.records import RunState
from automl.store.database import find_run
from server.views.test_photos import answers_of, photos_of_test
from tests.server.answered import add_answered, add_photos, answers_csv, result_of
from tests.server.conftest import zip_of

ROWS = [("1", "rose", "rose", 0.9), ("2", "tulip", "rose", 0.55)]
PHOTOS_CSV = b"photo,class,part,near_copies,sha256\na.jpg,rose,test,,1\nb.jpg,tulip,learn,,2\n"


def read(world, run_id, read=answers_of):
    with world.database.session() as session:
        return read(session, world.store, find_run(session, run_id))


def test_answers_are_read_in_the_order_of_the_test(world):
    first, second = read(world, add_answered(world, add_photos(world), ROWS))
    assert (first.name, first.said, first.confidence, first.is_sure) == ("test/rose/1.jpg", "rose", 0.9, True)
    assert (second.is_right, second.is_sure, second.runner_up, second.runner_up_confidence) == (
        False,
        False,
        "other",
        0.01,
    )


def test_where_the_model_has_no_threshold_nobody_says_that_it_is_unsure(world):
    run_id = world.add_run(RunState.DONE)
    head = "photo,class,answer,confidence,sure,runner_up,runner_up_confidence,sha256\n"
    table = f"{head}a.jpg,rose,rose,0.3,,tulip,0.2,1\n".encode()
    world.add_artifact(run_id, "bundle", zip_of(**{"answers.csv": table}), "model.zip", "application/zip")
    (answer,) = read(world, run_id)
    assert answer.is_sure is None


def test_a_download_of_an_older_version_has_no_answers_but_says_what_it_was_tested_with(world):
    run_id = world.add_run(RunState.DONE)
    world.add_artifact(run_id, "bundle", zip_of(**{"photos.csv": PHOTOS_CSV}), "model.zip", "application/zip")
    assert read(world, run_id) is None
    assert read(world, run_id, photos_of_test) == {"1": "rose"}


@pytest.mark.parametrize("damage", [lambda table: table[::-1], lambda table: b"\xff" * len(table)])
def test_a_download_that_is_damaged_inside_keeps_no_result_from_being_shown(world, client, damage):
    """Scrambled bytes that are packed raise something else than those that are not."""
    table = answers_csv(ROWS * 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answers.csv", table)
    packed = zlib.compress(table, wbits=-15)
    assert packed in buffer.getvalue()
    run_id = world.add_run(RunState.DONE, add_photos(world), result=result_of(("rose", "tulip"), ROWS))
    damaged = buffer.getvalue().replace(packed, damage(packed))
    world.add_artifact(run_id, "bundle", damaged, "model.zip", "application/zip")
    assert read(world, run_id) is None
    assert client.get(f"/runs/{run_id}").status_code == 200
    assert client.get(f"/runs/{run_id}/try").status_code == 422


def test_what_is_not_the_final_model_or_is_gone_has_neither(world):
    unfinished, lost = world.add_run(RunState.CANCELLED), add_answered(world, add_photos(world), ROWS)
    world.add_artifact(unfinished, "best_so_far", zip_of(a=b"a"), "model.zip", "application/zip")
    world.store.delete_prefix(f"runs/{lost}")
    for run_id in (unfinished, lost):
        assert read(world, run_id) is None
        assert read(world, run_id, photos_of_test) is None
