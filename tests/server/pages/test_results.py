"""The pages behind the first screen of a result, and the place that the model will be used at."""

import re
from pathlib import Path

import pytest

from automl.formats import FORMATS
from automl.records import ExportState, RunState
from automl.store.tables import LogEntry
from server.views import outcome
from server.views.uses import FORMATS_FOR, ModelUse
from tests.reports import report_values
from tests.server.finished import add_finished
from tests.server.rich_result import add_rich_result

PARTS = ("mistakes", "doubts", "details")
TRADE = """confusion matrix, recall, precision, F1, Pareto, baseline, interval, calibrat, ensemble, backbone, trial,
hyperparameter, validation, class-activation""".replace("\n", " ").split(", ")


@pytest.fixture
def run_id(world):
    return add_rich_result(world)


def text_of(client, path):
    return " ".join(client.get(path).text.split())


def ticked(html):
    return [one.name for one in FORMATS if re.search(rf'id="format-{one.name}"[^>]* checked', html)]


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_a_page_that_the_others_lead_to(client, run_id, part):
    for page in ("", *(f"/{name}" for name in PARTS)):
        html = text_of(client, f"/runs/{run_id}{page}")
        assert f'href="/runs/{run_id}/{part}"' in html
        assert (f'href="/runs/{run_id}/{part}" aria-current="page"' in html) == (page == f"/{part}")


def test_the_tabs_say_how_many_mistakes_and_doubts_there_are(client, run_id):
    tabs = text_of(client, f"/runs/{run_id}").split('id="result-tabs"')[1].split("</nav>")[0]
    words = re.sub("<[^>]*>", "", tabs).split(">", 1)[1]
    assert " ".join(words.split()) == "Result Mistakes 3 Photos it doubts 1 Details"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("state", [RunState.SEARCHING, RunState.FAILED])
def test_a_run_without_a_result_has_one_page(client, world, part, state):
    run_id = world.add_run(state)
    answer = client.get(f"/runs/{run_id}/{part}")
    assert (answer.status_code, answer.location) == (302, f"/runs/{run_id}")


def test_the_page_says_how_well_it_knows_what_it_has_not_learned(world, client, run_id):
    words = text_of(client, f"/runs/{run_id}/mistakes")
    assert "Of pictures of other things it says so to 42 of 44, rightly (expect 85 to 99 of 100)." in words
    assert "Of your test photos it says so to 0 of 6, wrongly (expect 0 to 39 of 100)." in words
    assert "This model cannot say" in text_of(client, f"/runs/{add_finished(world)}/mistakes")


def test_a_run_that_is_not_there_is_not_found(client):
    assert client.get("/runs/nowhere/details").status_code == 404


@pytest.mark.parametrize("page", ["", "/mistakes", "/doubts"])
def test_words_of_the_trade_stand_under_details_alone(client, run_id, page):
    main = text_of(client, f"/runs/{run_id}{page}").split("<main")[1].split("</main>")[0]
    for_all = re.sub('<details id="formats-by-name">.*?</details>', "", main)  # one step further, for who knows them
    words = re.sub("<[^>]*>", " ", for_all)
    assert [term for term in TRADE if term.lower() in words.lower()] == []


def test_each_word_of_the_trade_leads_to_its_entry_in_the_glossary(client, run_id):
    lines = Path("docs/glossary.md").read_text(encoding="utf-8").splitlines()
    first = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    known = {re.sub(r" \(.*", "", term).lower().replace(" ", "-") for term in first}
    linked = re.findall(r'class="term" href="/help/words#([^"]+)"', client.get(f"/runs/{run_id}/details").text)
    assert len(linked) > 8 and set(linked) <= known


def test_what_to_do_next_leads_there(client, run_id):
    page = text_of(client, f"/runs/{run_id}")
    advice = page.split('id="advice"')[1].split('class="button-row')[0]
    assert "Is it good enough?" in advice and "It has not learned to tell them apart" in advice
    assert '#add-more">Add photos</a>' in advice
    steps = page.split('id="steps"')[1].split("</ol>")[0]
    assert f'href="/runs/{run_id}/doubts">Look at them</a>' in steps


