"""The test photos behind a result."""

import re

import pytest

from automl.records import FileState, RunState
from automl.store.tables import DatasetFile
from server.pages.answers import N_ON_A_PAGE
from tests.server.answered import add_answered, add_photos, result_of

EVIL = "tulip <b>\"&'"
ROWS = [
    ("s1", "rose", "rose", 0.9),
    ("s2", "rose", EVIL, 0.7),
    ("s3", EVIL, "rose", 0.55),
    ("s4", EVIL, "rose", 0.95),
    ("gone", EVIL, "rose", 0.6),
]


@pytest.fixture
def dataset_id(world):
    return add_photos(world, s1="rose", s2="rose", s3=EVIL, s4=EVIL)


@pytest.fixture
def run_id(world, dataset_id):
    return add_answered(world, dataset_id, ROWS, ("rose", EVIL))


def names(client, path, **query):
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200
    return re.findall(r'<p class="file-name"><small>(\w+)\.jpg', answer.text)


def test_a_cell_shows_its_photos_the_surest_first(client, run_id):
    assert names(client, f"/runs/{run_id}/answers", really=EVIL, said="rose") == ["s4", "gone", "s3"]


def test_a_row_and_a_column_show_the_mistakes_first(client, run_id):
    assert names(client, f"/runs/{run_id}/answers", really="rose") == ["s2", "s1"]
    assert names(client, f"/runs/{run_id}/answers", said="rose") == ["s4", "gone", "s3", "s1"]


def test_without_a_class_all_mistakes_are_shown(client, run_id):
    assert names(client, f"/runs/{run_id}/answers") == ["s4", "s2", "gone", "s3"]


@pytest.mark.parametrize(("rows", "none_wrong"), [(ROWS, False), (ROWS[:1], True)])
def test_without_a_test_set_it_says_who_answered(client, world, dataset_id, rows, none_wrong):
    result = {"test": {**result_of(("rose", EVIL), rows)["test"], "method": "cross-validated"}}
    run_id = add_answered(world, dataset_id, rows, ("rose", EVIL), result)
    page = " ".join(client.get(f"/runs/{run_id}/answers").text.split())
    assert "Each of these photos was answered by a model that had not seen it." in page
    assert ("There was no mistake on any of the photos." in page) == none_wrong
    assert "test photos" not in page


def test_where_nothing_is_wrong_no_correction_is_proposed(client, world, dataset_id):
    run_id = add_answered(world, dataset_id, ROWS[:1], ("rose", EVIL))
    for query in ("", "?really=rose", "?really=rose&said=rose"):
        assert "If a label is wrong" not in client.get(f"/runs/{run_id}/answers{query}").text


def test_a_wrong_answer_may_be_a_wrong_label(client, run_id):
    assert "If a label is wrong" in client.get(f"/runs/{run_id}/answers").text


def test_each_photo_says_what_it_was_taken_for_and_how_surely(client, world, run_id, dataset_id):
    page = " ".join(client.get(f"/runs/{run_id}/answers?really=rose").text.split())
    file_id = world.file_ids(dataset_id)["rose/s2.jpg"]
    assert f'src="/datasets/{dataset_id}/thumbnails/{file_id}"' in page
    assert "It said <strong>tulip &lt;b&gt;&#34;&amp;&#39;</strong>, you said <strong>rose</strong>" in page
    assert "70.0 % sure; then other, 1.0 %" in page


def test_an_answer_below_the_threshold_says_not_sure(client, run_id):
    page = " ".join(client.get(f"/runs/{run_id}/answers?said=rose").text.split())
    assert page.count("Not sure, perhaps") == 1
    assert "Not sure, perhaps <strong>rose</strong> (55.0 %), you said" in page
    assert page.count("% sure;") == 3


def test_a_right_answer_below_the_threshold_says_not_sure_too(client, world, dataset_id):
    run_id = add_answered(world, dataset_id, [("s1", "rose", "rose", 0.51)])
    page = " ".join(client.get(f"/runs/{run_id}/answers?really=rose").text.split())
    assert "✓ right</span> Not sure, perhaps <strong>rose</strong> (51.0 %)</p> <p><small>then other" in page


def test_a_photo_that_was_removed_is_named_without_a_picture(client, run_id):
    page = client.get(f"/runs/{run_id}/answers").text
    card = next(card for card in page.split("<li class=") if "gone.jpg" in card)
    assert "removed since" in card
    assert "<img" not in card and "<form" not in card


def test_no_name_of_a_class_is_ever_markup(client, run_id):
    for query in ({}, {"really": EVIL}, {"said": EVIL}, {"really": EVIL, "said": "rose"}):
        assert "<b>" not in client.get(f"/runs/{run_id}/answers", query_string=query).text
    for page in ("", "/mistakes", "/doubts", "/details"):
        assert "<b>" not in client.get(f"/runs/{run_id}{page}").text


