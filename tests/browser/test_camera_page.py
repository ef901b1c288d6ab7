"""The page that takes photos with the camera, before Chromium's fake camera: a moving picture."""

import re
from base64 import b64encode
from collections import Counter, defaultdict

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from automl.labelling.bursts import burst_of
from automl.records import DatasetState, RunState
from automl.store.checks import check_dataset
from automl.store.tables import Dataset
from tests.automl.images.faults import as_jpeg, photo
from tests.browser.conftest import Site
from tests.browser.test_accessibility import tab_to

pytestmark = pytest.mark.browser

ONE_UPLOAD = re.compile(r"/api/v1/datasets/\w+/files$")
FAILS = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); }"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def camera(page: Page) -> Page:
    """The page for a new data set; its browser lends it the camera."""
    page.context.grant_permissions(["camera"])
    page.goto("/camera")
    return page


def name_kinds(page: Page, *names: str) -> None:
    for place, name in enumerate(names):
        page.get_by_label("What is it?").nth(place).fill(name)


def turn_on(page: Page) -> None:
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.locator("#camera-video")).to_be_visible()
    expect(page.locator(".hold").first).to_be_visible()


def of_kind(page: Page, kind: str):
    return page.get_by_role("group", name=kind, exact=True)


def hold(page: Page, kind: str, n: int) -> None:
    """Holds the button of a kind with the mouse until so many photos more are there."""
    shots = of_kind(page, kind).locator(".shot")
    before = shots.count()
    page.get_by_role("button", name=f"Hold to take photos of {kind}", exact=True).hover()
    page.mouse.down()
    expect(shots.nth(before + n - 1)).to_be_attached()
    page.mouse.up()
    expect(of_kind(page, kind).locator(".held")).to_have_count(0)


def choose(page: Page, kind: str, *photos: tuple[str, bytes], by: str = "Choose photos") -> None:
    """Chooses files where no camera can be held; afterwards they are on the page."""
    shots = of_kind(page, kind).locator(".shot")
    before = shots.count()
    files = [{"name": name, "mimeType": "image/jpeg", "buffer": content} for name, content in photos]
    of_kind(page, kind).get_by_label(by).set_input_files(files)
    expect(shots).to_have_count(before + len(photos))


def a_photo(seed: int, brightness: float = 1.0) -> bytes:
    picture = photo(np.random.default_rng(seed), (320, 240))
    return as_jpeg(picture.point(lambda value: round(value * brightness)))


def go_on(page: Page) -> None:
    page.locator("#send").click()


def labels(site: Site) -> dict[str, str]:
    """The class that each photo was sent to, by name."""
    return {file.name: file.given_label or "" for file in site.files(site.only_dataset().id)}


def really_check(site: Site, dataset_id: str) -> None:
    check_dataset(site.database, site.store, dataset_id, settings=site.settings)


@pytest.fixture
def refused(page: Page) -> Page:
    """The page where the browser lends no camera; two kinds are named."""
    page.goto("/camera")
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.locator("#camera-note")).to_contain_text("does not let this page use the camera")
    name_kinds(page, "cup", "spoon")
    return page


