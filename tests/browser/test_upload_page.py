"""Uploading with the mouse, in a real browser."""

import re
import shutil

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ONE_UPLOAD = re.compile(r"/api/v1/datasets/\w+/files$")


def drop(page: Page, *paths) -> None:
    """Drops files and folders of this machine onto the drop zone, as a file manager does."""
    page.locator("#drop-zone").scroll_into_view_if_needed()
    box = page.locator("#drop-zone").bounding_box()
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})


def names(site) -> list[str]:
    return sorted(file.name for file in site.files(site.only_dataset().id))


def test_a_chosen_folder_is_uploaded_checked_and_ready_to_start(page, site, flowers):
    page.goto("/")
    page.set_input_files("#folder-input", flowers)
    page.wait_for_url("**/datasets/*")
    expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    dataset = site.only_dataset()
    assert (dataset.name, site.queue.sent) == ("flowers", [("darkroom.check_dataset", dataset.id)])
    site.finish_check(dataset.id)
    expect(page.locator("#verdict")).to_have_text("6 photos, 2 classes, ready")
    expect(page.locator("#announcer")).to_have_text("Ready to train. 6 photos, 2 classes, ready")
    expect(page).to_have_title("Ready to train · flowers · Darkroom")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")


def test_a_dropped_folder_keeps_the_way_to_each_photo(page, site, flowers):
    page.goto("/")
    drop(page, flowers)
    page.wait_for_url("**/datasets/*")
    assert names(site) == [f"flowers/{label}/{i}.png" for label in ("rose", "tulip") for i in range(3)]


def test_several_class_folders_may_be_dropped_at_once(page, site, flowers):
    page.goto("/")
    drop(page, flowers / "rose", flowers / "tulip")
    page.wait_for_url("**/datasets/*")
    assert names(site)[0] == "rose/0.png"
    assert site.only_dataset().name == "Photos"


def test_more_than_a_hundred_files_in_a_dropped_folder_all_arrive(page, site, flowers):
    for i in range(230):
        shutil.copy(flowers / "rose" / "0.png", flowers / "rose" / f"copy {i}.png")
    page.goto("/")
    drop(page, flowers)
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 236


@pytest.mark.parametrize(
    "name", ['the "best" one.png', "back\\slash.png", "end\\", "🌹 röse.png", "100%22.png", "a;b=c.png"]
)
def test_odd_names_arrive_as_they_are(page, site, flowers, name):
    shutil.copy(flowers / "rose" / "0.png", flowers / "rose" / name)
    page.goto("/")
    drop(page, flowers)
    page.wait_for_url("**/datasets/*")
    expected = name.replace("%22", '"')  # browsers write a quotation mark like this, so nobody can tell
    assert f"flowers/rose/{expected}" in names(site)


def test_a_chosen_zip_is_uploaded(page, site, flowers):
    archive = shutil.make_archive(str(flowers.parent / "my flowers"), "zip", flowers)
    page.goto("/")
    page.set_input_files("#zip-input", archive)
    page.wait_for_url("**/datasets/*")
    assert (site.only_dataset().name, names(site)) == ("my flowers", ["my flowers.zip"])


def test_the_buttons_open_the_browsers_own_choosers(page, flowers):
    page.goto("/")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a .zip file").click()
    assert not chosen.value.is_multiple()
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a folder").press("Enter")
    chosen.value.set_files(flowers)
    page.wait_for_url("**/datasets/*")


def test_photos_without_class_folders_are_explained_before_anything_is_sent(page, site, flowers):
    page.goto("/")
    page.set_input_files("#folder-input", flowers / "rose")
    expect(page.get_by_role("alert")).to_contain_text("nothing to tell apart")
    assert site.stored_files() == []


