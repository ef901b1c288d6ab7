"""Looking into a data set and mending it, in a real browser, on photos that a real check has judged."""

import re
import threading

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from automl.errors import DiskFull
from automl.records import DatasetState, RunState
from automl.store.bin import due_datasets
from automl.store.checks import check_dataset
from server.uploads import receive
from server.views import dataset as dataset_view
from tests.automl.datasets.clip_sets import frame_of
from tests.automl.images.faults import as_jpeg, photo
from tests.automl.images.pictures import encoded, two_classes, write_files
from tests.browser.test_upload_page import drop

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
FOUND = "[id^=finding-{}]"
LONG = "a rather long name of a class and " + "n" * 60


def photos(label, n_photos=12, first=0):
    """`cat/0.jpg`, `cat/1.jpg`, ...: photo-like, all different."""
    return {f"{label}/{i}.jpg": as_jpeg(photo(np.random.default_rng(first + i), (160, 120))) for i in range(n_photos)}


def classes(n_classes, size_px=64):
    """`kind 0/0.png`, `kind 0/1.png`, `kind 1/0.png`, ...: two photos of each class."""
    drawn = {
        f"kind {i}/{n}.png": photo(np.random.default_rng(2 * i + n), (size_px,) * 2)
        for i in range(n_classes)
        for n in range(2)
    }
    return {name: as_jpeg(picture) for name, picture in drawn.items()}


@pytest.fixture(scope="module")
def pets_files():
    """Twelve cats and twelve dogs, and of the cats one copy, a blank one, and one that is broken."""
    files = photos("cat") | photos("dog", first=100)
    blank = as_jpeg(Image.new("RGB", (160, 120), "navy"))
    faults = {"cat/copy.jpg": files["cat/0.jpg"], "cat/blank.jpg": blank, "cat/broken.jpg": files["cat/1.jpg"][:500]}
    return files | faults


@pytest.fixture
def pets(site, pets_files):
    return site.add_checked(pets_files)


@pytest.fixture
def new_photos(tmp_path):
    return write_files(
        tmp_path / "new", {f"{i}.jpg": content for i, content in enumerate(photos("x", 2, 200).values())}
    )


@pytest.fixture
def counts(site):
    """How many photos each class has."""

    def count(dataset_id):
        return {row.label: row.n_images for row in site.dataset(dataset_id).summary.classes}

    return count


@pytest.fixture
def check(site):
    """What the worker does with a data set that was sent to it."""

    def run():
        task, dataset_id = site.queue.sent[-1]
        assert task == "darkroom.check_dataset"
        check_dataset(site.database, site.store, dataset_id, settings=site.settings)

    return run


def row(page, label):
    return page.locator(f'tr[data-drop-class="{label}"]:not(.sample-row)')