def test_every_link_of_the_matrix_leads_to_as_many_photos_as_it_counts(client, run_id):
    page = client.get(f"/runs/{run_id}/mistakes").text
    table = page.split('id="confusion"')[1].split("</table>")[0]
    cells = re.findall(r'<a href="(/runs/[^"]*)" aria-label="(\d+) photos?[^"]*"[^>]*>(\d+)</a>', table)
    assert len(cells) == 3  # rose-rose, rose-tulip, tulip-rose; the fourth is 0
    for address, told, shown in cells:
        found = client.get(address.replace("&amp;", "&")).text.count('<li class="test-answer ')
        assert found == int(told) == int(shown)


def test_many_answers_are_paged(client, world):
    rows = [(f"p{i}", "rose", "tulip", 0.5 + i / 1000) for i in range(N_ON_A_PAGE + 3)]
    run_id = add_answered(world, add_photos(world), rows)
    first = client.get(f"/runs/{run_id}/answers?really=rose&said=tulip").text
    assert "Page 1 of 2" in first
    assert f'rel="next" href="/runs/{run_id}/answers?really=rose&amp;said=tulip&amp;page=2"' in first
    assert names(client, f"/runs/{run_id}/answers", page=2) == ["p2", "p1", "p0"]
    assert names(client, f"/runs/{run_id}/answers", page=99) == ["p2", "p1", "p0"]


def test_a_class_that_the_run_does_not_know_is_not_found(client, run_id):
    assert client.get(f"/runs/{run_id}/answers?really=oak").status_code == 404


@pytest.mark.parametrize("state", [RunState.SEARCHING, RunState.DONE])
def test_a_run_without_answers_says_so(client, world, state):
    answer = client.get(f"/runs/{world.add_run(state, result={'classes': []})}/answers")
    assert answer.status_code == 404
    assert "There are no answers to show" in answer.text


def test_a_label_is_corrected_and_the_page_says_so(client, world, run_id, dataset_id):
    file_id = world.file_ids(dataset_id)["rose/s2.jpg"]
    fields = {"file": file_id, "to": EVIL, "back": "answers", "really": "rose", "page": "1"}
    answer = client.post(f"/runs/{run_id}/labels", data=fields)
    assert (answer.status_code, answer.location) == (303, f"/runs/{run_id}/answers?really=rose&page=1")
    with world.database.session() as session:
        assert session.get(DatasetFile, file_id).label == EVIL
    assert "You moved it to tulip &lt;b&gt;" in client.get(answer.location).text


def test_only_photos_of_the_same_data_set_can_be_corrected(client, world, run_id):
    other = world.file_ids(add_photos(world, s9="rose"))["rose/s9.jpg"]
    for file_id in (other, 10**30, "x"):
        assert client.post(f"/runs/{run_id}/labels", data={"file": file_id, "to": "rose"}).status_code == 404


def test_a_photo_that_was_left_out_since_says_so(client, world, run_id, dataset_id):
    with world.database.session() as session:
        session.get(DatasetFile, world.file_ids(dataset_id)["rose/s2.jpg"]).state = FileState.EXCLUDED
    page = client.get(f"/runs/{run_id}/answers?really=rose").text
    assert "It is left out of these photos now." in page


def test_a_single_mistake_is_not_called_all(client, world):
    dataset_id = add_photos(world, s1="rose", s2="rose")
    run_id = add_answered(world, dataset_id, ROWS[:2], ("rose", EVIL))
    page = client.get(f"/runs/{run_id}/answers?really=rose").text
    assert ">The one mistake</a>" in page and "All 1" not in page


def test_where_labels_are_corrected_it_says_what_that_does_to_the_score(client, run_id):
    page = " ".join(client.get(f"/runs/{run_id}/answers").text.split())
    assert "labels that are corrected after looking at a model’s mistakes make its score optimistic." in page


def test_a_corrected_test_label_is_counted_on_the_page_of_the_run_with_a_word_of_care(
    client, world, dataset_id, run_id
):
    assert 'id="rescored"' not in client.get(f"/runs/{run_id}/mistakes").text
    with world.database.session() as session:
        session.query(DatasetFile).filter_by(dataset_id=dataset_id, sha256="s4").one().label = "rose"
    page = " ".join(client.get(f"/runs/{run_id}/mistakes").text.split())
    assert "1 tested photo has another label today" in page
    assert "By the labels of today, 2 of 5 answers are right (40.0 %), by those of this run 1 (20.0 %)." in page
    assert "make its score optimistic" in page
