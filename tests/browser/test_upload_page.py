"""Uploading with the mouse, in a real browser."""

import io
import re
import shutil

import pytest
from playwright.sync_api import Page, expect

from automl.records import DatasetState
from automl.store.tables import Dataset
from automl.text.numbers import size_in_words
from server.uploads import receive

pytestmark = pytest.mark.browser

ONE_UPLOAD = re.compile(r"/api/v1/datasets/\w+/files$")


ODD_NAMES = ["back\\slash.png", "end\\", "🌹 röse.png", "100%22.png", "a;b=c.png", 'the "best" one.png']


def drop(page: Page, *paths, onto: str = "#drop-zone", kinds=("dragEnter", "dragOver", "drop")) -> None:
    """Drops files and folders of this machine onto an element, as a file manager does."""
    page.locator(onto).scroll_into_view_if_needed()
    box = page.locator(onto).bounding_box()
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in kinds:
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


def test_what_was_chosen_before_the_script_was_there_is_sent(page, site, flowers):
    held = []
    page.route("**/upload.js", lambda route: held.append(route), times=1)
    with page.expect_request("**/upload.js"):
        page.goto("/", wait_until="commit")
    page.wait_for_selector("#folder-input", state="attached")
    page.set_input_files("#folder-input", flowers)
    held[0].continue_()
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 6


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


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_arrive_as_they_are(page, site, flowers, name):
    shutil.copy(flowers / "rose" / "0.png", flowers / "rose" / name)
    page.goto("/")
    drop(page, flowers)
    page.wait_for_url("**/datasets/*")
    expected = name.replace("%22", '"')  # browsers write a quotation mark like this, so nobody can tell
    assert f"flowers/rose/{expected}" in names(site)


@pytest.mark.parametrize(("kind", "suffix"), [("zip", ".zip"), ("tar", ".tar"), ("gztar", ".tar.gz")])
def test_a_chosen_archive_is_uploaded(page, site, flowers, kind, suffix):
    archive = shutil.make_archive(str(flowers.parent / "my flowers"), kind, flowers)
    page.goto("/")
    page.set_input_files("#zip-input", archive)
    page.wait_for_url("**/datasets/*")
    assert (site.only_dataset().name, names(site)) == ("my flowers", [f"my flowers{suffix}"])


def test_a_dropped_archive_is_uploaded(page, site, flowers):
    archive = shutil.make_archive(str(flowers.parent / "my flowers"), "zip", flowers)
    page.goto("/")
    drop(page, archive)
    page.wait_for_url("**/datasets/*")
    assert (site.only_dataset().name, names(site)) == ("my flowers", ["my flowers.zip"])


def test_progress_is_told_to_those_who_hear_the_page_a_few_times_only(page, flowers):
    for i in range(230):
        shutil.copy(flowers / "rose" / "0.png", flowers / "rose" / f"copy {i}.png")
    said = []
    page.expose_function("hear", lambda text: said.append(text))
    page.goto("/")
    region = page.locator("#upload-panel").get_by_role("status", include_hidden=True).first
    region.evaluate("""(region) => new MutationObserver(() => hear(region.textContent)).observe(
        region, {childList: true, characterData: true, subtree: true})""")
    drop(page, flowers)
    page.wait_for_url("**/datasets/*")
    assert len(said) == len(set(said)) <= 5
    assert set(said) <= {"", *(f"{n} percent uploaded" for n in (25, 50, 75)), "Everything has arrived."}


class TestOnATouchScreen:
    @pytest.fixture
    def phone(self, browser, site):
        context = browser.new_context(
            base_url=site.url, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}
        )
        yield context.new_page()
        context.close()

    def test_nothing_is_said_to_be_dropped(self, phone):
        phone.goto("/")
        expect(phone.locator(".drop-title")).to_have_text("Choose your photos", use_inner_text=True)
        expect(phone.get_by_text("Drop your folder here")).to_be_hidden()

    def test_a_mouse_can_drop(self, page):
        page.goto("/")
        expect(page.locator(".drop-title")).to_have_text("Drop your folder here", use_inner_text=True)


def test_the_buttons_open_the_browsers_own_choosers(page, flowers):
    page.goto("/")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a .zip or .tar file").click()
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


@pytest.mark.parametrize("name", ["cat_001.jpg", "labels.csv"])
def test_one_folder_whose_classes_may_be_elsewhere_is_sent(page, site, flowers, name):
    for i in range(2):
        shutil.copy(flowers / "rose" / "0.png", flowers / "rose" / f"dog {i}.png")
    (flowers / "rose" / name).write_text("x")
    page.goto("/")
    page.set_input_files("#folder-input", flowers / "rose")
    page.wait_for_url("**/datasets/*")
    assert f"rose/{name}" in names(site)


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