def test_an_empty_folder_is_explained(page, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    page.goto("/")
    drop(page, empty)
    expect(page.get_by_role("alert")).to_contain_text("This folder is empty")


def test_a_lost_connection_is_told_and_the_upload_goes_on_by_itself(page, site, flowers):
    failures = iter([True])

    def sometimes(route):
        if next(failures, False):
            route.abort()
        else:
            route.continue_()

    page.goto("/")
    page.route(ONE_UPLOAD, sometimes)
    page.set_input_files("#folder-input", flowers)
    expect(page.locator("#upload-note")).to_contain_text("Trying again in a second")
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 6


def test_an_upload_that_the_server_refuses_says_why(page, site, flowers):
    page.goto("/")
    page.route(
        ONE_UPLOAD,
        lambda route: route.fulfill(status=507, json={"error": {"code": "disk_full", "message": "The disk is full."}}),
    )
    page.set_input_files("#folder-input", flowers)
    expect(page.get_by_role("alert")).to_have_text("The disk is full.")
    page.unroute(ONE_UPLOAD)
    page.get_by_role("button", name="Go on with the upload").click()
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 6


def test_an_upload_can_be_stopped_and_taken_up_again(page, site, flowers):
    page.goto("/")
    page.route(ONE_UPLOAD, lambda route: None)  # never answered
    page.set_input_files("#folder-input", flowers)
    expect(page.get_by_role("heading", name="Uploading “flowers”")).to_be_focused()
    page.get_by_role("button", name="Stop uploading").click()
    expect(page.get_by_role("alert")).to_contain_text("What has arrived is kept")
    page.unroute(ONE_UPLOAD)
    page.get_by_role("button", name="Go on with the upload").click()
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 6


def test_other_photos_can_be_chosen_after_a_broken_upload(page, site, flowers):
    page.goto("/")
    page.route(ONE_UPLOAD, lambda route: route.fulfill(status=413, json={"error": {"message": "Too much."}}))
    page.set_input_files("#folder-input", flowers)
    page.get_by_role("button", name="Choose other photos").click()
    expect(page.locator("#drop-zone")).to_be_visible()


def test_more_photos_can_be_added_to_an_invalid_data_set(page, site, flowers):
    from automl.records import DatasetState

    dataset_id = site.add_dataset(DatasetState.INVALID, n_files=1, message="Only one kind.")
    page.goto(f"/datasets/{dataset_id}")
    drop(page, flowers / "tulip")
    expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    assert len(names(site)) == 4


def test_photos_can_be_added_right_after_a_check_that_the_page_has_watched(page, site, flowers):
    page.goto("/")
    page.set_input_files("#folder-input", flowers)
    page.wait_for_url("**/datasets/*")
    site.finish_check(site.only_dataset().id)
    page.locator("#add-more").click()
    drop(page, flowers / "tulip")
    expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()


class TestWithoutJavaScript:
    def test_a_zip_is_uploaded_and_checked(self, plain_page, site, flowers):
        archive = shutil.make_archive(str(flowers), "zip", flowers)
        plain_page.goto("/")
        plain_page.set_input_files("#zip-input", archive)
        plain_page.get_by_role("button", name="Upload these photos").click()
        plain_page.wait_for_url("**/datasets/*")
        site.finish_check(site.only_dataset().id)
        expect(plain_page.locator("#verdict")).to_have_text("1 photos, 1 classes, ready")  # the page loads itself again

    def test_a_folder_is_uploaded_with_the_way_to_each_photo(self, plain_page, site, flowers):
        plain_page.goto("/")
        plain_page.set_input_files("#folder-input", flowers)
        plain_page.get_by_role("button", name="Upload these photos").click()
        plain_page.wait_for_url("**/datasets/*")
        assert names(site)[0] == "flowers/rose/0.png"

    def test_an_empty_form_is_explained_and_leads_back(self, plain_page):
        plain_page.goto("/")
        plain_page.get_by_role("button", name="Upload these photos").click()
        expect(plain_page.get_by_role("main")).to_contain_text("choose a folder or a .zip file")
        plain_page.get_by_role("button", name="Go back").click()
        expect(plain_page.locator("#zip-input")).to_be_visible()
