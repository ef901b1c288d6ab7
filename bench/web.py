"""What a visitor waits for: the first page's bytes and paint, and page views of many clients while a run trains.

    python -m bench.web [--folder PHOTOS] [--clients 50] [--seconds 60] [--budget 5m] [--no-load]

Headless Chromium opens the first page of a running stack with an empty cache and with a full one; bytes are those
on the wire, headers included. For the paint the processor is throttled four times, and the largest contentful paint is
Chromium's own. Then a short run makes a result, another one is started on the same photos, and each client opens one
page after the other, as a person does, with a second between them. The clients use the same cores.
"""

import argparse
import os
import random
import statistics
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

from bench.harness import DATA, report
from scripts.stack.running import RunningStack, running_stack
from tests.browser.conftest import FLAGS

THROTTLING = 4
N_PAINTS = 5
SHORT = "30s"
THINKING_S = 1.0
_LCP = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DATA / "beans" / "train", help="photos of the run")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--budget", default="5m", help="of the run; longer than the clicking")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--no-load", action="store_true", help="the first page only")
    options = parser.parse_args()
    with running_stack() as service:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
            figures: dict[str, Any] = {"first_page": first_page(browser, service.url)}
            browser.close()
        if not options.no_load:
            figures["under_load"] = under_load(service, options)
    report("web", load_average=[round(load, 1) for load in os.getloadavg()], **figures)


def first_page(browser: Browser, url: str) -> dict[str, Any]:
    first, second = _transferred(browser, url)
    paints = sorted(_largest_paint_s(browser, url) for _ in range(N_PAINTS))
    return {
        "bytes_first_view": first,
        "bytes_second_view": second,
        "largest_contentful_paint_s": {"median": statistics.median(paints), "worst": paints[-1]},
        "cpu_throttled_times": THROTTLING,
    }


def under_load(service: RunningStack, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of page views while the run trains."""
    dataset, ended, run = start_two_runs(service, options.folder, options.budget)
    paths = ["/", "/datasets", f"/datasets/{dataset}", f"/runs/{run}", f"/api/v1/runs/{run}"]
    paths += [f"/runs/{ended}", f"/runs/{ended}/try"]
    times: dict[str, list[float]] = {path: [] for path in paths}
    until, stolen_s = time.monotonic() + options.seconds, _stolen_s()
    clients = [
        threading.Thread(target=_click, args=(service.url, times, until, random.Random(i)))
        for i in range(options.clients)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    stolen_share = (_stolen_s() - stolen_s) / options.seconds / (os.cpu_count() or 1)
    state = service.run(run)["state"]
    service.cancel(run)
    views = [second for of_path in times.values() for second in of_path]
    return {
        "clients": options.clients,
        "state_at_the_end": state,
        "stolen_cpu_share": round(stolen_share, 3),
        "views": len(views),
        "views_per_s": round(len(views) / options.seconds, 1),
        **_percentiles(views),
        "by_page": {_without_ids(path, dataset, run, ended): _percentiles(times[path]) for path in paths},
        "web_process_mb": round(service.web_process_mb()),
    }


def start_two_runs(service: RunningStack, folder: Path, budget: str) -> tuple[str, str, str]:
    """Ids of a data set, of a run on it that has ended with all its formats, and of one that is searching."""
    dataset = service.upload(folder, folder.parent.name)
    ended = service.start(dataset, SHORT, seed=1)
    service.wait_for(ended, "done")
    while not all(export["state"] in ("ready", "failed") for export in service.exports(ended)):
        time.sleep(0.5)  # other work, which a run does not wait for either
    run = service.start(dataset, budget, seed=0)
    service.wait_for(run, "searching")
    return dataset, ended, run


def _stolen_s() -> float:
    """Seconds of all processors that the host has given to others so far, while there was work here."""
    return int(Path("/proc/stat").read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


def _without_ids(path: str, dataset: str, run: str, ended: str) -> str:
    return path.replace(dataset, "ID").replace(run, "ID").replace(ended, "ENDED")


def _click(url: str, times: dict[str, list[float]], until: float, dice: random.Random) -> None:
    """One client, until the time is over. Raises httpx.HTTPError: a page that failed is no page view."""
    with httpx.Client() as browser:
        time.sleep(dice.uniform(0, THINKING_S))
        while time.monotonic() < until:
            path = dice.choice(list(times))
            start = time.perf_counter()
            browser.get(url + path, timeout=60).raise_for_status()
            times[path].append(time.perf_counter() - start)
            time.sleep(dice.uniform(0.5, 1.5) * THINKING_S)


def _transferred(browser: Browser, url: str) -> tuple[int, int]:
    """Bytes on the wire of two views, one after the other."""
    context = browser.new_context()
    page = context.new_page()
    network = context.new_cdp_session(page)
    n_bytes = [0]
    network.on("Network.loadingFinished", lambda event: n_bytes.append(int(event["encodedDataLength"])))
    network.send("Network.enable")
    page.goto(url, wait_until="networkidle")
    first = sum(n_bytes)
    page.goto("about:blank")
    page.goto(url, wait_until="networkidle")
    context.close()
    return first, sum(n_bytes) - first


def _largest_paint_s(browser: Browser, url: str) -> float:
    """With an empty cache and a throttled processor."""
    context = browser.new_context()
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLING})
    page.goto(url, wait_until="networkidle")
    paint_ms: float = page.evaluate(_LCP)
    context.close()
    return round(paint_ms / 1000, 3)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "p50_ms": round(1000 * cuts[49], 1),
        "p95_ms": round(1000 * cuts[94], 1),
        "max_ms": round(1000 * max(seconds), 1),
    }


if __name__ == "__main__":
    main()