def test_a_folder_that_is_gone_is_not_taken_for_a_lost_connection(page, site, flowers):
    def lose(route):
        shutil.move(flowers / "rose", flowers.parent / "elsewhere")
        route.abort()

    page.goto("/")
    page.route(ONE_UPLOAD, lose, times=1)
    page.set_input_files("#folder-input", flowers)
    expect(page.locator("#upload-error")).to_contain_text(re.compile("“flowers/rose/.*” can no longer be read"))
    shutil.move(flowers.parent / "elsewhere", flowers / "rose")
    page.get_by_role("button", name="Continue the upload").click()
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 6


class TestASmallServer:
    @pytest.fixture
    def environment(self):
        return {"DARKROOM_MAX_UPLOAD_BYTES": "40000", "DARKROOM_MAX_REQUEST_BYTES": "30000"}

    @pytest.mark.parametrize(
        ("n_bytes", "said"),
        [
            (50_000, "These are 50.0 kB; up to 40.0 kB are possible."),
            (35_000, "“flowers/rose/large.png” is larger than 30.0 kB, the most for one file."),
        ],
    )
    def test_what_is_too_large_is_said_before_anything_is_sent(self, page, site, flowers, n_bytes, said):
        others = sum(path.stat().st_size for path in flowers.rglob("*.png"))
        (flowers / "rose" / "large.png").write_bytes(bytes(n_bytes - others))
        page.goto("/")
        page.set_input_files("#folder-input", flowers)
        expect(page.get_by_role("alert")).to_contain_text(said)
        with site.database.session() as session:
            assert session.query(Dataset).count() == 0


def test_an_upload_that_the_server_refuses_says_why(page, site, flowers):
    page.goto("/")
    page.route(
        ONE_UPLOAD,
        lambda route: route.fulfill(status=507, json={"error": {"code": "disk_full", "message": "The disk is full."}}),
    )
    page.set_input_files("#folder-input", flowers)
    expect(page.get_by_role("alert")).to_have_text("The disk is full.")
    page.unroute(ONE_UPLOAD)
    page.get_by_role("button", name="Continue the upload").click()
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
    page.get_by_role("button", name="Continue the upload").click()
    page.wait_for_url("**/datasets/*")
    assert len(names(site)) == 6


def test_other_photos_can_be_chosen_after_a_broken_upload(page, site, flowers):
    page.goto("/")
    page.route(ONE_UPLOAD, lambda route: route.fulfill(status=413, json={"error": {"message": "Too much."}}))
    page.set_input_files("#folder-input", flowers)
    page.get_by_role("button", name="Choose other photos").click()
    expect(page.locator("#drop-zone")).to_be_visible()


def test_more_photos_can_be_added_to_an_invalid_data_set(page, site, flowers):
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


