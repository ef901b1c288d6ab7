"""The page on which a model is tried, in a real browser: by file, by paste, by keyboard, by the folder."""

import json
import re
from pathlib import Path
from threading import BoundedSemaphore

import onnx
import pytest
from PIL import Image
from playwright.sync_api import expect

from automl.store.tables import Artifact, SortedPhoto
from server import answering
from tests.automl.serving.tiny_model import tiny_model
from tests.browser.test_accessibility import AXE, tab_to, violations
from tests.browser.test_upload_page import drop
from tests.server.trying import add_tried_run, noise, picture

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 800}
# A picture on the clipboard, as a screenshot tool leaves it there.
PASTE = """bytes => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(bytes)], "image.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
}"""


@pytest.fixture
def run_id(site):
    photos = {f"{label}/{i}.png": noise(10 * n + i) for n, label in enumerate(("red", "green")) for i in range(3)}
    return add_tried_run(site, site.add_checked(photos))


def a_file(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def test_chosen_photos_are_answered_in_turn_and_a_broken_one_is_explained(page, run_id):
    page.goto(f"/runs/{run_id}")
    page.get_by_role("button", name="Try it", exact=True).click()
    page.wait_for_url("**/try")  # and for its scripts, which listen
    some = [a_file("a.png", picture()), a_file("b.png", picture((60, 40, 40))), a_file("c.png", b"words")]
    page.locator("#photos-input").set_input_files(some)
    expect(page.locator("#try-status")).to_contain_text("c.png: ✕ Not a photo that can be read")
    expect(page.locator("article")).to_have_count(3)
    sure, unsure, refused = (page.locator("article").nth(i) for i in range(3))
    expect(sure.locator(".answer-label")).to_have_text("It says red, 99.9 % sure")
    expect(sure.locator("td.number")).to_have_text(["99.9 %", "under 0.1 %", "under 0.1 %"])
    expect(unsure.locator(".answer-label")).to_have_text(re.compile(r"^Not sure. Perhaps red \(\d\d\.\d\s%\)$"))
    expect(refused).to_contain_text("Not a photo that can be read")


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["wide", "phone"])
def test_a_class_name_on_the_bars_breaks_only_where_it_is_long(page, site, run_id, size):
    model = onnx.load_from_string(tiny_model())
    labels = next(one for one in model.metadata_props if one.key == "labels")
    labels.value = "bean_rust\nangular_leaf_spot\n" + "very_" * 10 + "long" * 10
    run_id = add_tried_run(site, site.run(run_id).dataset_id, model.SerializeToString())
    page.set_viewport_size(size)
    page.goto(f"/runs/{run_id}/try")
    page.locator("#photos-input").set_input_files([a_file("a.png", picture())])
    names = page.locator(".answer .class-name")
    expect(names.first).to_have_text("bean_rust")
    short, middle, long = (one["height"] for one in map(_box, names.all()))
    assert short == middle < long
    assert max(one["x"] + one["width"] for one in map(_box, names.all())) < _box(page.locator(".bar").first)["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def _box(locator):
    box = locator.bounding_box()
    assert box is not None
    return box


def test_a_photo_is_shown_at_once_and_says_that_it_is_being_looked_at(page, run_id):
    page.goto(f"/runs/{run_id}/try")
    held = []
    page.route("**/try", lambda route: held.append(route), times=1)
    page.locator("#photos-input").set_input_files([a_file("a.png", picture(side=40)), a_file("b.png", picture())])
    first, second = (page.locator("article").nth(i) for i in range(2))
    expect(first).to_contain_text("Looking at it…")
    expect(second).to_contain_text("Waiting for its turn…")
    expect(first.locator("canvas")).to_have_attribute("width", "40")  # the browser's own copy of the photo
    page.wait_for_function("document.querySelector('canvas').getContext('2d').getImageData(9, 9, 1, 1).data[0] === 255")
    assert len(held) == 1
    page.emulate_media(reduced_motion="reduce")
    assert first.locator("canvas").evaluate("(canvas) => getComputedStyle(canvas).animationName") == "none"
    held[0].continue_()
    expect(page.locator(".answer-label")).to_have_count(2)
    expect(page.locator("canvas")).to_have_count(0)


def test_a_lost_connection_is_explained_and_one_press_asks_about_all_photos_again(page, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.route("**/try", lambda route: route.abort("connectionrefused"))
    page.locator("#photos-input").set_input_files([a_file(f"{i}.png", picture()) for i in range(3)])
    again = page.get_by_role("button", name="Try again")
    expect(again).to_have_count(3)
    expect(page.locator("article").first).to_contain_text("Check whether you are still connected, then try again")
    page.unroute("**/try")
    again.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".answer-label")).to_have_text(["It says red, 99.9 % sure"] * 3)
    expect(page.locator("article").nth(1)).to_be_focused()


