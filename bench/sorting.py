"""Seconds for a thousand photos that have no class: sent and sorted, shown, corrected, downloaded.

    python -m bench.sorting [--folder FOLDER] [--n 1000] [--model MODEL.zip]

The web server is a process of its own, gunicorn as in production, over loopback HTTP; photos are sent as browsers send
them, 50 in a request and three requests at a time. The photos of the folder (default: hymenoptera) are repeated under
other names until there are enough. Without --model, a head of random numbers on MobileNetV2 is asked.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

from bench.harness import DATA, report
from bench.predict import Served, bundled, random_model, served

PHOTOS_A_REQUEST, AT_ONCE = 50, 3
N_VIEWS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DATA / "hymenoptera")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--model", type=Path, help="a download of Darkroom's")
    options = parser.parse_args()
    photos = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        model = bundled(options.model) if options.model else random_model(Path(folder))
        with served(Path(folder), model) as server, httpx.Client(trust_env=False, timeout=600) as client:
            figures = _measured(server, client, [photos[i % len(photos)] for i in range(options.n)])
    report("sorting", n_photos=options.n, **figures)


def _measured(server: Served, client: httpx.Client, photos: Sequence[Path]) -> dict[str, float]:
    api = f"{server.url}/api/v1/runs/{server.run_id}/sortings"
    made = client.post(api, json={"name": "bench"}).json()
    page = f"{server.url}{made['url']}"
    before = _resident_mb(server)
    sorted_s = _seconds(lambda: _send(client, f"{api}/{made['id']}/files", photos))
    shown = client.get(page).text
    numbers = re.findall(r'name="photo-(\d+)"', shown)
    return {
        "sent_and_sorted_s_per_1000": round(1000 * sorted_s / len(photos), 1),
        "page_ms": _median_ms(lambda: client.get(page).raise_for_status()),
        "one_choice_ms": _median_ms(
            lambda: client.post(
                f"{page}/verdicts", data={f"photo-{numbers[0]}": "0"}, headers={"X-Requested-With": "sorting.js"}
            ).raise_for_status()
        ),
        "csv_s": round(_seconds(lambda: client.get(f"{page}/answers.csv").raise_for_status()), 2),
        "xlsx_s": round(_seconds(lambda: client.get(f"{page}/answers.xlsx").raise_for_status()), 2),
        "folders_zip_s": round(_seconds(lambda: _drain(client, f"{page}/folders.zip")), 2),
        "resident_before_mb": before,
        "resident_most_mb": _resident_mb(server),
    }


def _send(client: httpx.Client, address: str, photos: Sequence[Path]) -> None:
    def send(start: int) -> None:
        some = photos[start : start + PHOTOS_A_REQUEST]
        files = [("files", (f"folder/{start + i}-{path.name}", path.read_bytes())) for i, path in enumerate(some)]
        client.post(address, files=files).raise_for_status()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(send, start) for start in range(0, len(photos), PHOTOS_A_REQUEST)]:
            done.result()


def _drain(client: httpx.Client, address: str) -> None:
    with client.stream("GET", address) as response:
        for _ in response.raise_for_status().iter_bytes():
            pass


def _seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _median_ms(work: Callable[[], object]) -> float:
    return round(float(np.median([1000 * _seconds(work) for _ in range(N_VIEWS)])), 1)


def _resident_mb(server: Served) -> float:
    """The most that the process that answers has had in memory."""
    children = Path(f"/proc/{server.process_id}/task/{server.process_id}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    return round(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024, 0)


if __name__ == "__main__":
    main()
