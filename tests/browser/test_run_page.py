"""A run from start to result, in a real browser; the test plays the worker."""

import zipfile
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from automl.records import RunState
from automl.store.database import find_run
from automl.store.runs import change_run_state
from automl.store.tables import Run, TrialSummary, now
from tests.reports import made_report
from tests.server.conftest import zip_of
from tests.server.pages.test_runs import RESULT

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}


class PlayedRun:
    """One run, with what the worker and the pipeline would write."""

    def __init__(self, site, **values) -> None:
        self.site = site
        self.id = site.add_run(**values)

    def write(self, **values) -> None:
        with self.site.database.session() as session:
            run = find_run(session, self.id)
            for name, value in values.items():
                setattr(run, name, value)

    def go(self, state: RunState, used_s: float = 0.0, **values) -> None:
        with self.site.database.session() as session:
            change_run_state(find_run(session, self.id), state)
        lease_until = None if state.is_finished() else now() + timedelta(seconds=self.site.settings.lease_s)
        self.write(used_s=used_s, lease_until=lease_until, **values)

    def search(self, used_s: float = 30.0) -> None:
        self.go(RunState.PREPARING)
        self.go(RunState.SEARCHING, used_s, activity="Trying heads", best_score=0.91, best_summary="MobileNetV2")

    def finish(self) -> None:
        self.go(RunState.FINISHING, 90.0)
        self.site.add_artifact(self.id, "bundle", zip_of(**{"model.keras": b"k"}), "b.zip", "application/zip")
        self.go(RunState.DONE, 95.0, result=made_report(**RESULT))

    def add_trial(self, number: int, score: float) -> None:
        with self.site.database.session() as session:
            trial = TrialSummary(run_id=self.id, number=number, state="complete", score=score, image_size_px=160)
            trial.backbones, trial.started_s, trial.duration_s = ["mobilenet_v2"], 1.0, 1.0
            session.add(trial)
        self.write(n_trials=number + 1)

    def row(self) -> Run:
        return self.site.run(self.id)


@pytest.fixture
def run(site):
    return PlayedRun(site)


def test_the_page_follows_a_run_from_the_queue_to_the_result(page, run):
    page.goto(f"/runs/{run.id}")
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    run.search()
    expect(page.locator("[aria-current=step]")).to_have_text("Searching")
    expect(page.locator("#best-score")).to_have_text("91.0 %")
    expect(page.locator("#announcer")).to_have_text("Searching")
    run.add_trial(0, 0.91)
    expect(page.locator("#trials")).to_contain_text("quick training, 160 px")
    run.finish()
    expect(page.locator("#sentence")).to_have_text(RESULT["sentence"])
    expect(page.locator("#announcer")).to_have_text(RESULT["sentence"])
    expect(page).to_have_title("Done · flowers · Darkroom")


def test_the_page_stops_asking_when_the_run_has_ended(page, run):
    run.search()
    page.goto(f"/runs/{run.id}")
    run.finish()
    expect(page.locator("#test-score")).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert asked == []


def test_progress_never_runs_backwards_even_if_the_worker_was_lost(page, run):
    run.search(used_s=60.0)
    page.goto(f"/runs/{run.id}")
    page.wait_for_function("document.querySelector('#run-progress').value >= 0.5")
    run.go(RunState.QUEUED, used_s=40.0)
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    assert page.locator("#run-progress").evaluate("bar => bar.value") >= 0.5