def test_a_photo_that_was_changed_after_it_was_chosen_is_not_taken_for_a_lost_connection(page, run_id, folder):
    page.goto(f"/runs/{run_id}/try")
    page.route("**/try", lambda route: route.abort("connectionrefused"))
    page.locator("#photos-input").set_input_files(folder / "00.png")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.unroute("**/try")
    (folder / "00.png").unlink()
    again.click()
    expect(page.locator("article")).to_contain_text("moved or changed after you chose it. Choose it again.")
    expect(again).to_be_hidden()


def test_a_server_that_is_too_busy_says_so_and_what_asking_again_cannot_help_has_no_button(page, site, run_id):
    page.goto(f"/runs/{run_id}/try")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "_LONGEST_WAIT_S", 0.01)
        patch.setattr(answering, "_turns", BoundedSemaphore(1))
        answering._turns.acquire()
        page.locator("#photos-input").set_input_files([a_file("a.png", picture())])
        expect(page.locator("article")).to_contain_text("Too many photos are being looked at right now")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer-label")).to_contain_text("red")
    with site.database.session() as session:
        session.query(Artifact).delete()
    page.locator("#photos-input").set_input_files([a_file("b.png", picture())])
    expect(page.locator("article").first).to_contain_text("There is no model to try yet")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_photos_are_dropped_anywhere_on_the_page(page, run_id, folder):
    page.goto(f"/runs/{run_id}/try")
    drop(page, folder / "00.png", onto="#try-zone")
    expect(page.locator(".answer-label")).to_have_text(["It says blue, 99.9 % sure"])
    drop(page, folder / "01.png", folder / "04.png", folder / "notes.txt", onto=".lead")
    expect(page.locator(".answer-label")).to_contain_text(["red", "blue", "blue"])
    expect(page.locator(".answer-refused:visible")).to_have_count(1)
    expect(page.locator("article").first.locator(".file-name")).to_have_text("01.png")


def test_a_dropped_folder_is_sorted_and_kept(page, site, run_id, folder):
    page.goto(f"/runs/{run_id}/try")
    drop(page, folder, onto="#try-zone", kinds=("dragEnter", "dragOver"))
    expect(page.locator("#try-form")).to_have_class(re.compile("dragging"))
    drop(page, folder, onto="#try-zone", kinds=("drop",))
    expect(page.locator("#try-form")).not_to_have_class(re.compile("dragging"))
    expect(page.locator("#sending-status")).to_have_text("Done: 41 photos are sorted.")
    expect(page.locator("#sending-left-out summary")).to_have_text("1 file was left out")
    page.get_by_role("button", name="Show what it says").click()
    expect(page.get_by_role("heading", name="Sorted: many")).to_be_visible()
    expect(page.locator("#sorted-lead")).to_contain_text("has sorted 40 photos. It is not sure of 4: these come first.")
    assert len(site.files(site.run(run_id).dataset_id)) == 6