class TestAClosedTab:
    """The tab is closed in the middle; the data set's page is opened again, and the folder is dropped once more."""

    @pytest.fixture
    def sent(self, monkeypatch):
        """The names of the files that the server reads."""
        names: list[str] = []
        add = receive._Batch.add

        def remember(self, name, *rest):
            names.append(name)
            add(self, name, *rest)

        monkeypatch.setattr(receive._Batch, "add", remember)
        return names

    @pytest.fixture
    def left(self, site, sent):
        """Closes the tab after some files have arrived; returns the address to come back to."""

        def leave(*names_and_paths):
            dataset_id = site.add_dataset(DatasetState.UPLOADING, n_files=0)
            client = site.app.test_client()
            files = [(io.BytesIO(path.read_bytes()), name) for name, path in names_and_paths]
            assert client.post(f"/api/v1/datasets/{dataset_id}/files", data={"files": files}).status_code == 200
            sent.clear()
            return f"/datasets/{dataset_id}"

        return leave

    def test_only_the_rest_is_sent(self, page, site, flowers, left, sent):
        page.goto(left(*((f"flowers/rose/{i}.png", flowers / "rose" / f"{i}.png") for i in range(3))))
        expect(page.get_by_role("heading", name="3 files have arrived")).to_be_visible()
        drop(page, flowers)
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        assert sorted(sent) == [f"flowers/tulip/{i}.png" for i in range(3)]
        assert len(names(site)) == 6

    def test_progress_begins_where_it_ended(self, page, flowers, left):
        page.route(ONE_UPLOAD, lambda route: None)  # never answered
        page.goto(left(*((f"flowers/rose/{i}.png", flowers / "rose" / f"{i}.png") for i in range(3))))
        drop(page, flowers)
        sizes = [path.stat().st_size for path in flowers.rglob("*.png")]
        arrived = sum(path.stat().st_size for path in (flowers / "rose").iterdir())
        said = f"3 of 6 files, {size_in_words(arrived)} of {size_in_words(sum(sizes))}"
        expect(page.locator("#upload-status")).to_have_text(said)
        expect(page.locator("#upload-said")).to_have_text(re.compile("^(25|50) percent uploaded$"))

    def test_a_photo_that_was_changed_is_sent_although_its_size_is_the_same(self, page, site, flowers, left, sent):
        address = left(*((f"rose/{i}.png", flowers / "rose" / f"{i}.png") for i in range(3)))
        content = (flowers / "rose" / "1.png").read_bytes()
        (flowers / "rose" / "1.png").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        page.goto(address)
        drop(page, flowers / "rose")
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        assert sent == ["rose/1.png"]

    def test_odd_names_are_known_again(self, page, site, flowers, sent):
        for name in ODD_NAMES:
            shutil.copy(flowers / "rose" / "0.png", flowers / "rose" / name)
        page.goto("/")
        drop(page, flowers)
        page.wait_for_url("**/datasets/*")
        assert len(sent) == 6 + len(ODD_NAMES)
        with site.database.session() as session:
            session.query(Dataset).one().state = DatasetState.UPLOADING
        page.reload()
        sent.clear()
        drop(page, flowers)
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        assert sent == []


class TestFilesForAClass:
    """Elements with `data-drop-class` take files for a class, buttons with `data-add-to-class` let them be chosen."""

    @pytest.fixture
    def dataset_id(self, page, site):
        dataset_id = site.add_dataset(DatasetState.READY, n_files=0)
        client = site.app.test_client()
        for label in ("rose", "tulip"):
            client.post(
                f"/api/v1/datasets/{dataset_id}/files", data={"files": [(io.BytesIO(b"x"), f"a/{label}/1.png")]}
            )
        site.finish_check(dataset_id)
        page.goto(f"/datasets/{dataset_id}")
        page.evaluate(
            """() => document.getElementById("dataset").insertAdjacentHTML(
                "afterbegin",
                '<p id="rose" data-drop-class="rose">rose <button data-add-to-class="rose">Add photos</button></p>'
            )"""
        )
        return dataset_id

    def labels(self, site, dataset_id):
        return {file.name: file.given_label for file in site.files(dataset_id) if file.given_label}

    def test_files_that_are_dropped_onto_a_class_belong_to_it(self, page, site, flowers, dataset_id):
        drop(page, flowers / "tulip" / "0.png", flowers / "rose", onto="#rose")
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        names = ["0.png", *(f"rose/{i}.png" for i in range(3))]
        assert self.labels(site, dataset_id) == dict.fromkeys(names, "rose")
        assert site.queue.sent == [("darkroom.check_dataset", dataset_id)]

    def test_the_panel_with_the_progress_is_unfolded_and_says_which_class(self, page, flowers, dataset_id):
        page.route(ONE_UPLOAD, lambda route: None)  # never answered
        drop(page, flowers / "tulip" / "0.png", onto="#rose")
        expect(page.get_by_role("heading", name="Adding photos to “rose”")).to_be_focused()

    def test_files_can_be_chosen_for_a_class_with_the_keyboard(self, page, site, flowers, dataset_id):
        with page.expect_file_chooser() as chosen:
            page.locator("#rose button").press("Enter")
        chosen.value.set_files([flowers / "tulip" / "0.png", flowers / "tulip" / "1.png"])
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        assert self.labels(site, dataset_id) == {"0.png": "rose", "1.png": "rose"}

    def test_the_class_under_the_pointer_is_marked(self, page, flowers, dataset_id):
        drop(page, flowers / "tulip", onto="#rose", kinds=("dragEnter", "dragOver"))
        expect(page.locator("#rose")).to_have_class("drop-here")

    def test_a_drop_beside_the_classes_belongs_to_none(self, page, site, flowers, dataset_id):
        drop(page, flowers / "tulip", onto="h1")
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        assert self.labels(site, dataset_id) == {}


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
        expect(plain_page.get_by_role("main")).to_contain_text("choose a folder or an archive")
        plain_page.get_by_role("button", name="Go back").click()
        expect(plain_page.locator("#zip-input")).to_be_visible()