@pytest.mark.parametrize("use", [use for use in ModelUse if FORMATS_FOR[use]])
def test_the_place_of_use_chooses_the_formats(client, world, use):
    html = text_of(client, f"/runs/{add_finished(world)}?use={use}")
    assert ticked(html) == list(FORMATS_FOR[use])
    assert f'id="use-{use}" aria-current="true"' in html and "use-waits" not in html


@pytest.mark.parametrize("use", ["", "?use=page", "?use=moon"])
def test_without_a_place_that_needs_a_format_the_usual_ones_are_ticked(client, world, use):
    assert ticked(text_of(client, f"/runs/{add_finished(world)}{use}")) == ["onnx", "keras"]


def test_a_format_that_a_place_needs_and_that_is_not_made_yet_is_said_to_come(client, world):
    html = text_of(client, f"/runs/{add_finished(world, litert_float16=ExportState.PREPARING)}?use=phone")
    assert 'id="use-waits"' in html and ticked(html) == ["onnx", "keras"]


def test_formats_by_name_are_one_step_further_but_for_who_writes_a_program(client, world):
    run_id = add_finished(world)
    assert '<details id="formats-by-name">' in text_of(client, f"/runs/{run_id}")
    assert '<details id="formats-by-name" open>' in text_of(client, f"/runs/{run_id}?use=program")


def test_how_sure_it_is_is_drawn_in_the_page_from_the_figures(client, run_id):
    details = text_of(client, f"/runs/{run_id}/details").split('id="sureness-title"')[1].split("</section>")[0]
    assert details.count('class="drawn-dot"') == 2 and 'class="drawn-mark"' in details
    assert "On average it is 6.0 % off" in details
    assert "style=" not in details


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("", ["view_mistakes", "next_steps"]),
        ("/mistakes", ["view_mistakes", "rescored", "view_sure", "view_confusion"]),
        ("/doubts", ["view_mistakes"]),
        ("/details", ["view_mistakes", "rescored", "next_steps", "view_history"]),
    ],
)
def test_each_page_works_out_what_it_shows_alone(client, run_id, monkeypatch, page, shown):
    worked_out = []

    def watched(name, work):
        return lambda *args, **kwargs: worked_out.append(name) or work(*args, **kwargs)

    for name in ("view_confusion", "view_mistakes", "rescored", "view_sure", "next_steps", "view_history"):
        monkeypatch.setattr(outcome, name, watched(name, getattr(outcome, name)))
    assert client.get(f"/runs/{run_id}{page}").status_code == 200
    assert sorted(worked_out) == sorted(shown)


def test_the_search_and_what_more_photos_are_worth_are_drawn_in_the_page_with_their_tables(client, world, run_id):
    with world.database.session() as session:
        best = LogEntry(run_id=run_id, kind="best", used_s=3.0, score=0.95, text="MobileNetV2 at 224 px")
        session.add(best)
    world.add_artifact(run_id, "plot", b"png", "search.png", "image/png", "What was tried over time")
    details = text_of(client, f"/runs/{run_id}/details")
    history = details.split('id="history"')[1].split("</section>")[0]
    assert history.count('<rect class="mark mark-fine-tuning"') == 2 + 1  # two tries with a score, and the legend
    assert "3 seconds</td><td" in history and "MobileNetV2 at 224 px" in history and "drawn-course" in history
    assert "What was tried over time" not in details  # the picture of the same stays in the download
    worth = details.split('id="worth"')[1].split("</section>")[0]
    assert worth.count('class="mark mark-heads"') == 2
    assert '10</td><td class="number">75.0 %</td>' in worth.replace("\xa0", " ") and "+5.0 ± 1.0" in worth
    assert "style=" not in history + worth


def test_a_run_of_one_try_without_a_curve_draws_neither(client, world):
    details = text_of(client, f"/runs/{add_finished(world)}/details")
    assert 'id="history"' not in details and 'id="worth"' not in details


def test_photos_of_anything_else_are_counted_apart_from_the_kinds(client, world):
    result = report_values(classes=["rose", "other"], test={"confusion": [[8, 2], [1, 9]]})
    page = client.get(f"/runs/{world.add_run(RunState.DONE, result=result)}/mistakes").text
    words = " ".join(page.split())
    assert "Of 10 tested photos of “other”, it took 1 for one of your kinds." in words
    assert "Of 10 tested photos of your kinds, it took 2 for “other”." in words