def test_everything_is_done_by_keyboard(page, site, run_id):
    page.goto(f"/runs/{run_id}/try")
    with page.expect_file_chooser() as chosen:
        tab_to(page, "#choose-photos")
        page.keyboard.press("Enter")
    chosen.value.set_files([a_file("shot.png", picture())])
    expect(page.locator(".answer-label")).to_contain_text("red")
    tab_to(page, ".heat-toggle")
    page.keyboard.press("Space")
    expect(page.locator(".heat-toggle")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".heat-toggle")).to_be_focused()
    tab_to(page, ".feedback-right")
    page.keyboard.press("Enter")
    expect(page.locator(".feedback-yes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".feedback-done")).to_contain_text("Stored as “red”")
    dataset_id = site.run(run_id).dataset_id
    assert site.files(dataset_id)[-1].given_label == "red"
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Train again with it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#checking")).to_be_visible()
    site.finish_check(dataset_id)
    expect(page.locator("#start-like")).to_be_visible()  # the form has the settings of this run, also after the check


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_in_answers_failures_and_waiting_photos(page, run_id, scheme, size):
    page.add_init_script(path=AXE)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(size)
    page.goto(f"/runs/{run_id}/try")
    some = [a_file("a.png", picture()), a_file("b.png", picture((60, 40, 40))), a_file("c.png", b"words")]
    page.locator("#photos-input").set_input_files(some)
    expect(page.locator("#try-status")).to_contain_text("c.png: ✕")
    page.get_by_role("button", name="Show what it looked at").first.click()
    page.get_by_role("button", name="Wrong: it is").first.click()
    page.route("**/try", lambda route: None)  # never answered
    page.route("**/try", lambda route: route.abort("connectionrefused"), times=1)
    page.locator("#photos-input").set_input_files([a_file("d.png", picture()), a_file("e.png", picture())])
    expect(page.get_by_role("button", name="Try again")).to_have_count(1)
    expect(page.locator("article").nth(1)).to_contain_text("Looking at it…")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_pasted_picture_is_answered_and_shows_what_it_looked_at(page, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.evaluate(PASTE, list(picture((0, 0, 255))))
    expect(page.locator(".answer-label")).to_contain_text("blue")
    plain = page.locator(".answer-photo").get_attribute("src")
    page.get_by_role("button", name="Show what it looked at").click()
    expect(page.locator(".heat-toggle")).to_have_attribute("aria-pressed", "true")
    assert page.locator(".answer-photo").get_attribute("src") != plain
    page.get_by_role("button", name="Show what it looked at").click()
    expect(page.locator(".answer-photo")).to_have_attribute("src", plain)


def test_a_heat_map_that_comes_late_leaves_the_focus_where_it_is(page, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.locator("#photos-input").set_input_files([a_file("a.png", picture())])
    held = []
    page.route("**/predict?heat=1", lambda route: held.append(route))
    page.get_by_role("button", name="Show what it looked at").click()
    expect(page.locator(".heat-note")).to_have_text("Looking…")
    page.get_by_role("button", name="Wrong: it is").click()
    held[0].continue_()
    expect(page.locator(".heat-toggle")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".feedback-choose select")).to_be_focused()


def test_a_wrong_answer_is_stored_under_its_right_class_by_keyboard_alone(page, site, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.locator("#photos-input").set_input_files([a_file("shot.png", picture())])
    page.get_by_role("button", name="Wrong: it is").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".feedback-choose select")).to_be_focused()
    expect(page.locator(".feedback-choose option:checked")).to_have_text("choose…")  # nothing is chosen for the user
    expect(page.locator(".feedback-confirm")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.locator(".feedback-done")).to_contain_text("a photo that shows none of these teaches the model nothing")
    expect(page.locator(".feedback-confirm")).to_be_hidden()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".feedback-confirm")).to_contain_text("This stores the photo on this server, in the data set")
    expect(page.locator(".feedback-as")).to_have_text("blue")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".feedback-done")).to_contain_text("It counts from the next run on")
    added = site.files(site.run(run_id).dataset_id)[-1]
    assert (added.name[:6], added.name[-4:], added.given_label) == ("tried-", ".png", "blue")
    assert site.queue.sent[-1][0] == "darkroom.check_dataset"


