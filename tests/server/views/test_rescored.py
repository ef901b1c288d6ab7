"""Old answers under the labels of today."""

from automl.records import FileState
from automl.store.tables import DatasetFile
from server.views.rescored import rescored
from server.views.test_photos import AnsweredPhoto
from tests.server.answered import add_photos


def answered(sha256, really, said, runner_up="other"):
    return AnsweredPhoto(
        name=f"{sha256}.jpg",
        really=really,
        said=said,
        confidence=0.9,
        is_sure=True,
        runner_up=runner_up,
        runner_up_confidence=0.1,
        together=sha256,
        sha256=sha256,
    )


def asked_again(world, dataset_id, *answers):
    with world.database.session() as session:
        return rescored(session, dataset_id, answers)


def test_where_no_label_was_changed_nothing_changes(world):
    answers = (answered("1", "rose", "rose"), answered("2", "tulip", "rose"))
    found = asked_again(world, add_photos(world, **{"1": "rose", "2": "tulip"}), *answers)
    assert found.answers == answers
    assert (found.n_corrected, found.n_left_out, found.n_right, found.n_right_then) == (0, 0, 1, 1)


def test_a_corrected_label_makes_an_old_answer_right_or_wrong(world):
    dataset_id = add_photos(world, **{"1": "tulip", "2": "rose", "3": "tulip", "4": "rose"})
    answers = [answered("1", "rose", "rose"), answered("2", "tulip", "rose"), answered("3", "tulip", "tulip")]
    found = asked_again(world, dataset_id, *answers, answered("4", "rose", "rose"))
    assert [one.is_right for one in found.answers] == [False, True, True, True]
    assert (found.n_corrected, found.n_right_then, found.n_right) == (2, 3, 3)
    assert (found.share_then, found.share_now) == ("75.0 %", "75.0 %")


def test_photos_that_are_left_out_today_do_not_count_and_those_that_are_gone_keep_their_label(world):
    dataset_id = add_photos(world, **{"1": "rose", "2": "tulip"})
    with world.database.session() as session:
        file = session.query(DatasetFile).filter_by(dataset_id=dataset_id, sha256="2").one()
        file.state = FileState.EXCLUDED
    answers = [answered("1", "rose", "rose"), answered("2", "tulip", "rose"), answered("gone", "rose", "tulip")]
    found = asked_again(world, dataset_id, *answers)
    assert [one.sha256 for one in found.answers] == ["1", "gone"]
    assert (found.n_corrected, found.n_left_out, found.n_right) == (0, 1, 1)


def test_a_copy_that_is_used_tells_the_label_where_another_is_left_out(world):
    dataset_id = add_photos(world, **{"1": "rose"})
    with world.database.session() as session:
        values = {"sha256": "1", "label": "tulip", "state": FileState.EXCLUDED}
        session.add(DatasetFile(dataset_id=dataset_id, name="copy.jpg", **values))
    (answer,) = asked_again(world, dataset_id, answered("1", "rose", "rose")).answers
    assert answer.really == "rose"


def test_a_class_with_a_new_name_is_the_same_class(world):
    dataset_id = add_photos(world, **{"1": "Rosa", "2": "Rosa", "3": "tulip"})
    answers = [answered("1", "rose", "rose"), answered("2", "rose", "tulip", "rose"), answered("3", "tulip", "rose")]
    found = asked_again(world, dataset_id, *answers)
    assert [(one.really, one.said) for one in found.answers] == [("Rosa", "Rosa"), ("Rosa", "tulip"), ("tulip", "Rosa")]
    assert found.answers[1].runner_up == "Rosa"
    assert found.n_corrected == 0


def test_classes_that_were_joined_are_one(world):
    dataset_id = add_photos(world, **{"1": "flower", "2": "flower", "3": "tree"})
    answers = [answered("1", "rose", "tulip"), answered("2", "tulip", "tulip"), answered("3", "tree", "tree")]
    found = asked_again(world, dataset_id, *answers)
    assert (found.n_corrected, found.n_right_then, found.n_right) == (0, 2, 3)
