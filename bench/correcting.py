"""From wrong labels to a better model: clicks, and seconds of a browser that clicks as fast as it can.

    python -m bench.correcting [--folder PHOTOS] [--wrong 12] [--budget 30s]

Some photos of a folder are put into a wrong class, and a run learns from them. Then headless Chromium opens its result,
goes to the photos whose labels it doubts, corrects those that really are wrong, trains again, and waits for the model.
Both models are scored on the photos that the folder of the test has, whose labels are right.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bench.harness import DATA, report
from scripts.stack.running import RunningStack, running_stack
from tests.browser.conftest import FLAGS

_PATIENCE_MS = 600_000


class Visitor:
    """Clicks in a page, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page, self.n_clicks = page, 0

    def click(self, target: Locator) -> None:
        target.click()
        self.n_clicks += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DATA / "hymenoptera", help="with the folders train and val")
    parser.add_argument("--wrong", type=int, default=12, help="labels that are made wrong")
    parser.add_argument("--budget", default="30s")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, running_stack() as service, sync_playwright() as playwright:
        photos = Path(scratch) / "photos"
        moved = set(spoiled(options.folder, photos, options.wrong))
        dataset = service.upload(photos, "spoiled")
        first = service.start(dataset, options.budget, seed=0)
        service.wait_for(first, "done")
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        figures = corrected(browser, service, first, moved)
        browser.close()
        second = figures.pop("run")
        figures |= {"right_before": test_of(service, first), "right_after": test_of(service, second)}
    report("correcting", n_wrong=len(moved), load_average=[round(load, 1) for load in os.getloadavg()], **figures)


def spoiled(folder: Path, target: Path, n_wrong: int) -> Iterator[str]:
    """Copies the photos, the `val` ones as a test, with labels of training photos made wrong; yields names of these."""
    shutil.copytree(folder / "val", target / "test")
    shutil.copytree(folder / "train", target / "train")
    labels = sorted(path.name for path in (target / "train").iterdir())
    photos = sorted(path for path in (target / "train").rglob("*") if path.is_file())
    for path in random.Random(0).sample(photos, n_wrong):
        other = labels[(labels.index(path.parent.name) + 1) % len(labels)]
        path.rename(target / "train" / other / path.name)
        yield path.name


def corrected(browser: Browser, service: RunningStack, run: str, moved: set[str]) -> dict[str, Any]:
    """Corrects what the run doubts and what really is wrong, and trains again."""
    page = browser.new_page(base_url=service.url)
    page.set_default_timeout(_PATIENCE_MS)
    visitor = Visitor(page)
    page.goto(f"/runs/{run}")
    began = time.perf_counter()
    visitor.click(page.get_by_role("link", name="Photos it doubts"))
    page.wait_for_url("**/doubts")
    names = [str(title).rsplit("/", 1)[-1] for title in page.locator("#suspects img.thumb").evaluate_all(_TITLES)]
    n_corrected = 0
    for name in names:
        if name in moved:
            card = page.locator("#suspects li", has=page.locator(f'img[title$="/{name}"]'))
            visitor.click(card.get_by_role("button", name="correct the label"))
            card.get_by_text("You moved it").wait_for()
            n_corrected += 1
    visitor.click(page.locator("#train-corrected"))
    page.wait_for_url(lambda url: "/runs/" in url and run not in url)
    clicking_s = time.perf_counter() - began
    second = page.url.rsplit("/", 1)[-1]
    service.wait_for(second, "done")
    return {
        "run": second,
        "n_doubted": len(names),
        "n_corrected": n_corrected,
        "clicks": visitor.n_clicks,
        "clicking_s": round(clicking_s, 1),
        "to_the_model_s": round(time.perf_counter() - began, 1),
    }


_TITLES = "images => images.map((image) => image.title)"


def test_of(service: RunningStack, run: str) -> str:
    """How many test photos a run was right about."""
    test = service.run(run)["result"]["test"]
    return f"{test['n_correct']} of {test['n_images']}"


if __name__ == "__main__":
    main()