def test_from_the_camera_to_a_run_on_one_page(camera, site):
    name_kinds(camera, "cup", "spoon")
    turn_on(camera)
    for kind in ("cup", "spoon"):
        hold(camera, kind, 3)
        hold(camera, kind, 3)
    shown = camera.locator(".shot").count()
    go_on(camera)
    expect(camera.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    expect(camera.get_by_role("button", name="Turn the camera on")).to_be_visible()
    dataset_id = site.only_dataset().id
    assert site.queue.sent == [("darkroom.check_dataset", dataset_id)]
    assert site.only_dataset().name == "cup, spoon"
    really_check(site, dataset_id)
    expect(camera.get_by_role("heading", name="Your photos are ready")).to_be_focused()
    camera.get_by_role("button", name="Start", exact=True).click()
    camera.wait_for_url("**/runs/*")
    sent = labels(site)
    assert len(sent) == shown and Counter(sent.values()).keys() == {"cup", "spoon"}


def test_a_burst_is_a_clip_to_the_check(camera, site):
    name_kinds(camera, "cup", "spoon")
    turn_on(camera)
    for kind in ("cup", "spoon", "cup"):
        hold(camera, kind, 4)
    go_on(camera)
    expect(camera.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    bursts = defaultdict(set)
    for name, label in labels(site).items():
        bursts[burst_of(name)].add(label)
    assert sorted(map(sorted, bursts.values())) == [["cup"], ["cup"], ["spoon"]]
    assert "" not in bursts
    for file in site.files(site.only_dataset().id):
        with site.store.open(file.key) as source, Image.open(source) as picture:
            assert picture.format == "JPEG" and max(picture.size) <= 1024


def test_photos_can_be_deleted_one_by_one_and_put_back(refused):
    for seed in range(3):
        choose(refused, "cup", (f"{seed}.jpg", a_photo(seed)))
    cup = of_kind(refused, "cup")
    cup.get_by_role("button", name="Delete photo 1 of series 2").click()
    expect(cup.locator(".kind-count")).to_have_text("2 photos, in 2 series")
    expect(cup.get_by_role("button", name="Put the deleted photo back")).to_be_focused()
    refused.keyboard.press("Enter")
    expect(cup.locator(".kind-count")).to_have_text("3 photos, in 3 series")
    expect(refused.locator("#all-photos")).to_have_text("3 photos are waiting to be sent.")


def test_a_series_is_deleted_with_one_press_and_put_back(camera):
    name_kinds(camera, "cup")
    turn_on(camera)
    hold(camera, "cup", 3)
    hold(camera, "cup", 2)
    n = camera.locator(".shot").count()
    camera.get_by_role("button", name=re.compile("Delete these")).first.click()
    expect(camera.locator(".series:visible")).to_have_count(1)
    camera.get_by_role("button", name=re.compile(r"Put \d+ deleted photos back")).click()
    expect(camera.locator(".shot")).to_have_count(n)
    places = [
        name.partition(" of ")[0]
        for name in camera.locator(".series:first-child .shot").evaluate_all(
            "(shots) => shots.map((shot) => shot.getAttribute('aria-label'))"
        )
    ]
    assert places == [f"Delete photo {place + 1}" for place in range(len(places))]


def test_the_keyboard_alone_takes_deletes_and_sends(camera, site):
    tab_to(camera, "#turn-on")
    camera.keyboard.press("Enter")
    expect(camera.locator("#camera-video")).to_be_visible()
    expect(camera.locator(".hold").first).to_be_visible()
    for kind in ("cup", "spoon"):
        tab_to(camera, f"li:nth-child({1 + (kind == 'spoon')}) .kind-name")
        camera.keyboard.type(kind)
        tab_to(camera, f"li:nth-child({1 + (kind == 'spoon')}) .hold")
        camera.keyboard.down("Space")
        expect(of_kind(camera, kind).locator(".shot").nth(2)).to_be_attached()
        camera.keyboard.up("Space")
        expect(of_kind(camera, kind).locator(".held")).to_have_count(0)
    n = camera.locator(".shot").count()
    camera.keyboard.press("Shift+Tab")
    camera.locator("li:nth-child(2) .hold").focus()
    tab_to(camera, "li:nth-child(2) .shot")
    camera.keyboard.press("ArrowRight")
    camera.keyboard.press("Enter")
    expect(camera.locator(".shot")).to_have_count(n - 1)
    assert camera.evaluate("document.activeElement.className") == "shot"
    tab_to(camera, "#send")
    camera.keyboard.press("Enter")
    expect(camera.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    assert len(labels(site)) == n - 1


def test_who_cannot_hold_a_button_presses_it_twice(camera):
    name_kinds(camera, "cup")
    turn_on(camera)
    camera.get_by_label("I would rather press once").check()
    button = camera.get_by_role("button", name="Hold to take photos of cup")
    button.click()
    expect(of_kind(camera, "cup").locator(".shot").nth(2)).to_be_attached()
    button.click()
    n = of_kind(camera, "cup").locator(".shot").count()
    camera.wait_for_timeout(600)
    expect(of_kind(camera, "cup").locator(".shot")).to_have_count(n)


def test_a_click_without_a_press_takes_one_photo(camera):
    name_kinds(camera, "cup")
    turn_on(camera)
    camera.locator(".hold").first.evaluate("(button) => button.click()")  # as a screen reader does
    expect(of_kind(camera, "cup").locator(".kind-count")).to_have_text("1 photo, in 1 series")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NotAllowedError", "allow the camera, and turn it on here again"),
        ("NotFoundError", "No camera was found. Connect one"),
        ("NotReadableError", "perhaps another program is using it"),
    ],
)
def test_without_a_camera_the_page_says_what_to_do_and_takes_files(page, name, said):
    page.add_init_script(FAILS % name)
    page.goto("/camera")
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.locator("#camera-note")).to_contain_text(said)
    expect(page.get_by_label("Choose photos").first).to_be_visible()


def test_a_camera_that_is_pulled_out_is_told(camera):
    turn_on(camera)
    camera.evaluate(
        """() => { const [track] = document.getElementById("camera-video").srcObject.getTracks();
        track.stop(); track.dispatchEvent(new Event("ended")); }"""
    )
    expect(camera.locator("#camera-note")).to_contain_text("The camera has stopped")
    expect(camera.get_by_role("button", name="Turn the camera on")).to_be_visible()


