"""The download panel of a finished run: its tick boxes in each state, and how it follows what is being prepared."""

import re
from datetime import timedelta

import pytest

from automl.formats import FORMATS
from automl.records import ExportState, RunState
from automl.store.tables import now
from automl.task_names import EXPORT
from automl.text.numbers import size_in_words
from tests.server.conftest import zip_of
from tests.server.finished import BASE, TEST, add_finished, change_export, proof

PREPARING = {one.name: ExportState.PREPARING for one in FORMATS}


def page_of(client, run_id):
    return " ".join(client.get(f"/runs/{run_id}").text.split())


def box(html, name):
    """The attributes of one tick box."""
    (found,) = re.findall(rf'<input type="checkbox" id="format-{name}"[^>]*>', html)
    return found


def part(html, kind, name):
    """What stands in the label, or in the words about it."""
    (found,) = re.findall(rf'id="{kind}-{name}"[^>]*>(.*?)</(?:label|p)>', html)
    return " ".join(re.sub("<[^>]*>", " ", found).split())


def poll_of(html):
    """The address that the page asks, None where it does not."""
    found = re.search(r'id="formats-poll" hx-get="([^"]+)"', html)
    return found[1].replace("&amp;", "&") if found else None


def test_ready_formats_have_size_figures_and_an_open_box(client, world):
    html = page_of(client, add_finished(world))
    assert "disabled" not in box(html, "litert_int8") and "checked" not in box(html, "litert_int8")
    assert part(html, "label", "litert_int8") == "LiteRT (TFLite), int8 400 bytes"
    about = part(html, "about", "litert_int8")
    assert "Right on 9 of 10 test photos, like the model itself, 9.0 ms a photo" in about
    assert "All 6 formats are ready" in html and poll_of(html) is None


@pytest.mark.parametrize(
    ("difference", "words"),
    [(None, ""), (0.0004, ""), (0.0312, "how sure it is differs by at most 3.1 points of 100, ")],
)
@pytest.mark.parametrize("is_true", [True, False])
def test_a_format_says_by_how_much_a_probability_differs_at_most(client, world, difference, words, is_true):
    run_id = add_finished(world)
    change_export(world, run_id, "litert_int8", proof=proof(is_true=is_true, largest_difference=difference))
    about = part(page_of(client, run_id), "about", "litert_int8")
    assert f"{words}9.0 ms a photo".lower() in about.lower()
    assert ("points of 100" in about) == bool(words)


def test_onnx_and_keras_are_ticked_to_begin_with(client, world):
    html = page_of(client, add_finished(world))
    assert [one.name for one in FORMATS if "checked" in box(html, one.name)] == ["onnx", "keras"]
    assert "checked" in box(page_of(client, add_finished(world, **PREPARING)), "onnx")


def test_a_format_that_differs_says_so_in_words_in_its_label(client, world):
    run_id = add_finished(world)
    change_export(world, run_id, "litert_int8", proof=proof(is_true=False, accuracy=0.5))
    html = page_of(client, run_id)
    assert "not quite the same model" in part(html, "label", "litert_int8")
    assert "right on 5 of 10 test photos, the model itself on 9." in part(html, "about", "litert_int8")
    assert "disabled" not in box(html, "litert_int8")


@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        (1.0, "Same answers as the model itself, 9.0 ms a photo"),
        (0.995, "99.5 % of its answers are those of the model"),
    ],
)
def test_without_a_test_set_a_format_says_how_often_it_answers_as_the_model(client, world, agreement, words):
    run_id = add_finished(world, method="cross-validated")
    change_export(world, run_id, "litert_int8", proof=proof(accuracy=None, agreement=agreement))
    html = page_of(client, run_id)
    assert words in part(html, "about", "litert_int8")
    assert "asked about some of the photos that the model has learned from" in html
    assert "test photos" not in html.lower()


def test_a_format_that_answers_otherwise_without_a_test_set_says_so(client, world):
    run_id = add_finished(world, method="cross-validated")
    change_export(world, run_id, "litert_int8", proof=proof(is_true=False, accuracy=None, agreement=0.9))
    about = part(page_of(client, run_id), "about", "litert_int8")
    assert "Not quite the same model: 90.0 % of its answers are those of the model itself." in about


def test_a_format_that_could_not_be_loaded_again_says_so(client, world):
    run_id = add_finished(world)
    words = "It could not be loaded again, so do not rely on it."
    change_export(world, run_id, "saved_model", proof=proof(is_true=False, accuracy=None, words=words))
    assert words in part(page_of(client, run_id), "about", "saved_model")


def test_what_is_being_prepared_has_a_closed_box_and_says_when_it_comes(client, world):
    run_id = add_finished(world, **PREPARING)
    change_export(world, run_id, "saved_model", lease_until=now() + timedelta(seconds=30))
    html = page_of(client, run_id)
    assert [one.name for one in FORMATS if "disabled" not in box(html, one.name)] == ["onnx", "keras"]
    assert "preparing" in part(html, "label", "saved_model")
    assert "being tested" in part(html, "label", "onnx") and "preparing" not in part(html, "label", "onnx")
    assert "Being made and tested now" in part(html, "about", "saved_model")
    assert "Waits for its turn" in part(html, "about", "litert_int8")
    assert "Ready to download" in part(html, "about", "onnx")
    assert "2 formats can be downloaded now. 4 more will follow in a few minutes." in html
    assert "<noscript><p>Load this page again" in html


