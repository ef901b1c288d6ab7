"""Pictures of every page in a real browser, from a stack of its own: `python -m scripts.pictures [--out FOLDER]`.

The rows are not made up: the sample images (handwritten digits) go through two real runs, so a picture shows what a
user sees. Each is a PNG with a small palette, below 150 KB.
"""

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from automl.images.sample_images import write_sample_images
from scripts.stack.running import REPOSITORY, RunningStack, running_stack
from tests.browser.conftest import FLAGS

MAX_BYTES = 150_000
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MOST_HEIGHT_PX = 2400
UNSTICK = """
for (const one of document.querySelectorAll("body *")) {
  if (getComputedStyle(one).position === "sticky") one.style.position = "static";
}
"""
_MINUTE_MS = 60_000
_TALLEST = {"wide": MOST_HEIGHT_PX, "phone": 1800}


class Camera:
    """Takes pictures of the pages of one stack. `out`: the folder; older pictures of the same names are replaced."""

    def __init__(self, browser: Browser, url: str, out: Path) -> None:
        self._browser, self._url, self._out = browser, url, out

    def page(self, path: str, size: dict[str, int] = WIDE, scheme: str = "light") -> Page:
        is_phone = size == PHONE
        context = self._browser.new_context(
            base_url=self._url,
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            is_mobile=is_phone,
            has_touch=is_phone,
        )
        page = context.new_page()
        page.goto(path)
        return page

    def shoot(self, page: Page, name: str, start: str = "") -> None:
        """The page, from the top or from where `start` (a selector) is, but not more than a reader scrolls through."""
        kind = "phone" if page.viewport_size == PHONE else "wide"
        # Those that load when they come into sight must be there, too; a heat map is only made when it is asked for.
        page.evaluate("for (const image of document.images) image.loading = 'eager'")
        # What sticks to the window would lie over the middle of a long picture.
        page.evaluate(UNSTICK)
        # A promise, since the pages' own policy forbids to wait for an expression. One that cannot be had is drawn so.
        page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
        below = page.evaluate("document.documentElement.scrollHeight")
        begin = 0.0
        if start:
            top = page.locator(start).first.bounding_box()
            assert top is not None
            begin = top["y"] + page.evaluate("scrollY") - 24
        height = min(below - begin, _TALLEST[kind])
        size = page.viewport_size
        assert size is not None
        area = FloatRect(x=0.0, y=begin, width=size["width"], height=height)
        taken = page.screenshot(full_page=True, clip=area, animations="disabled")
        path = self._out / f"{name}.png"
        path.write_bytes(small_png(Image.open(io.BytesIO(taken)).convert("RGB"), MAX_BYTES))
        print(f"{path} {path.stat().st_size // 1000} KB")

    def take(self, name: str, path: str, size: dict[str, int] = WIDE, scheme: str = "light", start: str = "") -> None:
        page = self.page(path, size, scheme)
        self.shoot(page, name, start)
        page.context.close()