def test_a_photo_that_is_stored_while_the_queue_is_away_is_said_to_be_kept(page, site, run_id):
    site.queue.away = True
    page.goto(f"/runs/{run_id}/try")
    page.locator("#photos-input").set_input_files([a_file("shot.png", picture())])
    page.get_by_role("button", name="Correct").click()
    page.get_by_role("button", name="Store it").click()
    expect(page.locator(".feedback-done")).to_contain_text("Stored as “red”")
    expect(page.locator(".feedback-done")).to_contain_text("could not be started now")
    page.get_by_role("link", name="Open the page of the photos").click()
    expect(page.get_by_role("button", name="Check these photos")).to_be_visible()
    assert len(site.files(site.run(run_id).dataset_id)) == 7


def test_nothing_is_stored_without_a_yes(page, site, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.locator("#photos-input").set_input_files([a_file("shot.png", picture())])
    page.get_by_role("button", name="Correct").click()
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.locator(".feedback-done")).to_have_text("Nothing was stored.")
    expect(page.locator(".feedback-next")).to_be_hidden()
    assert len(site.files(site.run(run_id).dataset_id)) == 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "many"
    target.mkdir()
    for i in range(40):
        colour = "blue" if i % 4 == 0 else (60, 40, 40) if i % 10 == 1 else "red"  # the dark ones are hard to tell
        Image.new("RGB", (8, 8), colour).save(target / f"{i:02}.png")
    (target / "cut.png").write_bytes(noise(1)[:80])
    (target / "notes.txt").write_text("words")
    return target


def test_a_server_that_is_busy_is_asked_again_and_a_stopped_folder_goes_on(page, site, run_id, folder):
    (folder / "notes.txt").unlink()
    page.goto(f"/runs/{run_id}/try")
    busy = json.dumps({"error": {"code": "too_busy", "message": "Try again."}})
    page.route("**/files", lambda route: route.fulfill(status=503, body=busy), times=1)
    page.route("**/files", lambda route: None, times=1)  # the first of all: never answered
    with page.expect_request("**/files"):
        page.locator("#try-folder-input").set_input_files(folder)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#sending-error")).to_have_text("Stopped. What has arrived is sorted and kept.")
    page.get_by_role("button", name="Go on").click()  # once busy, then not
    expect(page.locator("#sorted-lead")).to_contain_text("has sorted 40 photos.", timeout=20_000)
    with page.expect_response("**/missing") as asked:
        page.locator("#more-folder-input").set_input_files(folder)  # as after the laptop was closed
    assert asked.value.json() == {"missing": []}
    with site.database.session() as session:
        assert session.query(SortedPhoto).count() == 41


def test_why_many_photos_are_not_sorted_is_said_in_the_words_of_the_server(page, run_id, folder):
    page.goto(f"/runs/{run_id}/try")
    gone = json.dumps({"error": {"code": "not_found", "message": "There is no such run. It may have been deleted."}})
    page.route("**/sortings", lambda route: route.fulfill(status=404, body=gone))
    page.locator("#try-folder-input").set_input_files(folder)
    expect(page.locator("#sending-error")).to_have_text("There is no such run. It may have been deleted.")