def test_what_can_be_had_and_is_only_tested_once_more_is_not_said_to_follow(client, world):
    html = page_of(client, add_finished(world, onnx=ExportState.PREPARING, litert_int8=ExportState.FAILED))
    assert "5 formats can be downloaded now. 1 of them is being tested once more." in html


def test_a_failed_format_says_why_and_can_be_tried_again(client, world):
    run_id = add_finished(world, litert_int8=ExportState.FAILED)
    html = page_of(client, run_id)
    assert "failed" in part(html, "label", "litert_int8") and "disabled" in box(html, "litert_int8")
    assert "There was no room." in part(html, "about", "litert_int8")
    assert f'<form method="post" action="/runs/{run_id}/exports"> <button type="submit"' in html
    answer = client.post(f"/runs/{run_id}/exports")
    assert (answer.status_code, answer.location) == (303, f"/runs/{run_id}#download-title")
    assert world.queue.sent == [(EXPORT, run_id)]
    assert "preparing" in part(page_of(client, run_id), "label", "litert_int8")


def test_a_run_of_an_older_version_offers_to_prepare_the_formats(client, world):
    run_id = world.add_run(RunState.DONE, result={"sentence": "It was right.", "test": TEST})
    world.add_artifact(run_id, "bundle", zip_of(**BASE), "b.zip", "application/zip")
    html = page_of(client, run_id)
    assert "checkbox" not in html and "Prepare the other formats" in html
    assert f'id="download" href="/api/v1/runs/{run_id}/bundle"' in html
    client.post(f"/runs/{run_id}/exports")
    assert world.queue.sent == [(EXPORT, run_id)]
    assert "checkbox" in page_of(client, run_id)


def test_where_nothing_can_be_chosen_the_download_is_still_there(client, world):
    html = page_of(client, add_finished(world, **dict.fromkeys(PREPARING, ExportState.FAILED)))
    assert "/bundle" in html and 'id="choose-formats"' not in html and "Retry failed formats" in html


def test_the_form_works_without_scripts(client, world):
    """Its fields, as a browser sends them, are an address that answers with the .zip."""
    run_id = add_finished(world)
    html = page_of(client, run_id)
    (action,) = re.findall(r'<form method="get" action="([^"]+)" id="choose-formats"', html)
    ticked = [one.name for one in FORMATS if "checked" in box(html, one.name)]
    with client.get(action, query_string={"chosen": "yes", "format": ticked}) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "application/zip")


def test_the_size_of_the_choice_stands_on_the_button(client, world):
    html = page_of(client, add_finished(world))
    (others,) = re.findall(r'id="choose-formats" data-n-bytes="(\d+)"', html)
    assert int(others) == sum(len(data) for name, data in BASE.items() if not name.startswith("model."))
    assert f'<span id="download-size">{size_in_words(int(others) + 800)}</span>' in html


def test_while_nothing_changes_the_page_is_sent_nothing(client, world):
    html = page_of(client, add_finished(world, litert_int8=ExportState.PREPARING))
    answer = client.get(poll_of(html))
    assert (answer.status_code, answer.data) == (204, b"")


def test_only_what_has_changed_is_sent(client, world):
    run_id = add_finished(world, litert_int8=ExportState.PREPARING, saved_model=ExportState.PREPARING)
    html = page_of(client, run_id)
    change_export(world, run_id, "litert_int8", proof=proof(), state=ExportState.READY, key="k")
    news = " ".join(client.get(poll_of(html)).text.split())
    assert set(re.findall(r'id="label-(\w+)"', news)) == {"litert_int8"}
    assert "disabled" not in box(news, "litert_int8") and 'hx-swap-oob="true"' in box(news, "litert_int8")
    assert "5 formats can be downloaded now. 1 more will follow in a few minutes." in news
    assert client.get(poll_of(news)).status_code == 204


def test_a_box_that_stays_open_is_left_alone_with_its_tick(client, world):
    run_id = add_finished(world, **PREPARING)
    html = page_of(client, run_id)
    change_export(world, run_id, "onnx", proof=proof(), state=ExportState.READY)
    news = " ".join(client.get(poll_of(html)).text.split())
    assert "Right on 9 of 10" in part(news, "about", "onnx")
    assert "<input" not in news


def test_the_page_stops_asking_when_all_are_ready(client, world):
    run_id = add_finished(world, litert_int8=ExportState.PREPARING)
    html = page_of(client, run_id)
    change_export(world, run_id, "litert_int8", proof=proof(), state=ExportState.READY, key="k")
    assert poll_of(" ".join(client.get(poll_of(html)).text.split())) is None


@pytest.mark.parametrize("seen", ["", "x", "9.9.9.9.9.9"])
def test_a_page_that_has_seen_something_else_is_sent_everything(client, world, seen):
    run_id = add_finished(world)
    news = client.get(f"/runs/{run_id}/exports", query_string={"seen": seen}).text
    assert len(re.findall('id="label-', news)) == 6 and news.count("<input") == 6


def test_a_run_without_a_model_has_no_formats(client, world):
    assert client.get(f"/runs/{world.add_run()}/exports").status_code == 404
    assert client.post(f"/runs/{world.add_run()}/exports").status_code == 409


def test_the_queue_being_away_is_said(client, world):
    run_id = add_finished(world, litert_int8=ExportState.FAILED)
    world.queue.away = True
    assert client.post(f"/runs/{run_id}/exports").status_code == 503
