"""Runs of one data set side by side."""

import pytest

from automl.records import FileState, RunState
from automl.store.tables import DatasetFile
from tests.server.answered import add_answered, add_photos, result_of

EVIL = "tulip <b>"
ROWS = [("s1", "rose", "rose", 0.9), ("s2", EVIL, "rose", 0.7)]
BETTER = [("s1", "rose", "rose", 0.9), ("s2", EVIL, EVIL, 0.7)]


@pytest.fixture
def dataset_id(world):
    return add_photos(world, s1="rose", s2=EVIL)


@pytest.fixture
def runs(world, dataset_id):
    longer = {"budget_s": 600.0}
    return [
        add_answered(world, dataset_id, ROWS, ("rose", EVIL), {"winner": {"n_bytes": 2e7}}),
        add_answered(
            world, dataset_id, BETTER, ("rose", EVIL), {"winner": {"n_bytes": 9e6}}, settings=longer, budget_s=600.0
        ),
    ]


def page_of(client, dataset_id, runs):
    answer = client.get(f"/datasets/{dataset_id}/compare", query_string={"run": runs})
    return answer.status_code, " ".join(answer.text.split())


def test_runs_stand_side_by_side_with_the_best_and_the_differences_in_words(client, dataset_id, runs):
    status, page = page_of(client, dataset_id, runs)
    assert status == 200
    assert "2 runs side by side" in page
    assert "tested with the same 2 photos" in page
    figures, made = page.split('id="compare-settings"')
    assert '<strong>9.0 MB</strong> <span class="best-mark">★ best</span>' in figures
    assert "<td>100.0 %<br>" in figures  # of two photos: it may be luck, as the page says below
    assert made.count("≠ differs") == 1
    assert "<strong>10 minutes</strong>" in made
    assert "A alone was right on 0, and B alone on 1. The difference may be luck" in page
    assert "<b>" not in page


def test_the_columns_are_in_the_order_of_the_address_and_lead_to_the_runs(client, dataset_id, runs):
    _, page = page_of(client, dataset_id, runs[::-1])
    assert f'<a href="/runs/{runs[1]}">A: 10 minutes</a>' in page
    assert f'<a href="/runs/{runs[0]}">B: 2 minutes</a>' in page


def test_other_test_photos_are_said_plainly_and_no_score_is_called_best(client, world, dataset_id, runs):
    same_size = {"winner": {"n_bytes": 20_000_000}}
    other = add_answered(world, dataset_id, [("s3", "rose", "rose", 0.9)], ("rose", EVIL), same_size)
    _, page = page_of(client, dataset_id, [runs[0], other])
    assert "not tested with the same photos" in page and "cannot be compared directly" in page
    assert "★ best" not in page


def test_runs_of_an_older_version_can_be_compared_as_far_as_they_go(client, world, dataset_id):
    older = [world.add_run(RunState.DONE, dataset_id, result=result_of(("a", "b"), ())) for _ in range(2)]
    status, page = page_of(client, dataset_id, older)
    assert status == 200
    assert "we cannot know whether" in page
    assert 'id="pairs"' not in page


def test_runs_of_other_data_sets_are_refused(client, world, dataset_id, runs):
    foreign = add_answered(world, add_photos(world, s1="rose"), ROWS, ("rose", EVIL))
    for others in ([runs[0], foreign], ["nothing", runs[0]], [foreign]):
        assert page_of(client, dataset_id, others)[0] == 404


def test_a_run_without_a_result_is_refused(client, world, dataset_id, runs):
    assert page_of(client, dataset_id, [runs[0], world.add_run(RunState.SEARCHING, dataset_id)])[0] == 409


