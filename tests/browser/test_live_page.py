"""The page of a live run in a real browser, with a real Redis; the test plays the pipeline."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from automl.durations import duration_in_words
from automl.pipeline.database_observer import DatabaseObserver
from automl.records import RunState, Stage, TrialRecord, TrialState
from automl.store.events import RunEvents
from tests.browser.test_run_page import PlayedRun
from tests.redis_server import running_redis

pytestmark = pytest.mark.browser


class Best:
    def __init__(self, number: int, score: float, params: dict[str, object]) -> None:
        self.number, self.score, self.params = number, score, params


@pytest.fixture
def environment(tmp_path) -> Iterator[dict[str, str]]:
    with running_redis(tmp_path) as url:
        yield {"DARKROOM_BROKER_URL": url}


@pytest.fixture
def run(site):
    played = PlayedRun(site)
    played.search()
    return played


@pytest.fixture
def pipeline(site, run):
    return DatabaseObserver(site.database, site.store, run.id, events=RunEvents(site.settings.broker_url))


def trial(number: int, score: float | None = None, stage: Stage = Stage.HEADS) -> TrialRecord:
    state = TrialState.COMPLETE if score else TrialState.RUNNING
    params = {"backbones": "mobilenet_v2", "taps": "last", "image_size_px": 96}
    return TrialRecord(
        number, state, ("mobilenet_v2",), 96, params, score, 5.0 * number, 5.0 * bool(score), stage=stage
    )


def tell(pipeline, number: int, score: float) -> None:
    record = trial(number, score)
    pipeline.trial(record, Best(number, score, record.params))


def test_the_page_is_told_and_does_not_ask_each_second(page, run, pipeline):
    with page.expect_request("**/events?*"):
        page.goto(f"/runs/{run.id}")
    page.wait_for_timeout(500)
    asked = []
    page.on("request", lambda request: "/live?" in request.url and asked.append(request.url))
    pipeline.activity("Looking closely")
    expect(page.locator("#activity")).to_contain_text("Looking closely")
    page.wait_for_timeout(2500)
    assert asked == []


def test_trials_charts_and_epochs_grow_and_a_reload_keeps_them(page, run, pipeline):
    page.goto(f"/runs/{run.id}")
    tell(pipeline, 0, 0.81)
    expect(page.locator("#trials tbody tr")).to_have_count(1)
    tell(pipeline, 1, 0.93)
    pipeline.trying(trial(2, stage=Stage.FINE_TUNING))
    expect(page.locator("#trials tbody tr")).to_have_count(3)
    expect(page.locator("tr[data-number='2']")).to_contain_text("running")
    expect(page.locator("tr[data-number='1'] .best-mark")).to_be_visible()
    expect(page.locator("#last-tried")).to_have_text("Tried last: small photos (96 px), MobileNetV2: 93.0 %")
    expect(page.locator("#best-score")).to_have_text("93.0 %")
    expect(page.locator("#course-chart canvas")).to_be_visible()
    pipeline.epoch(1, 0.85, 0.4)
    pipeline.epoch(2, 0.9, 0.3)
    expect(page.locator("#epoch-words")).to_have_text("After epoch 2: 90.0 % right, loss 0.300.")
    before = page.locator("#run-progress").evaluate("bar => bar.value")
    page.reload()
    expect(page.locator("#trials tbody tr")).to_have_count(3)
    expect(page.locator("#epoch-words")).to_have_text("After epoch 2: 90.0 % right, loss 0.300.")
    expect(page.locator("#course-chart canvas")).to_be_visible()
    assert page.locator("#run-progress").evaluate("bar => bar.value") >= before
    pipeline.epoch(3, 0.91, 0.2)
    expect(page.locator("#epoch-words")).to_contain_text("After epoch 3")


def test_the_table_is_sorted_by_a_button_in_its_head_and_stays_so(page, run, pipeline):
    for number, score in enumerate((0.8, 0.95, 0.9)):
        tell(pipeline, number, score)
    page.goto(f"/runs/{run.id}")
    page.get_by_role("button", name="Score").click()
    expect(page.locator("th[data-sort=score]")).to_have_attribute("aria-sort", "descending")
    numbers = page.locator("#trials tbody tr td:first-child")
    expect(numbers).to_have_text(["1", "2", "0"])
    tell(pipeline, 3, 0.92)
    expect(numbers).to_have_text(["1", "3", "2", "0"])


def test_more_time_is_given_and_said(page, run):
    page.goto(f"/runs/{run.id}")
    page.get_by_role("button", name="Give it 5 minutes more").click()
    expect(page.locator("#left")).to_contain_text("of 7 minutes")
    assert run.row().budget_s == 420.0


def test_the_result_appears_by_itself_and_the_page_falls_silent(page, run, pipeline):
    page.goto(f"/runs/{run.id}")
    page.wait_for_timeout(500)
    run.finish()
    pipeline.ended()
    expect(page.locator("#test-score")).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert [url for url in asked if "/live" in url or "/events" in url] == []


def test_times_are_in_the_same_words_as_on_the_server(page, run):
    page.goto(f"/runs/{run.id}")
    source = page.locator("script[src$='run.js']").get_attribute("src").replace("run.js", "durations.js")
    script = "async ([source, all]) => { const words = await import(source); return all.map(words.durationInWords) }"
    seconds = [0, 0.5, 1, 1.5, 59.4, 60, 61, 599.6, 600, 3569, 3570, 3600, 3661, 7199, 86400]
    assert page.evaluate(script, [source, seconds]) == [duration_in_words(one) for one in seconds]


def test_the_time_goes_on_while_the_best_model_is_tested(page, run):
    page.goto(f"/runs/{run.id}")
    run.go(RunState.FINISHING, 90.0)
    RunEvents(run.site.settings.broker_url).publish(run.id, "state", state="finishing")
    expect(page.locator("#so-far")).to_have_text("1 minute 32 seconds")
    expect(page.locator("#so-far")).to_have_text("1 minute 34 seconds")


def test_the_number_of_tries_does_not_count_the_one_that_goes_on(page, run, pipeline):
    page.goto(f"/runs/{run.id}")
    tell(pipeline, 0, 0.81)
    expect(page.locator("#n-tries")).to_have_text("1")
    pipeline.trying(trial(1))
    expect(page.locator("tr[data-number='1']")).to_contain_text("running")
    expect(page.locator("#n-tries")).to_have_text("1")


def test_the_table_stands_for_the_chart_until_that_is_drawn(page, run, pipeline):
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#course")).to_be_hidden()
    tell(pipeline, 0, 0.81)
    expect(page.locator("#course-drawn")).to_be_visible()
    expect(page.locator("#bests")).to_be_hidden()


def test_without_a_script_the_course_is_a_table(plain_page, run, pipeline):
    tell(pipeline, 0, 0.81)
    plain_page.goto(f"/runs/{run.id}")
    expect(plain_page.locator("#bests")).to_contain_text("81.0 %")
    expect(plain_page.locator("#course-drawn")).to_be_hidden()


def test_what_could_not_be_asked_for_is_asked_for_again_while_events_come(page, run, pipeline):
    page.goto(f"/runs/{run.id}")
    page.wait_for_timeout(500)
    failed = []
    page.route("**/live?*", lambda route: (failed.append(route.request.url), route.abort()))
    pipeline.note("Something was found.")
    expect(page.locator("#connection-lost")).to_be_visible()
    page.unroute("**/live?*")
    expect(page.locator("#figures")).to_contain_text("Something was found.")
    expect(page.locator("#connection-lost")).to_be_hidden()
    assert failed


def test_a_stream_that_falls_silent_is_said_and_asked_around(page, run, monkeypatch):
    monkeypatch.setattr("server.live_hub.CLOCK_EVERY_S", 1e9)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#slow-news")).to_be_hidden()
    expect(page.locator("#slow-news")).to_be_visible(timeout=20_000)
    run.write(activity="Found by asking")
    expect(page.locator("#activity")).to_contain_text("Found by asking")