def small_png(image: Image.Image, max_bytes: int) -> bytes:
    """As a PNG with a palette: with fewer colours, then smaller, until it is below `max_bytes`."""
    while True:
        for n_colours in (256, 128, 64, 32):
            buffer = io.BytesIO()
            image.quantize(n_colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
            if buffer.tell() < max_bytes:
                return buffer.getvalue()
        image = image.resize((image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS)


def photograph(camera: Camera, service: RunningStack) -> None:
    """Every page, in the order in which a new user comes to them."""
    camera.take("home-empty", "/")
    camera.take("home-empty-phone", "/", PHONE)
    camera.take("home-empty-dark", "/", scheme="dark")
    _upload(camera)
    _take_photos(camera)
    live = camera.page("/")
    live.click("#try-samples")
    live.wait_for_url("**/runs/*")
    run_id = live.url.rsplit("/", 1)[-1]
    dataset_id = _dataset_of(live)
    live.wait_for_selector("#best-score", timeout=2 * _MINUTE_MS)
    waiting = service.start(dataset_id, "1m", seed=0)
    camera.take("run-waiting", f"/runs/{waiting}")
    service.cancel(waiting)
    camera.take("run-cancelled", f"/runs/{waiting}")
    live.wait_for_timeout(20_000)  # so that the chart has something to show
    camera.shoot(live, "run-live")
    camera.take("run-live-phone", f"/runs/{run_id}", PHONE)
    camera.take("run-live-dark", f"/runs/{run_id}", scheme="dark")
    service.wait_for(run_id, "done")
    second = service.start(dataset_id, "1m", seed=0)  # the same seed: the same test photos
    live.context.close()

    for name, size, scheme in (("", WIDE, "light"), ("-phone", PHONE, "light"), ("-dark", WIDE, "dark")):
        camera.take(f"run-done{name}", f"/runs/{run_id}", size, scheme)
    camera.take("run-mistakes", f"/runs/{run_id}/mistakes")
    camera.take("run-details", f"/runs/{run_id}/details")
    camera.take("run-done-plots", f"/runs/{run_id}/details", start="#plots-title")
    camera.take("run-done-made", f"/runs/{run_id}/details", start="#made-title")
    camera.take("answers", f"/runs/{run_id}/answers?really=3&said=3")
    _try_it(camera, run_id)
    _on_a_phone(camera, run_id)
    camera.take("data-set", f"/datasets/{dataset_id}")
    camera.take("data-set-phone", f"/datasets/{dataset_id}", PHONE)
    camera.take("data-set-dark", f"/datasets/{dataset_id}", scheme="dark")
    camera.take("class", f"/datasets/{dataset_id}/photos?label=3")
    form = camera.page(f"/datasets/{dataset_id}")
    form.locator("#start-form .advanced > summary").click()
    camera.shoot(form, "start-form", "#start-form")
    form.context.close()
    service.wait_for(second, "done")
    camera.take("compare", f"/datasets/{dataset_id}/compare?run={run_id}&run={second}")
    camera.take("data-sets", "/datasets")
    camera.take("home", "/")
    camera.take("error-404", "/nowhere")


def _upload(camera: Camera) -> None:
    """A folder on its way, and what is said of one that cannot be learned from."""
    with tempfile.TemporaryDirectory() as folder:
        write_sample_images(Path(folder) / "digits")
        page = camera.page("/")
        page.route("**/files", lambda _: None)  # the first part never arrives
        page.set_input_files("#folder-input", Path(folder) / "digits")
        page.wait_for_selector("#upload-panel", timeout=_MINUTE_MS)
        camera.shoot(page, "upload")
        page.context.close()
        flowers = Path(folder) / "flowers"
        for label in ("rose", "tulip"):
            (flowers / label).mkdir(parents=True)
        for number, picture in enumerate(sorted((Path(folder) / "digits" / "0").iterdir())[:12]):
            shutil.copy(picture, flowers / "rose" / f"{number}.png")
        (flowers / "tulip" / "notes.jpg").write_text("These are no photos.")
        page = camera.page("/")
        page.set_input_files("#folder-input", flowers / "rose")
        page.wait_for_selector("#choose-error:visible", timeout=_MINUTE_MS)
        camera.shoot(page, "home-refused")
        page.set_input_files("#folder-input", flowers)
        page.wait_for_url("**/datasets/*", timeout=_MINUTE_MS)
        page.wait_for_selector("#invalid-title", timeout=_MINUTE_MS)
        camera.shoot(page, "data-set-refused")
        page.context.close()


def _take_photos(camera: Camera) -> None:
    """With Chromium's own moving picture in place of a camera."""
    for name, size, scheme in (("camera", WIDE, "light"), ("camera-phone", PHONE, "dark")):
        page = camera.page("/camera", size, scheme)
        page.context.grant_permissions(["camera"])
        for place, kind in enumerate(("cup", "spoon")):
            page.get_by_label("What is it?").nth(place).fill(kind)
        page.click("#turn-on")
        for place in (0, 1, 0):
            button = page.locator(".hold").nth(place)
            button.dispatch_event("keydown", {"key": " "})
            page.wait_for_timeout(2_000)
            button.dispatch_event("keyup", {"key": " "})
        camera.shoot(page, name)
        page.context.close()


def _try_it(camera: Camera, run_id: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_sample_images(Path(folder))
        page = camera.page(f"/runs/{run_id}/try")
        page.set_input_files("#try-form input[type=file] >> nth=0", [f"{folder}/{digit}/001.png" for digit in (3, 8)])
        page.wait_for_selector(".answer", timeout=_MINUTE_MS)
        page.wait_for_timeout(1_000)
        camera.shoot(page, "try-it")
        page.context.close()


def _on_a_phone(camera: Camera, run_id: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_sample_images(Path(folder))
        for name, scheme in (("phone", "light"), ("phone-dark", "dark")):
            page = camera.page(f"/runs/{run_id}/phone/", PHONE, scheme)
            page.wait_for_selector("#phone[data-state=ready]", state="attached", timeout=_MINUTE_MS)
            page.set_input_files("#photos-input", [f"{folder}/{digit}/001.png" for digit in (3, 8)])
            page.wait_for_selector("article >> nth=1", timeout=_MINUTE_MS)
            camera.shoot(page, name)
            page.context.close()


def _dataset_of(page: Page) -> str:
    link = page.locator(".page-head-link").first.get_attribute("href")
    assert link is not None
    return link.rsplit("/", 1)[-1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "images")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("Chromium is not installed: sudo apt install chromium\n")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with running_stack() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        photograph(Camera(browser, service.url, options.out), service)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