def test_where_the_address_is_not_safe_a_phone_takes_single_photos(page, site):
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.set_viewport_size(PHONE)
    page.goto("/camera")
    expect(page.get_by_role("button", name="Turn the camera on")).to_be_disabled()
    expect(page.locator("#camera-note")).to_contain_text("--lan")
    name_kinds(page, "cup", "spoon")
    field = page.get_by_label("Take a photo").first
    assert (field.get_attribute("capture"), field.get_attribute("accept")) == ("environment", "image/*")
    choose(page, "cup", ("image.jpg", a_photo(1)), by="Take a photo")
    choose(page, "cup", ("image.jpg", a_photo(2)), by="Take a photo")
    choose(page, "spoon", ("IMG_7.jpg", a_photo(3)), ("IMG_8.jpg", a_photo(4)))
    go_on(page)
    expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    sent = labels(site)
    assert {name: sent[name] for name in ("IMG_7.jpg", "IMG_8.jpg")} == {"IMG_7.jpg": "spoon", "IMG_8.jpg": "spoon"}
    assert len({burst_of(name) for name, label in sent.items() if label == "cup"}) == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_is_no_photo_is_said_and_left(refused):
    of_kind(refused, "cup").get_by_label("Choose photos").set_input_files(
        [{"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"words"}]
    )
    expect(of_kind(refused, "cup").locator(".kind-hint")).to_have_text(
        "“notes.jpg” cannot be read as a photo. Take or choose another one."
    )
    expect(refused.locator(".shot")).to_have_count(0)


def test_names_that_cannot_be_classes_are_refused_before_anything_is_sent(refused, site):
    choose(refused, "cup", ("a.jpg", a_photo(1)))
    problem = refused.locator("#camera-problem")
    go_on(refused)
    expect(problem).to_contain_text("only one kind")
    choose(refused, "spoon", ("b.jpg", a_photo(2)))
    for name, said in (("", "no name yet"), ("a/b", "cannot have"), ("CUP", "Two kinds are called “CUP”")):
        name_kinds(refused, "cup", name)
        go_on(refused)
        expect(problem).to_contain_text(said)
        expect(refused.get_by_label("What is it?").nth(1)).to_be_focused()
    assert site.stored_files() == []


def test_a_lost_connection_loses_nothing(refused, site):
    for seed, kind in enumerate(("cup", "spoon")):
        choose(refused, kind, (f"{kind}.jpg", a_photo(seed)))
    refused.route(ONE_UPLOAD, lambda route: route.abort(), times=1)
    go_on(refused)
    expect(refused.locator("#send-note")).to_contain_text("Trying again in a second")
    expect(refused.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    assert labels(site) == {"cup.jpg": "cup", "spoon.jpg": "spoon"}


def test_after_an_error_of_the_server_the_same_button_goes_on(refused, site):
    for seed, kind in enumerate(("cup", "spoon")):
        choose(refused, kind, (f"{kind}.jpg", a_photo(seed)))
    message = {"error": {"code": "disk_full", "message": "The disk is full."}}
    refused.route(ONE_UPLOAD, lambda route: route.fulfill(status=507, json=message))
    go_on(refused)
    expect(refused.get_by_role("alert")).to_contain_text("The disk is full. Your photos are still on this page")
    refused.unroute(ONE_UPLOAD)
    go_on(refused)
    expect(refused.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    assert labels(site) == {"cup.jpg": "cup", "spoon.jpg": "spoon"}  # in one data set


def test_closing_the_page_with_unsent_photos_asks(refused):
    asked = []
    refused.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    choose(refused, "cup", ("a.jpg", a_photo(1)))
    refused.close(run_before_unload=True)
    refused.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    of_kind(refused, "cup").get_by_role("button", name="Delete photo").click()
    refused.close(run_before_unload=True)
    assert asked == ["beforeunload"]


class TestMorePhotosOfADataSet:
    @pytest.fixture(autouse=True)
    def lent(self, page):
        page.context.grant_permissions(["camera"])

    @pytest.fixture
    def dataset_id(self, site):
        files = {
            f"{label}/{i}.jpg": a_photo(first + i) for label, first in (("cup", 0), ("spoon", 50)) for i in range(6)
        }
        return site.add_checked(files)

    def test_a_class_gets_photos_as_the_next_version(self, page, site, dataset_id):
        with site.database.session() as session:
            used = session.get_one(Dataset, dataset_id).versions[-1].id
        site.add_run(RunState.DONE, dataset_id, version_id=used)
        page.goto(f"/datasets/{dataset_id}/photos?label=cup")
        page.get_by_text("Add photos to this class").click()
        page.get_by_role("link", name="Add photos from the camera").click()
        expect(page.get_by_label("What is it?")).to_have_value("cup")
        turn_on(page)
        hold(page, "cup", 3)
        n = page.locator(".shot").count()
        go_on(page)
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        really_check(site, dataset_id)
        expect(page.get_by_role("heading", name="Your photos are ready")).to_be_focused()
        expect(page.locator(".shot").first).to_be_disabled()
        with site.database.session() as session:
            dataset = session.get_one(Dataset, dataset_id)
            assert dataset.versions[-1].number == 2
            assert {row.label: row.n_images for row in dataset.summary.classes} == {"cup": 6 + n, "spoon": 6}

    def test_all_classes_are_offered_and_a_new_one_may_be_added(self, page, dataset_id):
        page.goto(f"/datasets/{dataset_id}")
        page.locator("#add-more").click()
        page.get_by_role("link", name="Add photos from the camera").click()
        names = page.get_by_label("What is it?")
        expect(names).to_have_count(2)
        assert [names.nth(i).input_value() for i in range(2)] == ["cup", "spoon"]
        page.get_by_role("button", name="Add another kind").click()
        expect(names.nth(2)).to_be_focused()
        page.keyboard.type("fork")
        expect(of_kind(page, "fork")).to_be_visible()

    def test_photos_that_cannot_be_trained_from_are_explained(self, page, site):
        empty = site.add_dataset(DatasetState.UPLOADING, n_files=0)
        page.goto(f"/datasets/{empty}/camera")
        name_kinds(page, "cup")
        turn_on(page)
        hold(page, "cup", 1)
        go_on(page)
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        really_check(site, empty)
        expect(page.get_by_role("heading", name="No model can be trained from these photos yet")).to_be_focused()
        expect(page.locator("#send")).to_be_disabled()


HINT = """async (series) => {
  const page = document.querySelector("script[src$='camera.js']").src;
  const { hintFor, measuredPixels } = await import(page.replace("camera.js", "camera-hints.js"));
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const facts = ({ width, height, data }) => measuredPixels({ width, height, data: bytes(data) });
  return hintFor(series.map((one) => one.map(facts)));
}"""


def moving(seed: int, n: int) -> list[Image.Image]:
    """Photos of something with sharp edges that moves."""
    cells = np.random.default_rng(seed).integers(0, 256, (15, 20, 3), np.uint8)
    still = Image.fromarray(cells).resize((640, 480), Image.Resampling.NEAREST)
    return [still.crop((9 * i, 5 * i, 320 + 9 * i, 240 + 5 * i)) for i in range(n)]


def test_what_is_wrong_with_photos_is_measured(page):
    faults = {
        "dark": [[picture.point(lambda value: value // 5) for picture in moving(1, 5)]],
        "blurred": [
            [picture.resize((20, 15)).resize((320, 240), Image.Resampling.BICUBIC) for picture in moving(1, 5)]
        ],
        "alike": [moving(1, 1) * 5],
        "one series": [moving(1, 10)],
        "background": [moving(1, 6), moving(1, 6)],
        "few": [moving(1, 3)],
        "enough": [moving(1, 12), moving(2, 12)],
        "none": [[]],
    }
    page.goto("/camera")
    hints = {
        fault: page.evaluate(HINT, [[as_pixels(picture) for picture in one] for one in series])
        for fault, series in faults.items()
    }
    assert {fault: hint.partition(".")[0] for fault, hint in hints.items()} == {
        "dark": "These photos are dark",
        "blurred": "These photos are blurred",
        "alike": "These photos are nearly all the same",
        "one series": "What is taken in one go is learned from or tested as a whole",
        "background": "All series have about the same background",
        "few": "3 photos so far",
        "enough": "Good",
        "none": "",
    }


def as_pixels(picture: Image.Image) -> dict[str, object]:
    return {
        "width": picture.width,
        "height": picture.height,
        "data": b64encode(picture.convert("RGBA").tobytes()).decode(),
    }


class TestWithoutJavaScript:
    def test_the_photos_of_a_kind_are_sent_in_a_form(self, plain_page, site):
        plain_page.goto("/camera")
        plain_page.get_by_label("What do the photos show?").fill("cup")
        plain_page.get_by_label("Photos", exact=True).set_input_files(
            [{"name": f"{i}.jpg", "mimeType": "image/jpeg", "buffer": a_photo(i)} for i in range(2)]
        )
        plain_page.get_by_role("button", name="Send these photos").click()
        plain_page.wait_for_url("**/datasets/*")
        assert labels(site) == {"0.jpg": "cup", "1.jpg": "cup"}
        really_check(site, site.only_dataset().id)
        plain_page.reload()
        plain_page.get_by_role("link", name="Add photos from the camera").click()
        expect(plain_page.get_by_label("What do the photos show?")).to_be_visible()
