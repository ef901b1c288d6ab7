"""The page of a live run in a real browser, with a real Redis; the test plays the pipeline."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from automl.pipeline.database_observer import DatabaseObserver
from automl.records import RunResult, RunState, Stage, TrialRecord, TrialState
from automl.store.database import find_run
from automl.store.events import RunEvents
from automl.store.run_clock import RunClock
from automl.store.tables import LogEntry
from automl.text.durations import duration_in_words
from tests.browser.test_accessibility import tab_to
from tests.browser.test_run_page import PlayedRun
from tests.redis_server import running_redis
from tests.reports import made_report
from tests.server.conftest import zip_of
from tests.server.pages.test_runs import RESULT

pytestmark = pytest.mark.browser


NOTIFICATION = """
window.shown = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, { body }) { window.shown.push([title, body]); }
};
"""
PLOTS = """
window.plots = [];
let made;
Object.defineProperty(window, "uPlot", { configurable: true, get: () => made, set: (uPlot) => {
  const construct = (_, options) => window.plots[window.plots.push(new uPlot(...options)) - 1];
  made = new Proxy(uPlot, { construct });
} });
window.dataOf = (box) => window.plots.find((plot) => document.querySelector(box).contains(plot.root))?.data;
"""
HAS_COLOUR = """([box, name]) => {
  const canvas = document.querySelector(`${box} canvas`);
  if (!canvas) return false;
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = name;
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data.join();
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) if (data.slice(i, i + 4).join() === wanted) return true;
  return false;
}"""
LIGHT_LINE, DARK_LINE = "#8f4700", "#ffb454"  # --pico-primary of both colour schemes


class Best:
    def __init__(self, number: int, score: float, params: dict[str, object]) -> None:
        self.number, self.score, self.params = number, score, params
        self.parts = ()


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
        number=number,
        state=state,
        backbones=("mobilenet_v2",),
        image_size_px=96,
        params=params,
        score=score,
        started_s=5.0 * number,
        duration_s=5.0 * bool(score),
        stage=stage,
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
    expect(numbers).to_have_text(["2", "3", "1"])
    tell(pipeline, 3, 0.92)
    expect(numbers).to_have_text(["2", "4", "3", "1"])


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
    about = [
        duration_in_words(RunClock(progress=0.5, used_s=1.0, left_s=one, is_ending=True).about_left_s)
        for one in seconds
    ]
    assert page.evaluate(script.replace("durationInWords", "aboutInWords"), [source, seconds]) == about


def test_the_time_goes_on_while_the_best_model_is_tested(page, run):
    page.goto(f"/runs/{run.id}")
    run.go(RunState.FINISHING, 90.0)
    RunEvents(run.site.settings.broker_url).publish(run.id, "state", state="finishing")
    so_far = page.locator("#so-far")
    expect(so_far).to_contain_text("1 minute 3")
    shown = so_far.inner_text()
    expect(so_far).not_to_have_text(shown)
    expect(so_far).to_contain_text("1 minute")


def test_after_a_stop_the_bar_and_the_time_go_to_the_end_of_the_packing(page, site, run, pipeline):
    """And not to that of the time that was allowed, of which there are nine minutes."""
    earlier = PlayedRun(site)
    earlier.go(RunState.PREPARING)
    earlier.go(RunState.SEARCHING)
    earlier.finish()
    with site.database.session() as session:
        done = find_run(session, earlier.id)
        (began,) = session.scalars(done.log.select().where(LogEntry.text == "finishing"))
        done.finished_at = began.at + timedelta(seconds=20)
    run.write(budget_s=600.0, used_s=60.0, activity="Looking at the photos", lease_until=None)  # no clock but ours
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#activity")).to_have_text("Looking at the photos")
    page.locator("#stop-run").click()
    page.get_by_role("button", name="Yes, stop the search").click()
    expect(page.locator("#activity")).to_have_text("Ending the search")
    expect(page.locator("#time-left")).to_contain_text("tested and packed: about 25 seconds left.")
    assert page.locator("#run-progress").evaluate("bar => bar.value") == pytest.approx(0.1, abs=0.03)
    pipeline.activity("Looking at the photos", 0.6)
    run.write(used_s=70.0)
    pipeline.state(RunState.FINISHING)
    pipeline.activity("Drawing the plots", 0.3)
    expect(page.locator("#activity")).to_have_text("Drawing the plots")  # how far that is says nothing of the whole
    run.write(used_s=88.0)
    RunEvents(site.settings.broker_url).publish(run.id, "note", text="One.")
    expect(page.locator("#left")).to_have_text("about 5 seconds left")
    assert 0.8 < page.locator("#run-progress").evaluate("bar => bar.value") < 1
    run.write(used_s=100.0)
    RunEvents(site.settings.broker_url).publish(run.id, "note", text="Two.")
    expect(page.locator("#time-left")).to_contain_text("this takes longer than usual.")
    assert 0.9 < page.locator("#run-progress").evaluate("bar => bar.value") < 0.99  # and goes on


def test_the_number_of_tries_does_not_count_the_one_that_goes_on(page, run, pipeline):
    page.goto(f"/runs/{run.id}")
    tell(pipeline, 0, 0.81)
    expect(page.locator("#tries-so-far")).to_have_text("1 try so far")
    pipeline.trying(trial(1))
    expect(page.locator("tr[data-number='1']")).to_contain_text("running")
    expect(page.locator("#tries-so-far")).to_have_text("1 try so far")


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
    monkeypatch.setattr("server.live.hub.CLOCK_EVERY_S", 1e9)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#slow-news")).to_be_hidden()
    expect(page.locator("#slow-news")).to_be_visible(timeout=20_000)
    run.write(activity="Found by asking")
    expect(page.locator("#activity")).to_contain_text("Found by asking")


def test_an_answer_that_comes_late_takes_nothing_back_for_long(page, run, pipeline):
    page.clock.install()
    tell(pipeline, 0, 0.81)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#trials tbody tr")).to_have_count(1)
    late = []

    def hold_the_first(route):
        if late:
            route.continue_()
        else:
            late.append((route, route.fetch()))

    page.route("**/live?*", hold_the_first)
    pipeline.note("Something was found.")
    while not late:
        page.wait_for_timeout(20)
    tell(pipeline, 1, 0.93)
    expect(page.locator("#best-score")).to_have_text("93.0 %")
    expect(page.locator("#trials tbody tr")).to_have_count(2)
    ((route, answer),) = late
    page.clock.fast_forward(1_000)  # what the better model asks for falls into the wait for this answer
    route.fulfill(response=answer)
    expect(page.locator("#best-rows")).to_contain_text("93.0 %")  # only the server draws these
    expect(page.locator("#best-score")).to_have_text("93.0 %")
    expect(page.locator("#trials tbody tr")).to_have_count(2)


@pytest.mark.parametrize("refusal", ["aborted", "refused"])
def test_a_stream_that_was_cut_loses_and_doubles_nothing(page, site, run, pipeline, refusal):
    page.add_init_script(PLOTS)
    page.clock.install()
    tell(pipeline, 0, 0.81)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#course-chart canvas")).to_be_visible()
    cut = []
    page.route(
        "**/events?*",
        lambda route: (cut.append(route), route.abort() if refusal == "aborted" else route.fulfill(status=503)),
    )
    hub = site.app.extensions["darkroom"].live
    while hub.n_streams == 0:  # the chart may be drawn before the server has taken the page's stream
        page.wait_for_timeout(20)
    with page.expect_request("**/events?*", timeout=60_000):  # the browser tries again by itself, after some seconds
        hub._disconnect_all()
    tell(pipeline, 1, 0.85)
    pipeline.trying(trial(2, stage=Stage.FINE_TUNING))
    pipeline.epoch(1, 0.5, 0.9)
    tell(pipeline, 2, 0.9)
    pipeline.trying(trial(3, stage=Stage.FINE_TUNING))
    pipeline.epoch(1, 0.8, 0.4)
    pipeline.epoch(2, 0.85, 0.3)
    expect(page.locator("#trials tbody tr")).to_have_count(4)
    page.unroute("**/events?*")
    with page.expect_response(lambda answer: "/events?" in answer.url and answer.ok):
        page.clock.fast_forward(20_000)  # after a refusal it waits for a while
    pipeline.epoch(3, 0.9, 0.2)
    expect(page.locator("#epoch-words")).to_contain_text("After epoch 3")
    assert page.evaluate("() => dataOf('#epoch-chart')")[0] == [1, 2, 3]
    tell(pipeline, 3, 0.95)
    expect(page.locator("#last-tried")).to_contain_text("95.0 %")
    expect(page.locator("#trials tbody tr td:first-child")).to_have_text(["4", "3", "2", "1"])
    _, line, tries = page.evaluate("() => dataOf('#course-chart')")  # drawn together with the row
    assert [score for score in tries if score is not None] == [0.81, 0.85, 0.9, 0.95]
    assert line[-1] == 0.95
    assert len(cut) >= 1


def test_the_first_score_a_better_one_and_the_way_are_announced_but_not_each_time(page, run, pipeline):
    run.write(best_score=None)
    page.clock.install()
    page.goto(f"/runs/{run.id}")
    announcer = page.locator("#announcer")
    expect(announcer).to_be_empty()
    tell(pipeline, 0, 0.81)
    expect(announcer).to_have_text("The first score: 81.0 % on photos it had not learned from.")
    tell(pipeline, 1, 0.9)
    tell(pipeline, 2, 0.93)
    expect(page.locator("#best-score")).to_have_text("93.0 %")
    expect(announcer).to_have_text("The first score: 81.0 % on photos it had not learned from.")
    page.clock.fast_forward(21_000)
    expect(announcer).to_have_text("Best so far: 93.0 %.")
    run.write(used_s=70.0)
    RunEvents(run.site.settings.broker_url).publish(run.id, "asked")
    expect(page.locator("#run-progress")).to_have_text(re.compile("^[56]"))
    page.clock.fast_forward(6_000)
    expect(announcer).to_have_text("50 % of the way.")


def test_the_browser_is_asked_for_a_notification_and_shows_it_at_the_end(page, run, pipeline):
    page.add_init_script(NOTIFICATION)
    page.goto(f"/runs/{run.id}")
    page.get_by_role("button", name="Tell me when it is done").click()
    expect(page.locator("#tell-me-state")).to_contain_text("This browser will tell you")
    expect(page.locator("#tell-me")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("Notification.permission") == "granted"
    run.finish()
    pipeline.ended()
    expect(page.locator("#test-score")).to_be_visible()
    page.wait_for_function("window.shown.length > 0")
    assert page.evaluate("window.shown") == [["Done · flowers · Darkroom", RESULT["sentence"]]]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", "only for pages with a safe address"),
        ("delete window.Notification", "This browser cannot show notifications"),
        ("window.Notification = class { static permission = 'denied' }", "not allowed for this page"),
    ],
)
def test_where_there_can_be_no_notification_the_page_says_why(page, run, script, words):
    page.add_init_script(script)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#tell-me-state")).to_contain_text(words)
    expect(page.locator("#tell-me")).to_be_disabled()


def test_stop_and_keep_the_best_leads_to_the_result(page, run, pipeline, tmp_path):
    tell(pipeline, 0, 0.81)
    page.goto(f"/runs/{run.id}")
    page.locator("#stop-run").click()
    page.get_by_role("button", name="Yes, stop the search").click()
    expect(page.locator("#stopping")).to_be_visible()
    assert run.row().stop_requested
    pipeline.state(RunState.FINISHING)
    expect(page.locator("[aria-current=step]")).to_have_text("Finishing")
    bundle = tmp_path / "model.zip"
    bundle.write_bytes(zip_of(**{"model.onnx": b"m"}))
    pipeline.deliver(RunResult(bundle=bundle, report=made_report(**RESULT), plots=()))
    pipeline.ended()
    expect(page.locator("#sentence")).to_have_text(RESULT["sentence"])
    expect(page.locator("#download")).to_be_visible()
    page.get_by_role("link", name="Details").click()
    expect(page.locator("main")).to_contain_text("you stopped the search early")


def test_everything_is_done_with_the_keyboard_alone(page, run, pipeline):
    for number, score in enumerate((0.8, 0.95, 0.9)):
        tell(pipeline, number, score)
    page.goto(f"/runs/{run.id}")
    tab_to(page, "#more-time")
    page.keyboard.press("Enter")
    expect(page.locator("#left")).to_contain_text("of 7 minutes")
    tab_to(page, "th[data-sort=score] button")
    page.keyboard.press("Enter")
    expect(page.locator("#trials tbody tr td:first-child")).to_have_text(["2", "3", "1"])
    page.keyboard.press("Space")
    expect(page.locator("#trials tbody tr td:first-child")).to_have_text(["1", "3", "2"])
    page.reload()
    tab_to(page, "#stop-run")
    page.keyboard.press("Enter")
    tab_to(page, "#confirm-stop")
    page.keyboard.press("Enter")
    expect(page.locator("#stopping")).to_be_visible()
    tab_to(page, "#cancel-run")
    page.keyboard.press("Enter")
    tab_to(page, "#confirm-cancel")
    page.keyboard.press("Enter")
    expect(page.locator("#cancelling")).to_be_visible()


def test_charts_take_the_colours_of_the_scheme_and_change_with_it(page, run, pipeline):
    for number, score in enumerate((0.8, 0.95)):
        tell(pipeline, number, score)
    pipeline.trying(trial(2, stage=Stage.FINE_TUNING))
    pipeline.epoch(1, 0.85, 0.4)
    pipeline.epoch(2, 0.9, 0.3)
    page.emulate_media(color_scheme="dark")
    page.goto(f"/runs/{run.id}")
    for scheme, line, other in (("dark", DARK_LINE, LIGHT_LINE), ("light", LIGHT_LINE, DARK_LINE)):
        page.emulate_media(color_scheme=scheme)
        for box in ("#course-chart", "#epoch-chart"):
            page.wait_for_function(HAS_COLOUR, arg=[box, line])
            assert not page.evaluate(HAS_COLOUR, [box, other])
