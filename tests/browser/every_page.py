"""Every page of the web server in every state that it can be in, for what must hold on all of them.

A new page is one more line of `PAGES`: its name, and a function that makes its rows and returns its address. What a
person does on it first is one more line of `ACTS`.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from automl.errors import DarkroomError, DiskFull, NotAllowedNow, RunFailed, SourceUnavailable, UploadTooLarge
from automl.records import DatasetState, EpochScores, LinkedPage, RunState, Stage, TrialInProgress
from automl.store.database import find_run
from automl.store.links import make_link
from automl.store.tables import DatasetFile, LogEntry, TrialSummary, now
from server.edit_conflicts import Change, EditConflict
from server.views.confusion import MAX_DRAWN
from tests.automl.images.faults import as_jpeg, photo
from tests.automl.serving.tiny_model import tiny_model
from tests.browser.conftest import Site
from tests.server.answered import add_answered, add_photos
from tests.server.conftest import zip_of
from tests.server.pages.test_runs import RESULT
from tests.server.rich_result import add_rich_result
from tests.server.sorted_photos import sort
from tests.server.trying import add_tried_run, picture
from tests.server.views.test_confusion import add_many_classes

_LONG_AGO = now() - timedelta(minutes=5)


def home(site: Site) -> str:
    """With runs in several states, an upload that was left half-way, and a worker that is away."""
    site.add_run(RunState.DONE, result=RESULT)
    site.add_run(RunState.FAILED)
    site.add_run(RunState.QUEUED, created_at=_LONG_AGO)
    site.add_dataset(DatasetState.UPLOADING, name="a rather long name of a data set " + "n" * 60)
    return "/"


def datasets(site: Site) -> str:
    site.add_dataset(summary={"verdict": "4 photos, 2 classes, ready"})
    return "/datasets"


def dataset(state: DatasetState, **values: object) -> Callable[[Site], str]:
    return lambda site: f"/datasets/{site.add_dataset(state, **values)}"


def checked(page: str = "") -> Callable[[Site], str]:
    """A data set that a real check has judged, with findings of each form, something that is not used, and a run."""

    def make(site: Site) -> str:
        files = {
            f"{label}/{i}.jpg": as_jpeg(photo(np.random.default_rng(first + i), (160, 120)))
            for label, first in (("cat", 0), ("dog", 100))
            for i in range(12)
        }
        files |= {"cat/copy.jpg": files["cat/0.jpg"], "cat/broken.jpg": files["cat/1.jpg"][:500]}
        files |= {"dog/again.jpg": files["cat/2.jpg"], "dog/empty.jpg": b""}
        files["cat/blank.jpg"] = as_jpeg(Image.new("RGB", (160, 120), "navy"))
        dataset_id = site.add_checked(files)
        site.add_run(RunState.DONE, dataset_id, result=RESULT)
        return f"/datasets/{dataset_id}{page}"

    return make


def run(state: RunState, page: str = "", **values: object) -> Callable[[Site], str]:
    """A run with tries of each kind, and with a download where it has ended well."""

    def make(site: Site) -> str:
        if state is RunState.DONE:
            values["result"] = RESULT
        lease_until = now() + timedelta(seconds=30) if state.is_running() else None
        run_id = site.add_run(state, used_s=60.0, lease_until=lease_until, **values)
        if state is not RunState.QUEUED:
            _add_trials(site, run_id)
        if state is RunState.DONE:
            site.add_artifact(run_id, "bundle", zip_of(**{"model.keras": b"k"}), "b.zip", "application/zip")
        return f"/runs/{run_id}{page}"

    return make


def _answered(site: Site, n: int) -> tuple[str, list[str]]:
    """A data set, and so many runs whose answers to their test photos are known."""
    dataset_id = add_photos(site, aa="rose", bb="rose", cc="tulip", dd="tulip")
    rows = [("aa", "rose", "rose", 0.9), ("bb", "rose", "tulip", 0.5), ("cc", "tulip", "tulip", 0.8)]
    sizes = [{"winner": {"n_bytes": (i + 1) * 10_000_000}} for i in range(n)]  # so that one of them is the best
    return dataset_id, [add_answered(site, dataset_id, rows[i:], result=sizes[i]) for i in range(n)]


def with_model(state: RunState, page: str = "") -> Callable[[Site], str]:
    """A run that is not done, with a download that is not its best try."""

    def make(site: Site) -> str:
        run_id = run(state, **_FOUND)(site).rpartition("/")[2]
        title = "77.4 % on photos it had not learned from"
        site.add_artifact(
            run_id, "best_so_far", zip_of(**{"model.onnx": tiny_model()}), "m.zip", "application/zip", title
        )
        return f"/runs/{run_id}{page}"

    return make


def sorted_photos(page: str = "") -> Callable[[Site], str]:
    """Some that the model is sure of, some that it is not, and a file that is no photo."""
    return lambda site: sort(site.app.test_client(), add_tried_run(site)) + page


def answers(site: Site) -> str:
    _, (run_id,) = _answered(site, 1)
    return f"/runs/{run_id}/answers"


def corrected(site: Site, page: str) -> str:
    """A result and a comparison, since when the label of a tested photo was corrected."""
    dataset_id, (one, other) = _answered(site, 2)
    with site.database.session() as session:
        session.query(DatasetFile).filter_by(dataset_id=dataset_id, sha256="bb").one().label = "tulip"
    return page.format(dataset=dataset_id, one=one, other=other)


def comparison(site: Site) -> str:
    dataset_id, (one, other) = _answered(site, 2)
    return f"/datasets/{dataset_id}/compare?run={one}&run={other}"


def _cell(site: Site) -> str:
    return f"/runs/{add_rich_result(site)}/answers?really={quote('red')}&said={quote('green')}"


def photo_page(site: Site) -> str:
    """A photo with a doubtful label by itself, and what a model says of it."""
    run_id = add_rich_result(site)
    dataset_id = site.run(run_id).dataset_id
    return f"/datasets/{dataset_id}/photos/{site.file_ids(dataset_id)['red/2.jpg']}?run={run_id}&said=blue"


def enlarge(page: Page) -> None:
    page.locator("a.enlarge").first.click()
    expect(page.get_by_role("dialog").get_by_role("combobox", name="It is really")).to_be_visible()


def with_charts(site: Site) -> str:
    """A search with several better models, in the middle of a fine-tuning."""
    address = run(RunState.SEARCHING, **_FOUND)(site)
    with site.database.session() as session:
        found = find_run(session, address.rpartition("/")[2])
        found.trying = TrialInProgress(
            number=4,
            stage=Stage.FINE_TUNING,
            backbones=("mobilenet_v2",),
            image_size_px=224,
            started_s=40.0,
            epochs=(EpochScores(1, 0.85, 0.4), EpochScores(2, 0.9, 0.3)),
        )
        for used_s, score in ((10.0, 0.8), (30.0, 0.9)):
            found.log.add(LogEntry(kind="best", text="MobileNetV2, 224 px", used_s=used_s, score=score))
    return address


def see_charts(page: Page) -> None:
    expect(page.locator("#course-chart canvas")).to_be_visible()
    expect(page.locator("#epoch-chart canvas")).to_be_visible()


def open_tries(page: Page) -> None:
    page.locator("#tries > summary").click()
    expect(page.locator("#trials tbody tr")).not_to_have_count(0)


def see_scores(page: Page) -> None:
    expect(page.locator("#per-class")).to_be_visible()


def try_photos(page: Page) -> None:
    """One answer that is sure, one that is not, one file that is no photo; the sure one is called wrong."""
    some = [("a.png", picture()), ("b.png", picture((60, 40, 40))), ("c.png", b"words")]
    page.locator("#photos-input").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in some]
    )
    expect(page.locator("article")).to_have_count(3)
    page.get_by_role("button", name="Wrong: it is").last.click()
    expect(page.get_by_role("combobox", name="It is")).to_be_visible()


def open_model(page: Page) -> None:
    expect(page.locator("#phone[data-state=ready]")).to_be_attached(timeout=30_000)


def ask_on_a_phone(page: Page) -> None:
    """One answer that is sure and shows what was looked at, one that is not, one file that is no photo."""
    open_model(page)
    some = [("a.png", picture()), ("b.png", picture((60, 40, 40))), ("c.png", b"words")]
    page.locator("#photos-input").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in some]
    )
    expect(page.locator("#answers article")).to_have_count(3)
    page.get_by_role("button", name="What it looked at a.png").click()
    expect(page.locator(".heat-words").last).to_contain_text("Bright areas")


def share(page: Page) -> None:
    page.locator("#share-form summary").click()
    page.get_by_label("This result with photos").check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", name="Your link is ready")).to_be_visible()


def begin_an_upload(page: Page) -> None:
    page.route(re.compile(r"/api/v1/datasets/\w+/files$"), lambda _: None)  # never answered
    archive = {"name": "flowers.zip", "mimeType": "application/zip", "buffer": zip_of(**{"rose/1.png": picture()})}
    page.locator("#zip-input").set_input_files([archive])
    expect(page.locator("#upload-panel")).to_be_visible()
    expect(page.locator("#upload-title")).to_be_focused()


def take_photos(page: Page) -> None:
    """The camera is on, and some photos of the first kind are taken."""
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.locator(".hold").first).to_be_visible()
    page.locator(".hold").first.hover()
    page.mouse.down()
    expect(page.locator(".shot").nth(3)).to_be_attached()
    page.mouse.up()
    expect(page.locator(".held")).to_have_count(0)


def have_no_camera(page: Page) -> None:
    """The browser lends no camera; a photo is chosen, which alone cannot be trained from."""
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.locator("#camera-note")).not_to_be_empty()
    photo_of_cup = {"name": "cup.png", "mimeType": "image/png", "buffer": picture()}
    page.locator(".choose-some").first.set_input_files([photo_of_cup])
    page.locator("#send").click()
    expect(page.locator("#camera-problem")).to_be_visible()


def go_on_to_training(page: Page) -> None:
    """As after photos were added and checked."""
    page.evaluate("htmx.ajax('GET', `${location.pathname}/next`, { target: '#next' })")
    expect(page.locator("#next #start-form")).to_be_visible()


def error(kind: type[DarkroomError]) -> Callable[[Site], str]:
    return failing(kind("What was asked for did not work, for a reason that is told here."))


def failing(with_error: DarkroomError) -> Callable[[Site], str]:
    def make(site: Site) -> str:
        def fail() -> str:
            raise with_error

        site.app.view_functions["help.show"] = fail
        return "/help"

    return make


_CHANGE = Change(words="Left out 2 photos", is_undone=False, who="Mia", at=_LONG_AGO)
_UNDONE = Change(words="Renamed 'ros' to 'rose'", is_undone=True, who="", at=_LONG_AGO)
_FOUND = {"best_score": 0.95, "best_summary": "MobileNetV2, 224 px", "n_trials": 4, "notes": ["A note."]}


def bin_of(page: str) -> Callable[[Site], str]:
    """The bin with a data set and a run of another one; `{dataset}` and `{run}` of `page` are those."""

    def make(site: Site) -> str:
        kept = site.add_dataset(name="roses")
        site.add_run(RunState.SEARCHING, kept)
        gone = {"deleted_at": _LONG_AGO, "removal_at": now() + timedelta(days=14)}
        dataset_id = site.add_dataset(name="a rather long name of a data set " + "n" * 60, **gone)
        return page.format(dataset=dataset_id, run=site.add_run(RunState.DONE, kept, **gone), kept=kept)

    return make


def linked(page: LinkedPage, *, shows_photos: bool = False) -> Callable[[Site], str]:
    """What opens for somebody who has a read-only link to a result with everything."""

    def make(site: Site) -> str:
        run_id = add_rich_result(site)
        with site.database.session() as session:
            secret = make_link(session, run_id, page, keep_s=3600, shows_photos=shows_photos)
        return f"/shared/{page}/{secret}/"

    return make


def with_links(site: Site) -> str:
    """A result whose owner has made links to it."""
    run_id = add_rich_result(site)
    with site.database.session() as session:
        for page in LinkedPage:
            make_link(session, run_id, page, keep_s=3600, shows_photos=page is LinkedPage.RESULT)
    return f"/runs/{run_id}"


PAGES: dict[str, Callable[[Site], str]] = {
    "home, empty": lambda _site: "/",
    "home": home,
    "data sets, empty": lambda _site: "/datasets",
    "data sets": datasets,
    "data set, uploading": dataset(DatasetState.UPLOADING),
    "data set, checking": dataset(DatasetState.CHECKING, message="Looking at the photos: 3 of 9"),
    "data set, invalid": dataset(DatasetState.INVALID, message="There is only one class."),
    "data set, ready, with the start form": checked(),
    "photos of a class": checked("/photos?label=cat"),
    "photos of a class, one enlarged": checked("/photos?label=cat"),
    "photos that are not used": checked("/photos"),
    "run, queued": run(RunState.QUEUED),
    "run, queued for long": run(RunState.QUEUED, created_at=_LONG_AGO),
    "run, preparing": run(RunState.PREPARING, activity="Measuring this machine"),
    "run, searching": run(RunState.SEARCHING, **_FOUND),
    "run, searching, with charts": with_charts,
    "run, asked whether to cancel": run(RunState.SEARCHING, "?ask=cancel", **_FOUND),
    "run, searching, with a model": with_model(RunState.SEARCHING),
    "run, stopping": run(RunState.SEARCHING, stop_requested=True, **_FOUND),
    "run, finishing": run(RunState.FINISHING, **_FOUND),
    "run, done": run(RunState.DONE, **_FOUND),
    "run, done, details": run(RunState.DONE, "/details", **_FOUND),
    "run, done, doubts, none": run(RunState.DONE, "/doubts", **_FOUND),
    "sorted photos": sorted_photos(),
    "sorted photos, not readable": sorted_photos("?show=unread"),
    "sorted photos, none": sorted_photos("?show=none"),
    "sorted photos, added": sorted_photos("?added=3&there=1"),
    "sorted photos, asked whether to delete": sorted_photos("/delete"),
    "run, failed": run(RunState.FAILED, error_code="run_failed", error_message="It broke.", **_FOUND),
    "run, failed before anything was tried": lambda site: f"/runs/{site.add_run(RunState.FAILED)}",
    "run, cancelled": with_model(RunState.CANCELLED),
    "what was tried": run(RunState.DONE, "/tries", **_FOUND),
    "what was tried, nothing yet": run(RunState.QUEUED, "/tries"),
    "result with everything": lambda site: f"/runs/{add_rich_result(site)}",
    "result, for a phone": lambda site: f"/runs/{add_rich_result(site)}?use=phone",
    "result, mistakes": lambda site: f"/runs/{add_rich_result(site)}/mistakes",
    "result, doubts": lambda site: f"/runs/{add_rich_result(site)}/doubts",
    "result, details": lambda site: f"/runs/{add_rich_result(site)}/details",
    "result on many classes": lambda site: f"/runs/{add_many_classes(site, MAX_DRAWN + 1)}",
    "result on many classes, mistakes": lambda site: f"/runs/{add_many_classes(site, MAX_DRAWN + 1)}/mistakes",
    "result on many classes, details": lambda site: f"/runs/{add_many_classes(site, MAX_DRAWN + 1)}/details",
    "result, a mistake enlarged": lambda site: f"/runs/{add_rich_result(site)}/mistakes",
    "photo": photo_page,
    "answers": answers,
    "photos of a cell": _cell,
    "comparison": comparison,
    "result, a label corrected since": lambda site: corrected(site, "/runs/{one}"),
    "comparison, a label corrected since": lambda site: corrected(
        site, "/datasets/{dataset}/compare?run={one}&run={other}"
    ),
    "which runs to compare": lambda site: comparison(site).partition("?")[0],
    "try it": lambda site: f"/runs/{add_tried_run(site)}/try",
    "try it, after it was cancelled": with_model(RunState.CANCELLED, "/try"),
    "try it, with answers": lambda site: f"/runs/{add_tried_run(site)}/try",
    "on a phone": lambda site: f"/runs/{add_tried_run(site)}/phone/",
    "on a phone, with answers": lambda site: f"/runs/{add_tried_run(site)}/phone/",
    "on a phone, by a link": linked(LinkedPage.MODEL),
    "result, by a link": linked(LinkedPage.RESULT, shows_photos=True),
    "error 404, by a link": lambda _site: "/shared/model/other/",
    "result with links": with_links,
    "link, just made": lambda site: f"/runs/{add_rich_result(site)}",
    "upload, under way": lambda _site: "/",
    "camera": lambda _site: "/camera",
    "camera, on, with photos": lambda _site: "/camera",
    "camera, refused, with a problem": lambda _site: "/camera",
    "camera, photos of a data set": checked("/camera"),
    "rename or delete a run": lambda site: f"/runs/{site.add_run(RunState.DONE)}/manage",
    "asked whether to delete photos": lambda site: f"/bin/datasets/{site.add_dataset()}/delete",
    "asked whether to delete photos in use": bin_of("/bin/datasets/{kept}/delete"),
    "asked whether to delete a run under way": lambda site: f"/bin/runs/{site.add_run(RunState.SEARCHING)}/delete",
    "asked whether to delete for good": bin_of("/bin/datasets/{dataset}/delete"),
    "just deleted": bin_of("/datasets?deleted=datasets+{dataset}"),
    "bin": bin_of("/bin"),
    "bin, empty": lambda _site: "/bin",
    "asked whether to empty the bin": bin_of("/bin/empty"),
    "help": lambda _site: "/help",
    "help, words explained": lambda _site: "/help/words",
    "help, the API": lambda _site: "/api",
    "error 404, in the bin": bin_of("/runs/{run}"),
    "error 404": lambda _site: "/nowhere",
    "error 409": error(NotAllowedNow),
    "error 409, changed meanwhile": failing(EditConflict("Moved 3 photos to 'rose'", [_CHANGE, _UNDONE], 4)),
    "error 413": error(UploadTooLarge),
    "error 500": error(RunFailed),
    "error 503": error(SourceUnavailable),
    "error 507": error(DiskFull),
}

ACTS: dict[str, Callable[[Page], None]] = {
    "run, done, details": open_tries,
    "run, failed": open_tries,
    "run, cancelled": open_tries,
    "result, details": open_tries,
    "result on many classes, details": see_scores,
    "run, searching, with charts": see_charts,
    "photos of a class, one enlarged": enlarge,
    "result, a mistake enlarged": enlarge,
    "try it, with answers": try_photos,
    "on a phone": open_model,
    "on a phone, with answers": ask_on_a_phone,
    "on a phone, by a link": ask_on_a_phone,
    "link, just made": share,
    "upload, under way": begin_an_upload,
    "camera, on, with photos": take_photos,
    "camera, refused, with a problem": have_no_camera,
    "camera, photos of a data set": go_on_to_training,
}
"""What happens on a page of `PAGES` once it is open."""


def act(page: Page, name: str) -> None:
    if name in ACTS:
        ACTS[name](page)


def _add_trials(site: Site, run_id: str) -> None:
    with site.database.session() as session:
        for number, state in enumerate(("complete", "pruned", "failed", "running")):
            trial = TrialSummary(run_id=run_id, number=number, state=state, image_size_px=224)
            trial.started_s, trial.duration_s, trial.backbones = 1.0, 2.0, ["mobilenet_v2"]
            trial.stage, trial.n_bytes, trial.latency_s = "fine-tuning" if number else "heads", 13_200_000, 0.0123
            trial.params, trial.score = {"dropout": 0.25}, 0.9 if state == "complete" else None
            session.add(trial)