LOOK = """() => {
  window.seen = [];
  const look = () => {
    const bar = document.querySelector("#run-progress");
    if (bar) window.seen.push([bar.value, parseInt(document.title)]);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_neither_the_bar_nor_the_title_ever_falls_or_is_full_before_the_end(page, run):
    run.search(used_s=10.0)
    page.goto(f"/runs/{run.id}")
    page.evaluate(LOOK)
    for used_s in (60.0, 40.0, 100.0, 70.0, 119.0, 500.0):
        run.write(used_s=used_s, activity=f"After {used_s}")
        expect(page.locator("#activity-words")).to_have_text(f"After {used_s}")
    run.finish()
    expect(page).to_have_title("Done · flowers · Darkroom")
    bars, titles = zip(*page.evaluate("window.seen"), strict=True)
    assert list(bars) == sorted(bars)
    assert list(titles) == sorted(titles)
    assert (max(bars), max(titles)) == (pytest.approx(0.99), 99)


def test_the_title_of_the_tab_shows_progress(page, run):
    run.search(used_s=60.0)
    page.goto(f"/runs/{run.id}")
    page.wait_for_function("document.title.startsWith('5')")


def test_stop_keeps_the_best(page, run):
    run.search()
    page.goto(f"/runs/{run.id}")
    page.locator("#stop-run").click()
    page.get_by_role("button", name="Yes, stop the search").click()
    expect(page.locator("#stopping")).to_be_visible()
    assert run.row().stop_requested


def test_stop_appears_with_the_first_model(page, run):
    run.go(RunState.PREPARING)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#stop-run")).to_have_count(0)
    run.write(best_score=0.9)
    expect(page.locator("#stop-run")).to_be_visible()


def test_cancel_asks_once_more(page, run):
    run.search()
    page.goto(f"/runs/{run.id}")
    page.locator("#cancel-run").click()
    page.get_by_role("button", name="Yes, cancel this run").click()
    expect(page.locator("#cancelling")).to_be_visible()
    run.go(RunState.CANCELLED)
    expect(page.get_by_role("heading", name="This run was cancelled")).to_be_visible()


def test_an_opened_question_stays_open_while_the_figures_change(page, run):
    run.search()
    page.goto(f"/runs/{run.id}")
    page.locator("#cancel-run").press("Enter")
    page.locator("#confirm-cancel").focus()
    run.write(activity="Trying other heads")
    expect(page.locator("#activity")).to_have_text("Trying other heads")
    expect(page.locator("#confirm-cancel")).to_be_focused()


def test_an_opened_question_stays_open_when_the_first_model_brings_new_buttons(page, run):
    run.go(RunState.PREPARING)
    page.goto(f"/runs/{run.id}")
    page.locator("#cancel-run").press("Enter")
    page.locator("#confirm-cancel").focus()
    run.write(best_score=0.9)
    expect(page.locator("#stop-run")).to_be_visible()
    expect(page.locator("#confirm-cancel")).to_be_focused()


def test_a_lost_connection_is_shown_and_goes_away_by_itself(page, run):
    run.search()
    page.goto(f"/runs/{run.id}")
    page.route("**/live?*", lambda route: route.abort())
    expect(page.locator("#connection-lost")).to_be_visible()
    page.unroute("**/live?*")
    expect(page.locator("#connection-lost")).to_be_hidden()


def test_the_best_so_far_can_be_downloaded_while_the_run_goes_on(page, site, run):
    run.search()
    page.goto(f"/runs/{run.id}")
    site.add_artifact(run.id, "best_so_far", zip_of(a=b"a"), "b.zip", "application/zip")
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename.startswith("flowers-best-so-far-")


def test_the_model_is_downloaded_with_one_click(page, run):
    run.search()
    run.finish()
    page.goto(f"/runs/{run.id}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert zipfile.ZipFile(download.value.path()).namelist() == ["model.keras"]


def test_writing_minutes_chooses_my_own_time_and_a_preset_empties_them(page, site):
    dataset_id = site.add_dataset()
    page.goto(f"/datasets/{dataset_id}")
    page.get_by_role("spinbutton", name="Minutes").fill("3")
    expect(page.locator("#budget-other")).to_be_checked()
    page.get_by_label("Standard").check()
    expect(page.get_by_role("spinbutton", name="Minutes")).to_have_value("")


def test_the_sample_button_leads_to_a_run(page, site):
    page.goto("/")
    page.get_by_role("button", name="Try it with sample images").click()
    page.wait_for_url("**/runs/*")
    assert site.queue.sent[0][0] == "darkroom.make_samples"


def test_everything_works_without_javascript(plain_page, site):
    dataset_id = site.add_dataset()
    plain_page.goto(f"/datasets/{dataset_id}")
    plain_page.get_by_role("button", name="Start").click()
    plain_page.wait_for_url("**/runs/*")
    played = PlayedRun.__new__(PlayedRun)
    played.site, played.id = site, site.queue.sent[0][1]
    played.search()
    expect(plain_page.locator("#best-score")).to_be_visible(timeout=15_000)  # the page loads itself again
    plain_page.get_by_role("button", name="Stop now and keep the best…").click()
    plain_page.get_by_role("button", name="Yes, stop the search").click()
    expect(plain_page.locator("#stopping")).to_be_visible()


def test_without_a_script_a_question_stays_open_and_more_time_and_the_result_come(plain_page, run):
    run.search()
    plain_page.goto(f"/runs/{run.id}")
    expect(plain_page.locator("#cancel-run")).to_be_hidden()
    plain_page.get_by_role("button", name="Give it 5 minutes more").click()
    expect(plain_page.locator("#left")).to_contain_text("of 7 minutes")
    plain_page.get_by_role("button", name="Cancel…").click()
    run.write(activity="Trying other heads")
    expect(plain_page.locator("#activity")).to_have_text("Trying other heads", timeout=15_000)  # it loads itself again
    expect(plain_page.get_by_role("button", name="Yes, cancel this run")).to_be_visible()
    plain_page.get_by_role("link", name="No, keep it running").click()
    expect(plain_page.locator("#confirm-cancel")).to_be_hidden()
    run.finish()
    expect(plain_page.locator("#sentence")).to_have_text(RESULT["sentence"], timeout=15_000)


def test_without_a_script_cancel_is_confirmed(plain_page, run):
    run.search()
    plain_page.goto(f"/runs/{run.id}")
    plain_page.get_by_role("button", name="Cancel…").click()
    plain_page.get_by_role("button", name="Yes, cancel this run").click()
    expect(plain_page.locator("#cancelling")).to_be_visible()
    assert run.row().cancel_requested


def test_times_are_those_of_the_reader_and_without_a_script_utc(browser, plain_page, site, run):
    asked_at = run.row().created_at
    run.search()
    with browser.new_context(base_url=site.url, timezone_id="Asia/Tokyo") as context:
        page = context.new_page()
        page.goto(f"/runs/{run.id}")
        page.locator("#log summary").click()
        expect(page.locator("#log time").last).to_have_text((asked_at + timedelta(hours=9)).strftime("%H:%M:%S"))
        expect(page.get_by_text("Times are UTC.")).to_be_hidden()
        run.write(activity="Drawn again")
        expect(page.locator("#activity")).to_have_text("Drawn again")
        expect(page.locator("#log time").last).to_have_text((asked_at + timedelta(hours=9)).strftime("%H:%M:%S"))
    plain_page.goto(f"/runs/{run.id}")
    plain_page.locator("#log summary").click()
    expect(plain_page.locator("#log time").last).to_have_text(asked_at.strftime("%H:%M:%S"))
    expect(plain_page.get_by_text("Times are UTC.")).to_be_visible()


def test_on_a_phone_the_state_of_a_try_is_seen_and_stages_begin_at_the_edge(page, run):
    run.search()
    run.add_trial(0, 0.9)
    page.set_viewport_size(PHONE)
    page.goto(f"/runs/{run.id}")
    state = page.locator("#trials .state-below")
    expect(state).to_have_text("✓ finished")
    box = state.bounding_box()
    assert box["x"] + box["width"] <= PHONE["width"]
    expect(page.locator("#trials td.state")).to_be_hidden()
    took = page.locator("#trials tbody td").last.bounding_box()
    assert took["x"] + took["width"] <= PHONE["width"]
    places = [stage.bounding_box() for stage in page.locator(".stages li").all()]
    rows = {place["y"]: min(other["x"] for other in places if other["y"] == place["y"]) for place in places}
    assert len(rows) > 1
    assert len(set(rows.values())) == 1


def test_no_page_is_wider_than_a_phone(page, site, run):
    dataset_id = site.add_dataset(name="a name that is rather long and has " + "n" * 40)
    run.search()
    run.add_trial(0, 0.9)
    finished = PlayedRun(site)
    finished.search()
    finished.finish()
    page.set_viewport_size(PHONE)
    parts = [f"/runs/{finished.id}{part}" for part in ("", "/mistakes", "/doubts", "/details")]
    for path in ("/", f"/datasets/{dataset_id}", f"/runs/{run.id}", *parts, "/nowhere"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