CAMERA = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  const context = canvas.getContext("2d");
  window.sees = "#00f";
  setInterval(() => { context.fillStyle = window.sees; context.fillRect(0, 0, 64, 48); }, 30);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
}"""


def test_the_camera_takes_a_photo(page, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.evaluate(CAMERA)
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take a photo").dblclick()
    expect(page.locator(".answer-label")).to_contain_text(["blue", "blue"])
    page.get_by_role("button", name="Turn the camera off").click()
    expect(page.get_by_role("button", name="Use the camera")).to_be_focused()


def test_the_camera_keeps_looking_until_it_is_told_not_to_or_the_page_is_hidden(page, site, run_id):
    page.goto(f"/runs/{run_id}/try")
    page.evaluate(CAMERA)
    page.get_by_role("button", name="Use the camera").click()
    keep = page.get_by_role("button", name="Keep looking")
    keep.click()
    expect(page.locator("#camera-says .answer-label")).to_have_text("It says blue, 99.9 % sure")
    page.evaluate("window.sees = '#f00'")
    expect(page.locator("#camera-says .answer-label")).to_have_text("It says red, 99.9 % sure")
    expect(page.locator("#camera-says th")).to_have_text(["blue", "green", "red"])
    expect(page.locator("#camera-said")).to_have_text("red")
    keep.click()
    expect(keep).to_have_attribute("aria-pressed", "false")
    keep.click()
    expect(keep).to_have_attribute("aria-pressed", "true")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(keep).to_have_attribute("aria-pressed", "false")
    expect(page.locator("article")).to_have_count(0)
    assert len(site.files(site.run(run_id).dataset_id)) == 6


def test_where_browsers_lend_no_camera_the_page_says_why(page, run_id):
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.goto(f"/runs/{run_id}/try")
    expect(page.get_by_role("button", name="Use the camera")).to_be_disabled()
    expect(page.locator("#camera-note")).to_contain_text("only on pages with a safe address")


def test_without_javascript_the_form_answers_with_a_page(plain_page, run_id):
    plain_page.goto(f"/runs/{run_id}/try")
    plain_page.get_by_label("Photos, one or several").set_input_files([a_file("a.png", picture())])
    plain_page.get_by_role("button", name="What is in them?").click()
    expect(plain_page.locator(".answer-label")).to_contain_text("red")
    heat = plain_page.get_by_role("img", name="bright where it supports")
    width = heat.bounding_box()["width"]
    assert width == plain_page.locator(".answer-photo").bounding_box()["width"] >= 160  # enlarged
    expect(plain_page.get_by_role("button", name="Correct")).to_be_hidden()


def test_the_page_fits_a_phone(page, run_id):
    page.set_viewport_size(PHONE)
    page.goto(f"/runs/{run_id}/try")
    page.locator("#photos-input").set_input_files([a_file("a-name-that-is-" + "long" * 30 + ".png", picture())])
    expect(page.locator(".answer-label")).to_be_in_viewport()
    page.get_by_role("button", name="Wrong: it is").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_photos_of_nothing_that_was_learned_are_named_so_alone_and_among_many(page, site, run_id, scheme):
    able = add_tried_run(site, site.run(run_id).dataset_id, tiny_model(has_distance=True))
    white = picture((255, 255, 255))
    page.emulate_media(color_scheme=scheme)
    page.add_init_script(path=AXE)
    page.goto(f"/runs/{able}/try")
    page.locator("#photos-input").set_input_files([a_file("a.png", picture()), a_file("w.png", white)])
    headings = page.locator(".answer .answer-label")
    expect(headings).to_have_text([re.compile(r"It says\s+red"), "This looks like nothing it has learned."])
    assert violations(page) == []
    many = [a_file(f"{i}.png", picture()) for i in range(11)] + [a_file(f"w{i}.png", white) for i in range(3)]
    page.locator("#photos-input").set_input_files(many)
    expect(page.get_by_text("It is not sure of 3: these come first.")).to_be_visible()
    sorted_ones = page.locator(".sorted-photo")
    for place in range(3):
        expect(sorted_ones.nth(place)).to_contain_text("This looks like nothing it has learned. Otherwise red")
    expect(sorted_ones.nth(3)).to_contain_text("It says red")
    assert violations(page) == []
