"""From the camera to a model: `python -m bench.camera [--minutes 0.5] [--chromium /usr/bin/chromium]`.

A stack as scripts/serve starts it, and headless Chromium with its fake camera: two kinds are named, 30 photos of each
are taken in three series by holding the button, sent and checked, and a run of the shortest budget is started with the
form that follows. Prints JSON: the seconds of each part, and for training photographs as they are, blurred and
darkened, the share that the page calls dark or blurred.
"""

import argparse
import base64
import io
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter
from playwright.sync_api import Page, expect, sync_playwright

from bench.harness import DATA, report
from scripts.stack.running import RunningStack, running_stack
from tests.browser.conftest import FLAGS

_KINDS, _N_SERIES, _N_IN_SERIES = ("cup", "spoon"), 3, 10
_TIMEOUT_MS = 120_000
_LONGEST_PX = 1024
_HINTS = """async (photos) => {
  const page = document.querySelector("script[src$='camera.js']").src;
  const { hintFor, measured } = await import(page.replace("camera.js", "camera-hints.js"));
  const hints = [];
  for (const photo of photos) {
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    hints.push(hintFor([[measured(bitmap, bitmap.width, bitmap.height)]]));
  }
  return hints;
}"""
_FAULTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as they are": lambda photo: photo,
    "half as bright": lambda photo: ImageEnhance.Brightness(photo).enhance(0.5),
    "a quarter as bright": lambda photo: ImageEnhance.Brightness(photo).enhance(0.25),
    "blurred by 0.4 % of the width": lambda photo: photo.filter(ImageFilter.GaussianBlur(0.004 * photo.width)),
    "blurred by 0.8 % of the width": lambda photo: photo.filter(ImageFilter.GaussianBlur(0.008 * photo.width)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", default="0.5", help="the time that the run may take")
    parser.add_argument("--photos", type=int, default=150, help="training photographs that are looked at for hints")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with running_stack() as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        context = browser.new_context(base_url=stack.url, permissions=["camera"])
        context.new_page().goto("/camera")  # a browser that has seen the page before has its scripts
        seconds, run = from_camera_to_model(context.new_page(), stack, options.minutes)
        hints = shares_of_hints(context.pages[0], some_photos(options.photos))
        browser.close()
    report("camera", minutes=options.minutes, seconds=seconds, run=run, hints=hints)


def from_camera_to_model(page: Page, stack: RunningStack, minutes: str) -> tuple[dict[str, float], dict[str, Any]]:
    """The seconds of each part, and what became of the run."""
    page.set_default_timeout(_TIMEOUT_MS)
    expect.set_options(timeout=_TIMEOUT_MS)
    clock = _Clock()
    page.goto("/camera")
    for place, kind in enumerate(_KINDS):
        page.get_by_label("What is it?").nth(place).fill(kind)
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.locator(".hold").first).to_be_visible()
    clock.lap("page open, kinds named, camera on")
    for kind in _KINDS:
        for _ in range(_N_SERIES):
            _hold(page, kind)
    n_photos = page.locator(".shot").count()
    clock.lap("photos taken")
    page.locator("#send").click()
    expect(page.get_by_role("heading", name="Looking at your photos")).to_be_visible()
    clock.lap("photos sent")
    expect(page.locator("#start-form")).to_be_visible()
    clock.lap("photos checked, start form there")
    page.locator("#minutes").fill(minutes)
    page.locator("#start-run").click()
    page.wait_for_url("**/runs/*")
    run_id = page.url.rpartition("/")[2]
    clock.lap("run started")
    while not stack.has_model(run_id):
        time.sleep(0.1)
    clock.lap("first model to download")
    stack.wait_for(run_id, "done")
    clock.lap("run done")
    found = stack.run(run_id)
    return clock.laps(), {"photos": n_photos, "used_s": found["used_s"], "n_trials": found["n_trials"]}


class _Clock:
    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._laps: dict[str, float] = {}

    def lap(self, title: str) -> None:
        now = time.monotonic()
        self._laps[title], self._last = now - self._last, now

    def laps(self) -> dict[str, float]:
        return {
            title: round(seconds, 1) for title, seconds in [*self._laps.items(), ("whole", self._last - self._began)]
        }


def _hold(page: Page, kind: str) -> None:
    shots = page.get_by_role("group", name=kind, exact=True).locator(".shot")
    before = shots.count()
    page.get_by_role("button", name=f"Hold to take photos of {kind}", exact=True).hover()
    page.mouse.down()
    expect(shots.nth(before + _N_IN_SERIES - 1)).to_be_attached()
    page.mouse.up()


def some_photos(most: int) -> list[Path]:
    """Training photographs of both sets, always the same ones."""
    every = sorted(path for folder in ("beans", "hymenoptera") for path in (DATA / folder / "train").rglob("*.jpg"))
    return sorted(random.Random(0).sample(every, min(most, len(every))))


def shares_of_hints(page: Page, paths: Sequence[Path]) -> dict[str, dict[str, float]]:
    """For each fault that photos were given, the share that the page calls dark and blurred."""
    found = {}
    for fault, spoiled in _FAULTS.items():
        hints = page.evaluate(_HINTS, [_encoded(spoiled(_opened(path))) for path in paths])
        shares = {
            word: sum(f"photos are {word}" in hint for hint in hints) / len(hints) for word in ("dark", "blurred")
        }
        found[fault] = {word: round(share, 3) for word, share in shares.items()}
    return found


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as photo:
        photo.thumbnail((_LONGEST_PX, _LONGEST_PX))
        return photo.convert("RGB")


def _encoded(photo: Image.Image) -> str:
    content = io.BytesIO()
    photo.save(content, "JPEG", quality=90)
    return base64.b64encode(content.getvalue()).decode()


if __name__ == "__main__":
    main()