def tab_to(page, target, most=80):
    """Goes on with the keyboard until the focus is there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("The keyboard does not lead there.")


class TestThumbnails:
    def test_every_thumbnail_of_the_page_loads(self, page, pets):
        page.goto(f"/datasets/{pets}")
        page.locator("#findings details:not([open]) summary").evaluate_all("all => all.forEach((one) => one.click())")
        pictures = page.locator("img.thumb")
        assert pictures.count() > 16
        for picture in pictures.all():
            picture.scroll_into_view_if_needed()
            expect(picture).to_have_js_property("complete", True)
            assert picture.evaluate("image => image.naturalWidth") > 0
            assert picture.get_attribute("alt")

    def test_those_far_down_load_when_they_come_near(self, page, site):
        dataset_id = site.add_checked(two_classes(80))
        asked = set()
        page.on("request", lambda request: "/thumbnails/" in request.url and asked.add(request.url))
        page.set_viewport_size(PHONE)
        page.goto(f"/datasets/{dataset_id}/photos?label=cat")
        page.wait_for_load_state("networkidle")
        assert 4 <= len(asked) < 60
        last = page.locator("img.thumb").last
        last.scroll_into_view_if_needed()
        expect(last).to_have_js_property("complete", True)
        assert last.get_attribute("src") in {url.removeprefix(site.url) for url in asked}

    def test_the_keyboard_leads_from_the_samples_to_all_photos_of_a_class(self, page, pets):
        page.goto(f"/datasets/{pets}")
        samples = page.get_by_role("link", name="All photos of dog")
        tab_to(page, samples)
        assert samples.evaluate("link => getComputedStyle(link).outlineStyle") != "none"
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="dog")).to_be_visible()
        tab_to(page, page.get_by_role("checkbox", name="dog: 0.jpg"))


class TestPhotosForAClass:
    def test_files_dropped_onto_the_row_of_a_class_are_in_it_after_the_check(
        self, page, pets, new_photos, check, counts
    ):
        page.goto(f"/datasets/{pets}")
        drop(page, new_photos / "0.jpg", new_photos / "1.jpg", onto='tr[data-drop-class="dog"]:not(.sample-row)')
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        check()
        expect(row(page, "dog").locator(".number").first).to_have_text("14")
        assert counts(pets) == {"cat": 14, "dog": 14}

    def test_the_samples_of_a_class_take_files_too(self, page, pets, new_photos, check, counts):
        page.goto(f"/datasets/{pets}")
        drop(page, new_photos, onto='tr.sample-row[data-drop-class="cat"]')
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        check()
        assert counts(pets) == {"cat": 16, "dog": 12}

    def test_files_chosen_with_the_button_of_a_class_are_in_it(self, page, pets, new_photos, check):
        page.goto(f"/datasets/{pets}")
        with page.expect_file_chooser() as chosen:
            page.get_by_role("button", name="Add photos to dog").click()
        chosen.value.set_files([new_photos / "0.jpg"])
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        check()
        expect(row(page, "dog").locator(".number").first).to_have_text("13")

    def test_the_button_works_again_right_after_the_check(self, page, pets, new_photos, check, counts):
        page.goto(f"/datasets/{pets}")
        for number in range(2):
            with page.expect_file_chooser() as chosen:
                page.get_by_role("button", name="Add photos to dog").press("Enter")
            chosen.value.set_files([new_photos / f"{number}.jpg"])
            expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
            check()
        expect(row(page, "dog").locator(".number").first).to_have_text("14")

    def test_a_class_among_very_many_takes_photos_with_a_button_too(self, page, site, new_photos, check, counts):
        dataset_id = site.add_checked({f"kind {i}/{n}.png": encoded(2 * i + n) for i in range(52) for n in range(2)})
        page.goto(f"/datasets/{dataset_id}")
        with page.expect_file_chooser() as chosen:
            page.get_by_role("button", name="Add photos to kind 51").press("Enter")
        chosen.value.set_files([new_photos / "0.jpg"])
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        check()
        assert counts(dataset_id)["kind 51"] == 3


class TestFindings:
    def test_a_finding_is_mended_with_one_click_and_undone_with_another(self, page, pets, counts):
        page.goto(f"/datasets/{pets}")
        finding = page.locator(FOUND.format("blank"))
        finding.get_by_role("button", name="Leave them out").click()
        expect(finding).to_have_count(0)
        expect(row(page, "cat").locator(".number").first).to_have_text("13")
        page.locator("#edits li", has_text="Left out 1 blank photo").get_by_role("button", name="Undo").click()
        expect(finding).to_be_visible()
        assert counts(pets) == {"cat": 14, "dog": 12}

    def test_copies_are_shown_side_by_side_and_one_of_each_is_kept(self, page, pets, counts):
        page.goto(f"/datasets/{pets}")
        finding = page.locator(FOUND.format("duplicates"))
        if finding.locator("details:not([open])").count():
            finding.locator("summary").click()
        expect(finding.locator(".copy-group img")).to_have_count(2)
        finding.get_by_role("button", name="Keep one of each").press("Enter")
        expect(finding).to_have_count(0)
        assert counts(pets) == {"cat": 13, "dog": 12}

    def test_a_broken_file_is_told_with_the_reason(self, page, pets):
        page.goto(f"/datasets/{pets}")
        expect(page.locator(FOUND.format("refused"))).to_contain_text("broken.jpg")
        page.get_by_text("file is not used").click()
        page.get_by_role("link", name="See them all").click()
        expect(page.locator(".photo-grid li")).to_have_count(1)


class TestPhotosOfAClass:
    @pytest.fixture
    def cats(self, page, pets):
        page.goto(f"/datasets/{pets}")
        row(page, "cat").get_by_role("link").click()
        return page

    def test_ticked_photos_are_left_out_and_taken_back_in(self, cats, pets, counts):
        cats.get_by_role("checkbox", name="cat: 3.jpg").check()
        cats.get_by_text("4.jpg", exact=True).click()
        cats.get_by_role("button", name="Leave them out").click()
        expect(cats.get_by_role("checkbox")).to_have_count(12)
        cats.goto(f"/datasets/{pets}/photos")
        cats.get_by_role("checkbox", name="4.jpg").check()
        cats.get_by_role("button", name="Put back what you left out").click()
        expect(cats.get_by_role("checkbox", name="4.jpg")).to_have_count(0)
        assert counts(pets) == {"cat": 13, "dog": 12}

    def test_ticked_photos_are_moved_and_brought_back(self, cats, pets, counts):
        cats.get_by_role("checkbox", name="cat: 3.jpg").check()
        cats.get_by_label("Move them to").fill("dog")
        cats.get_by_role("button", name="Move").click()
        expect(cats.get_by_role("checkbox")).to_have_count(13)
        assert counts(pets) == {"cat": 13, "dog": 13}
        cats.goto(f"/datasets/{pets}")
        cats.locator("#edits li", has_text="Moved 1 photo to 'dog'").get_by_role("button", name="Undo").click()
        expect(row(cats, "dog").locator(".number").first).to_have_text("12")

    def test_all_of_it_works_with_the_keyboard_only(self, cats, pets, counts):
        tab_to(cats, cats.get_by_role("checkbox", name="cat: 5.jpg"))
        cats.keyboard.press("Space")
        tab_to(cats, cats.get_by_label("Move them to"))
        cats.keyboard.type("dog")
        cats.keyboard.press("Enter")
        expect(cats.get_by_role("checkbox")).to_have_count(13)
        assert counts(pets) == {"cat": 13, "dog": 13}
        tab_to(cats, cats.get_by_role("checkbox", name="cat: 6.jpg"))
        cats.keyboard.press("Space")
        tab_to(cats, cats.get_by_role("button", name="Leave them out"))
        cats.keyboard.press("Enter")
        expect(cats.get_by_role("checkbox")).to_have_count(12)
        assert counts(pets) == {"cat": 12, "dog": 13}

    def test_enter_on_a_photo_changes_nothing(self, cats, pets, counts):
        cats.get_by_role("checkbox", name="cat: 5.jpg").press("Space")
        cats.get_by_role("checkbox", name="cat: 5.jpg").press("Enter")
        expect(cats.get_by_label("Move them to")).to_be_focused()
        assert counts(pets) == {"cat": 14, "dog": 12}

    @pytest.mark.parametrize("height", [844, 500])
    def test_a_focused_photo_is_not_hidden_behind_the_buttons(self, cats, height):
        cats.set_viewport_size({"width": 390, "height": height})
        bar = cats.locator(".photo-actions")
        for box in cats.get_by_role("checkbox").all():
            box.focus()
            top = bar.bounding_box()["y"]
            assert box.evaluate("box => box.closest('li').querySelector('img').getBoundingClientRect().top") < top
            assert box.evaluate("box => box.getBoundingClientRect().bottom") < top

    def test_all_are_ticked_at_once_and_shift_ticks_a_row_of_them(self, cats):
        cats.get_by_role("button", name="Tick all on this page").click()
        expect(cats.locator("#n-ticked")).to_have_text("14 ticked")
        cats.get_by_role("button", name="Tick none").press("Enter")
        expect(cats.locator("#n-ticked")).to_have_text("0 ticked")
        boxes = cats.get_by_role("checkbox")
        boxes.nth(5).check()
        boxes.nth(2).click(modifiers=["Shift"])
        expect(cats.locator("#n-ticked")).to_have_text("4 ticked")
        cats.get_by_role("img").nth(8).click(modifiers=["Shift"])  # from the one that was clicked last
        expect(cats.locator("#n-ticked")).to_have_text("7 ticked")
        assert [i for i, box in enumerate(boxes.all()) if box.is_checked()] == [2, 3, 4, 5, 6, 7, 8]

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_tick_can_be_seen_in_light_and_dark(self, cats, theme):
        """The tick itself is white."""
        cats.emulate_media(color_scheme=theme)
        box = cats.get_by_role("checkbox").first
        box.check()
        expect(box).to_have_css("background-color", "rgb(143, 71, 0)")  # after its transition

    def test_nothing_ticked_is_said_in_plain_words_and_leads_back(self, cats):
        cats.get_by_role("button", name="Leave them out").click()
        expect(cats.get_by_role("main")).to_contain_text("Tick some photos first")
        cats.get_by_role("button", name="Go back").click()
        expect(cats.get_by_role("checkbox")).to_have_count(14)

    def test_emptying_a_class_leads_somewhere(self, cats, pets, counts):
        for box in cats.get_by_role("checkbox").all():
            box.check()
        cats.get_by_label("Move them to").fill("bird")
        cats.get_by_role("button", name="Move").click()
        expect(cats.get_by_role("heading", name="There is nothing here")).to_have_count(0)
        assert counts(pets) == {"bird": 14, "dog": 12}

    def test_the_pages_of_a_large_class_are_turned(self, page, pets, monkeypatch):
        monkeypatch.setattr(dataset_view, "N_ON_A_PAGE", 8)
        page.goto(f"/datasets/{pets}/photos?label=cat")
        page.get_by_role("link", name="More").click()
        expect(page.get_by_role("checkbox")).to_have_count(6)
        page.get_by_role("link", name="Back", exact=False).last.click()
        expect(page.get_by_role("checkbox")).to_have_count(8)


class TestClasses:
    def open(self, page, dataset_id):
        page.goto(f"/datasets/{dataset_id}")
        page.get_by_text("Rename or join classes").click()

    def test_a_class_is_renamed_and_named_back(self, page, pets):
        self.open(page, pets)
        page.get_by_role("combobox", name="Class").select_option("cat")
        page.get_by_label("New name").fill("kitten")
        page.locator(".edit-classes").get_by_role("button", name="Rename").click()
        expect(row(page, "kitten")).to_be_visible()
        page.locator("#edits").get_by_role("button", name="Undo").click()
        expect(row(page, "cat")).to_be_visible()

    def test_two_classes_are_joined(self, page, site, pets_files):
        dataset_id = site.add_checked(pets_files | photos("kitten", first=300))
        self.open(page, dataset_id)
        page.get_by_role("combobox", name="Class").select_option("kitten")
        page.get_by_label("New name").fill("cat")
        page.get_by_label("New name").press("Enter")
        expect(row(page, "cat").locator(".number").first).to_have_text("26")
        expect(row(page, "kitten")).to_have_count(0)

    def test_names_with_odd_characters_can_be_used(self, page, pets):
        self.open(page, pets)
        page.get_by_role("combobox", name="Class").select_option("cat")
        page.get_by_label("New name").fill('a "b" & <c> 100% #?+')
        page.get_by_label("New name").press("Enter")
        page.get_by_role("link", name='a "b" & <c> 100% #?+', exact=True).click()
        expect(page.get_by_role("checkbox")).to_have_count(14)

    def test_the_names_are_read_another_way_and_back(self, page, site):
        names = [f"{part}/{kind}_{n}.png" for part in ("a", "b") for kind in ("cat", "dog") for n in range(6)]
        self.open(page, site.add_checked({name: encoded(n) for n, name in enumerate(names)}))
        page.locator("li", has_text="name").get_by_role("button", name="Use this").first.click()
        expect(row(page, "dog")).to_be_visible()
        page.locator("#edits").get_by_role("button", name="Undo").click()
        expect(row(page, "a")).to_be_visible()


class TestDeleting:
    def test_what_goes_with_the_photos_is_said_first(self, page, site, pets):
        site.add_run(RunState.DONE, pets)
        page.goto(f"/datasets/{pets}")
        button = page.get_by_role("button", name="Delete these photos…")
        expect(button).to_be_hidden()
        page.get_by_text("Rename or delete these photos").click()
        button.click()
        expect(page.locator(".bin-contents li").nth(0)).to_have_text("26 photos")  # the copy and the blank one too
        expect(page.locator(".bin-contents li").nth(1)).to_have_text("1 run")
        page.get_by_role("button", name="No, keep it").click()
        page.wait_for_url(f"**/datasets/{pets}")

    def test_a_deletion_is_undone_on_the_next_page_and_from_the_bin(self, page, site, pets):
        page.goto(f"/bin/datasets/{pets}/delete")
        page.get_by_role("button", name="Yes, move it to the bin").press("Enter")
        expect(page.locator("#just-deleted")).to_contain_text(
            "“pets” is in the bin. It is removed for good in 14 days."
        )
        expect(page.get_by_role("main")).to_contain_text("Nothing here yet")
        page.get_by_role("button", name="Undo: put it back").press("Enter")
        page.wait_for_url(f"**/datasets/{pets}")
        page.goto(f"/bin/datasets/{pets}/delete")
        page.get_by_role("button", name="Yes, move it to the bin").click()
        page.goto(f"/datasets/{pets}")
        page.get_by_role("link", name="Open the bin").click()
        page.get_by_role("button", name="Put back pets").click()
        page.wait_for_url(f"**/datasets/{pets}")
        assert site.queue.sent == []

    def test_photos_in_use_say_so_instead(self, page, site, pets):
        site.add_run(RunState.SEARCHING, pets)
        page.goto(f"/datasets/{pets}")
        page.get_by_text("Rename or delete these photos").click()
        expect(page.locator(".manage")).to_contain_text("A run is using these photos")
        expect(page.get_by_role("button", name="Delete everything")).to_have_count(0)


_OVERFLOWING = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""

_FAINT = """() => {
    // Text whose contrast with what is behind it is below 4.5 : 1 (WCAG AA).
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = numbers(getComputedStyle(one).backgroundColor);
            if ((colour[3] ?? 1) > 0.5) return colour;
        }
        return [255, 255, 255];
    };
    const faint = [];
    for (const one of document.querySelectorAll("body *")) {
        const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!hasText || !one.checkVisibility()) continue;
        const [a, b] = [light(numbers(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${one.tagName}.${one.className}: ${one.textContent.trim()}`);
    }
    return faint;
}"""


class TestHowItLooks:
    @pytest.fixture
    def everything(self, page, site, pets_files):
        """The addresses of pages with all that they can show, and the longest names."""
        files = pets_files | photos(LONG, 3, 400) | {f"{LONG}/{'w' * 120}.jpg": pets_files["dog/1.jpg"]}
        dataset_id = site.add_checked(files | {f"dog/{'b' * 150}.jpg": b"no picture"})
        client = site.app.test_client()
        client.post(f"/datasets/{dataset_id}/edits", data={"kind": "exclude", "files": [site.files(dataset_id)[0].id]})
        client.post(f"/datasets/{dataset_id}/edits", data={"kind": "rename", "from": "cat", "to": "kitten" + "i" * 80})
        few = site.add_checked(photos("only " + "o" * 90, 3))
        address = f"/datasets/{dataset_id}"
        return [address, f"{address}/photos?label={LONG}", f"{address}/photos", f"/datasets/{few}", "/datasets"]

    @staticmethod
    def unfold(page):
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")

    @pytest.mark.parametrize("width", [390, 320])
    def test_no_page_scrolls_sideways_on_a_phone(self, page, everything, width):
        page.set_viewport_size(PHONE | {"width": width})
        for address in everything:
            page.goto(address)
            assert page.evaluate(_OVERFLOWING) == 0, address
            self.unfold(page)
            assert page.evaluate(_OVERFLOWING) == 0, f"{address}, unfolded"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_all_text_can_be_read_in_light_and_dark(self, page, everything, scheme):
        page.emulate_media(color_scheme=scheme)
        for address in everything:
            page.goto(address)
            self.unfold(page)
            assert page.evaluate(_FAINT) == [], address

    @pytest.mark.parametrize("width", [1200, 390])
    def test_long_names_leave_the_counts_in_sight(self, page, everything, width):
        page.set_viewport_size(PHONE | {"width": width})
        page.goto(everything[0])
        self.unfold(page)
        for box in page.locator(".scroll-box").all():
            assert box.evaluate("box => box.scrollWidth <= box.clientWidth")

    @pytest.mark.parametrize(
        ("address", "panel"),
        [("/", "body"), ("/", "#drop-zone"), ("/datasets/{}", "#findings"), ("/datasets/{}", "#start-form")],
    )
    def test_dark_is_dark(self, page, pets, address, panel):
        page.emulate_media(color_scheme="dark")
        page.goto(address.format(pets))
        background = page.locator(panel).evaluate("panel => getComputedStyle(panel).backgroundColor")
        assert max(map(int, re.findall(r"\d+", background)[:3])) < 60

    def test_all_of_twenty_classes_are_in_sight(self, page, site):
        page.goto(f"/datasets/{site.add_checked(classes(20))}")
        box = page.locator(".scroll-box:has(#classes)")
        assert box.evaluate("box => box.scrollHeight - box.clientHeight") == 0
        expect(page.get_by_text("The list goes on")).to_have_count(0)

    def test_a_class_name_of_usual_length_is_not_broken(self, page, site):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"/datasets/{site.add_checked(photos('angular_leaf_spot', 3) | photos('rust', 3, 100))}")
        spot, rust = page.locator("#classes .class-name").all()
        assert spot.bounding_box()["height"] == rust.bounding_box()["height"]

    def test_a_longer_list_of_classes_says_that_it_goes_on(self, page, site):
        page.goto(f"/datasets/{site.add_checked(classes(21))}")
        box = page.locator(".classes-box")
        assert box.evaluate("box => box.scrollHeight - box.clientHeight") > 0
        expect(page.get_by_text("scroll it to see all 21 kinds")).to_be_visible()
        last = page.get_by_role("link", name="All photos of kind 9")
        last.focus()  # behind the fade it would not be seen
        ends = "one => one.getBoundingClientRect().bottom"
        assert last.evaluate(ends) < box.evaluate(ends) - 40

    def test_small_photos_are_as_large_on_the_page_as_others(self, page, site):
        page.goto(f"/datasets/{site.add_checked(classes(2, 40))}/photos?label=kind 0")
        for picture in page.locator("img.thumb").all():
            assert picture.bounding_box()["width"] > 100

    @pytest.mark.parametrize("width", [1200, 390])
    def test_the_title_of_a_finding_is_not_squeezed_beside_its_badge(self, page, everything, width):
        page.set_viewport_size(PHONE | {"width": width})
        page.goto(everything[0])
        titles = page.locator(".finding h3")
        assert titles.count() > 2
        for title in titles.all():
            badge, words = (one.bounding_box() for one in title.locator(":scope > span").all())
            assert words["height"] < 30 or words["y"] >= badge["y"] + badge["height"]

    def test_every_control_has_a_name(self, page, everything):
        for address in everything:
            page.goto(address)
            self.unfold(page)
            controls = page.locator("a, button, input:not([type=hidden], [type=file]), select, summary")
            for control in controls.all():
                if control.is_visible():
                    expect(control).to_have_accessible_name(re.compile(r"\S"))


class TestWithoutJavaScript:
    def test_a_finding_is_mended_and_undone(self, plain_page, pets):
        plain_page.goto(f"/datasets/{pets}")
        plain_page.locator(FOUND.format("duplicates")).get_by_role("button", name="Keep one of each").click()
        expect(plain_page.locator(FOUND.format("duplicates"))).to_have_count(0)
        plain_page.locator("#edits").get_by_role("button", name="Undo").click()
        expect(plain_page.locator(FOUND.format("duplicates"))).to_be_visible()

    def test_photos_are_moved_and_left_out(self, plain_page, pets, counts):
        plain_page.goto(f"/datasets/{pets}")
        plain_page.get_by_role("link", name="All photos of cat").click()
        plain_page.get_by_role("checkbox", name="cat: 3.jpg").check()
        plain_page.get_by_label("Move them to").fill("dog")
        plain_page.get_by_role("button", name="Move").click()
        plain_page.get_by_role("checkbox", name="cat: 4.jpg").check()
        plain_page.get_by_role("button", name="Leave them out").click()
        expect(plain_page.get_by_role("checkbox")).to_have_count(12)
        assert counts(pets) == {"cat": 12, "dog": 13}

    def test_thumbnails_are_seen(self, plain_page, pets):
        plain_page.goto(f"/datasets/{pets}")
        with plain_page.expect_response("**/thumbnails/*") as answer:
            plain_page.reload()
        assert (answer.value.status, answer.value.headers["content-type"]) in [(200, "image/jpeg"), (304, "image/jpeg")]

    def test_no_button_is_shown_that_needs_scripts(self, plain_page, pets):
        plain_page.goto(f"/datasets/{pets}")
        expect(plain_page.locator("[data-add-to-class]").first).to_be_hidden()
        expect(plain_page.get_by_text("Drop photos onto a class")).to_be_hidden()

    def test_photos_are_added_to_a_class(self, plain_page, pets, new_photos, check, counts):
        plain_page.goto(f"/datasets/{pets}/photos?label=dog")
        plain_page.get_by_text("Add photos to this class").click()
        plain_page.get_by_label("Photos", exact=True).set_input_files([new_photos / "0.jpg", new_photos / "1.jpg"])
        plain_page.get_by_role("button", name="Add them").click()
        expect(plain_page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        check()
        assert counts(pets) == {"cat": 14, "dog": 14}

    def test_a_folder_is_added_and_the_page_shows_the_end_of_the_check(self, plain_page, pets, tmp_path, check):
        folder = write_files(tmp_path / "more", photos("bird", 12, 500))
        plain_page.goto(f"/datasets/{pets}")
        plain_page.get_by_text("Add more photos").click()
        plain_page.set_input_files("#folder-input", folder)
        plain_page.get_by_role("button", name="Add these photos").click()
        expect(plain_page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        check()
        expect(row(plain_page, "bird").locator(".number").first).to_have_text("12")  # the page loads itself again

    def test_classes_are_renamed_and_everything_deleted(self, plain_page, site, pets):
        TestClasses().open(plain_page, pets)
        plain_page.get_by_role("combobox", name="Class").select_option("dog")
        plain_page.get_by_label("New name").fill("hound")
        plain_page.locator(".edit-classes").get_by_role("button", name="Rename").click()
        expect(row(plain_page, "hound")).to_be_visible()
        plain_page.get_by_text("Rename or delete these photos").click()
        plain_page.get_by_role("button", name="Delete these photos…").click()
        plain_page.get_by_role("link", name="Delete it now, without the bin…").click()
        plain_page.get_by_role("button", name="Yes, delete it for good").click()
        expect(plain_page.get_by_role("main")).to_contain_text("Nothing here yet")
        with site.database.session() as session:
            assert due_datasets(session) == [pets]


class _Breaks:
    """The body of a request, of which some bytes arrive; then `error`."""

    def __init__(self, body, n_bytes, error):
        self.body, self.left, self.error = body, n_bytes, error

    def read(self, size=-1):
        content = self.body.read(min(size, 4096) if size >= 0 else 4096)
        self.left -= len(content)
        if self.left < 0:
            raise self.error
        return content


class _FailsAfterOne:
    """A web application that takes the first request with files, and breaks in the middle of the others."""

    def __init__(self, app, error):
        self.app, self.error = app, error
        self.numbers, self.first_is_done = iter(range(100)), threading.Event()

    def __call__(self, environ, start_response):
        number = next(self.numbers) if environ["PATH_INFO"].endswith("/files") else None
        if number == 0:
            answer = list(self.app(environ, start_response))
            self.first_is_done.set()
            return answer
        if number is not None:
            self.first_is_done.wait(10)
            environ["wsgi.input"] = _Breaks(environ["wsgi.input"], 20_000, self.error)
        return self.app(environ, start_response)


class TestABrokenUpload:
    """The server fails in the middle, the page is closed, and the folder is chosen again on the data set's page."""

    N_PHOTOS = 60  # of each class: more than two batches

    @pytest.fixture
    def folder(self, tmp_path):
        names = [f"{label}/{i}.png" for label in "ab" for i in range(self.N_PHOTOS)]
        return write_files(tmp_path / "letters", {name: encoded(i) for i, name in enumerate(names)})

    @pytest.fixture
    def read(self, monkeypatch):
        """The names of the files that the server reads to their end."""
        names = []
        add = receive._Batch.add

        def remember(self, name, *rest):
            add(self, name, *rest)
            names.append(name)

        monkeypatch.setattr(receive._Batch, "add", remember)
        return names

    @pytest.fixture
    def closed(self, page, site, folder):
        """Begins an upload that fails with an error, closes the page; returns what arrived, and a new page."""

        def begin(error, words):
            whole, site.app.wsgi_app = site.app.wsgi_app, _FailsAfterOne(site.app.wsgi_app, error)
            page.goto("/")
            page.set_input_files("#folder-input", folder)
            expect(page.get_by_role("alert").filter(visible=True)).to_contain_text(words)
            again = page.context.new_page()
            page.close()
            site.app.wsgi_app = whole
            return {file.name for file in site.files(site.only_dataset().id)}, again

        return begin

    @pytest.mark.parametrize(
        ("error", "words"), [(DiskFull("The disk is full."), "disk is full"), (ConnectionResetError(), "broke off")]
    )
    def test_only_the_rest_is_sent(self, site, folder, closed, read, check, counts, error, words):
        before, page = closed(error, words)
        assert len(before) in (20, 50)  # the first request that arrived, of 50, 50 and 20 files
        read.clear()
        page.goto("/datasets")
        page.get_by_role("link", name="letters").click()
        expect(page.get_by_role("heading", name=f"{len(before)} files have arrived")).to_be_visible()
        page.set_input_files("#folder-input", folder)
        expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
        assert len(read) == 120 - len(before) and not before & set(read)
        check()
        assert counts(site.only_dataset().id) == {"a": 60, "b": 60}


def test_an_invalid_data_set_can_be_mended_too(page, site):
    dataset_id = site.add_checked(photos("cat", 12))
    assert site.dataset(dataset_id).state is DatasetState.INVALID
    page.goto(f"/datasets/{dataset_id}/photos?label=cat")
    for box in page.get_by_role("checkbox").all()[:6]:
        box.check()
    page.get_by_label("Move them to").fill("lion")
    page.get_by_role("button", name="Move").click()
    page.get_by_role("link", name="← pets").click()
    expect(page.locator("#verdict")).to_contain_text("12 photos, 2 classes")


def test_clips_are_shown_and_one_click_says_that_there_are_none(site, page):
    clips = {
        f"{('left', 'right')[clip % 2]}/VID_{clip:02d}_{frame:04d}.jpg": as_jpeg(frame_of(clip, frame))
        for clip in range(6)
        for frame in range(10)
    }
    dataset_id = site.add_checked(clips)
    page.goto(f"/datasets/{dataset_id}")
    found = page.locator(FOUND.format("clips"))
    expect(found).to_contain_text("6 clips of about 10 frames each; each is learned from or tested as a whole")
    expect(page.locator("body")).to_contain_text("6 clips or groups are asked about as a whole")
    found.get_by_role("button", name="These are separate photos").click()
    expect(page.locator(FOUND.format("clips"))).to_have_count(0)
    changed = page.locator("#edits").get_by_text("Treated the photos of clips and groups as separate photos")
    expect(changed).to_be_visible()
    page.locator("#edits").get_by_role("button", name="Undo").click()
    expect(page.locator(FOUND.format("clips"))).to_be_visible()