def test_too_few_and_too_many_are_asked_again(client, world, dataset_id, runs):
    status, page = page_of(client, dataset_id, runs[:1])
    assert status == 200
    assert "Tick 2 to 4 runs (1 ticked)" in page
    assert f'value="{runs[0]}" checked' in page and f'value="{runs[1]}" >' in page
    many = runs + [add_answered(world, dataset_id, ROWS, ("rose", EVIL)) for _ in range(3)]
    assert "(5 ticked)" in page_of(client, dataset_id, many)[1]
    assert "side by side" in page_of(client, dataset_id, many[:4])[1]
    assert "Which runs?" in page_of(client, dataset_id, [runs[0], runs[0]])[1]


def test_a_data_set_with_one_result_has_nothing_to_compare(client, world):
    assert "These photos do not have two finished runs yet." in page_of(client, world.add_dataset(), [])[1]


def test_where_every_photo_was_tested_it_says_what_is_counted_photo_by_photo(client, world, dataset_id, runs):
    result = {"test": {**result_of(("rose", EVIL), BETTER)["test"], "method": "cross-validated"}}
    other = add_answered(world, dataset_id, BETTER, ("rose", EVIL), result)
    words = "one answer to each is counted here, by a model that had not seen it"
    assert words in page_of(client, dataset_id, [runs[0], other])[1]
    assert words not in page_of(client, dataset_id, runs)[1]


def test_the_list_of_runs_has_boxes_for_those_with_a_result(client, world, dataset_id, runs):
    failed = world.add_run(RunState.FAILED, dataset_id)
    page = client.get(f"/datasets/{dataset_id}").text
    assert page.count('type="checkbox" name="run"') == 2
    assert f'value="{failed}"' not in page


def test_one_result_has_no_box(client, world, dataset_id):
    add_answered(world, dataset_id, ROWS, ("rose", EVIL))
    assert 'id="compare-form"' not in client.get(f"/datasets/{dataset_id}").text


def test_the_result_leads_to_the_comparison(client, dataset_id, runs):
    page = client.get(f"/runs/{runs[1]}").text
    assert f"/datasets/{dataset_id}/compare?run={runs[0]}&amp;run={runs[1]}" in page


def test_a_run_that_has_a_name_is_called_by_it(client, world, dataset_id, runs):
    named = add_answered(world, dataset_id, ROWS, ("rose", EVIL), name="at dusk")
    assert f'<a href="/runs/{named}">B: at dusk</a>' in page_of(client, dataset_id, [runs[0], named])[1]
    assert "at dusk, <time" in page_of(client, dataset_id, [])[1]


def test_runs_of_several_versions_are_compared_on_the_photos_that_all_have_been_asked(client, world):
    dataset_id = add_photos(world, s1="rose", s2="tulip", s3="rose", s4="tulip")
    first = add_answered(world, dataset_id, [("s1", "rose", "rose", 0.9), ("s2", "tulip", "rose", 0.9)])
    rows = [(sha, label, label, 0.9) for sha, label in (("s1", "rose"), ("s2", "tulip"), ("s3", "rose"))]
    second = add_answered(world, dataset_id, [*rows, ("s4", "tulip", "rose", 0.9)])
    _, page = page_of(client, dataset_id, [first, second])
    assert "not tested with the same photos" in page and 'id="common"' in page
    assert "accuracy on the 2 photos that all have been asked" in page
    assert "On the 2 photos that both have been asked, A is right on 50.0 % and B on 100.0 %." in page
    assert "B is ahead by 50.0 points" in page


def test_a_label_that_was_corrected_since_scores_both_runs_anew_with_a_word_of_care(client, world, runs, dataset_id):
    with world.database.session() as session:
        session.query(DatasetFile).filter_by(dataset_id=dataset_id, sha256="s2").one().label = "rose"
        session.add(DatasetFile(dataset_id=dataset_id, name="t", sha256="t", label=EVIL, state=FileState.ACCEPTED))
    _, page = page_of(client, dataset_id, runs)
    assert "A is right on 100.0 % and B on 50.0 %." in page
    assert "1 tested photo has another label today" in page
    assert "make its score optimistic" in page
