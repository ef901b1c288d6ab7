"""Many people at once while a run trains: answers that are errors, how long pages take, the web server's memory.

    python -m bench.load [--folder PHOTOS] [--users 100] [--minutes 10] [--budget 60m] [--seed 1]

Each user does one thing every five seconds, on average, and thing and moment follow from the seed. The mix, in shares
of all things done, is `MIX`. A connection is used for one request, as that of somebody who thinks for five seconds.
The users use the same processors as the service. Times are those until the whole answer is there.
"""

import argparse
import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.harness import DATA, report
from bench.web import start_two_runs
from scripts.stack.running import RunningStack, running_stack

EVERY_S = 5.0
MIX = {"page": 0.50, "poll": 0.28, "prediction": 0.12, "download": 0.05, "upload": 0.05}
N_UPLOADED = 4
"""Photos of one upload, two of each of two classes."""

N_SAMPLES = 20
"""How often the memory of the web server is read."""

TIMEOUT_S = 120.0


@dataclass
class Seen:
    """What the users have been answered.

    Attributes:
        seconds: of each answer, by what was asked for.
        statuses: how often each status came, by what was asked for.
        broken: requests without an answer, by the name of the error.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, status: int, seconds: float) -> None:
        self.seconds.setdefault(what, []).append(seconds)
        self.statuses.setdefault(what, Counter())[status] += 1

    def figures(self) -> dict[str, Any]:
        statuses = sum(self.statuses.values(), Counter[int]())
        pages = [second for what, seconds in self.seconds.items() if what.startswith("page ") for second in seconds]
        return {
            "answers": statuses.total(),
            "answers_5xx": sum(n for status, n in statuses.items() if status >= 500),
            "answers_4xx": sum(n for status, n in statuses.items() if 400 <= status < 500),
            "without_an_answer": dict(self.broken),
            "pages": percentiles(pages),
            "by_kind": {
                what: {**percentiles(seconds), "statuses": dict(self.statuses[what])}
                for what, seconds in sorted(self.seconds.items())
            },
        }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Number, median and 95th percentile; only the number where there is nothing to take them of."""
    if not seconds:
        return {"n": 0}
    middle, high = np.percentile(seconds, (50, 95))
    return {"n": len(seconds), "p50_ms": round(middle * 1000), "p95_ms": round(high * 1000)}


class User:
    """Somebody who does one thing after the other.

    Args:
        url: where the service is.
        ids: of a data set, of a run that has ended and of one that is under way.
        photos: paths of photos to ask and to upload; the name of the folder of each is its class.
        seen: where the answers are counted.
        dice: decide what is done, and when.
    """

    def __init__(
        self, *, url: str, ids: tuple[str, str, str], photos: list[Path], seen: Seen, dice: random.Random
    ) -> None:
        self._url, self._photos, self._seen, self._dice = url, photos, seen, dice
        dataset, ended, run = ids
        self._pages = {
            "page /": "/",
            "page /datasets": "/datasets",
            "page /datasets/ID": f"/datasets/{dataset}",
            "page /runs/UNDER_WAY": f"/runs/{run}",
            "page /runs/ENDED": f"/runs/{ended}",
            "page /runs/ENDED/try": f"/runs/{ended}/try",
        }
        self._polls = {"poll /runs/ID/live": f"/runs/{run}/live", "poll /api/v1/runs/ID": f"/api/v1/runs/{run}"}
        self._ended = ended

    async def live(self, until_s: float) -> None:
        """Until that moment of the monotonic clock."""
        acts: dict[str, Callable[[httpx.AsyncClient], Awaitable[None]]] = {
            "page": self._page,
            "poll": self._poll,
            "prediction": self._predict,
            "download": self._download,
            "upload": self._upload,
        }
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=self._url, timeout=TIMEOUT_S, limits=limits, verify=False) as client:
            await asyncio.sleep(self._dice.uniform(0, EVERY_S))
            while time.monotonic() < until_s:
                (act,) = self._dice.choices(list(MIX), weights=list(MIX.values()))
                began_s = time.monotonic()
                try:
                    await acts[act](client)
                except httpx.HTTPError as error:
                    self._seen.broken[f"{act}: {type(error).__name__}"] += 1
                pause_s = self._dice.uniform(0.5, 1.5) * EVERY_S - (time.monotonic() - began_s)
                await asyncio.sleep(max(0.0, min(pause_s, until_s - time.monotonic())))

    async def _page(self, client: httpx.AsyncClient) -> None:
        what = self._dice.choice(list(self._pages))
        await self._ask(client, what, "GET", self._pages[what])

    async def _poll(self, client: httpx.AsyncClient) -> None:
        what = self._dice.choice(list(self._polls))
        await self._ask(client, what, "GET", self._polls[what])

    async def _predict(self, client: httpx.AsyncClient) -> None:
        photo = self._dice.choice(self._photos)
        files = {"photos": (photo.name, photo.read_bytes())}
        await self._ask(client, "prediction", "POST", f"/api/v1/runs/{self._ended}/predict", files=files)

    async def _download(self, client: httpx.AsyncClient) -> None:
        await self._ask(client, "download", "GET", f"/api/v1/runs/{self._ended}/bundle")

    async def _upload(self, client: httpx.AsyncClient) -> None:
        made = await self._ask(client, "upload: name", "POST", "/api/v1/datasets", json={"name": "small"})
        if not made.is_success:
            return
        path = f"/api/v1/datasets/{made.json()['id']}"
        photos = self._dice.sample(self._photos, N_UPLOADED)
        files = [("files", (f"{'ab'[n % 2]}/{n}{photo.suffix}", photo.read_bytes())) for n, photo in enumerate(photos)]
        await self._ask(client, "upload: photos", "POST", f"{path}/files", files=files)
        await self._ask(client, "upload: check", "POST", f"{path}/check")

    async def _ask(self, client: httpx.AsyncClient, what: str, method: str, path: str, **body: Any) -> httpx.Response:
        began_s = time.perf_counter()
        answer = await client.request(method, path, **body)
        self._seen.add(what, answer.status_code, time.perf_counter() - began_s)
        return answer


async def live_together(users: list[User], service: RunningStack, seconds: float) -> list[dict[str, float]]:
    """All users for so long; the memory of the web server meanwhile."""
    began_s = time.monotonic()
    memory: list[dict[str, float]] = []

    async def watch() -> None:
        while (at_s := time.monotonic() - began_s) < seconds:
            rss_mb = await asyncio.to_thread(service.web_process_mb, "VmRSS")
            memory.append({"at_s": round(at_s), "mb": round(rss_mb)})
            await asyncio.sleep(seconds / N_SAMPLES)

    await asyncio.gather(watch(), *(user.live(began_s + seconds) for user in users))
    return memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DATA / "hymenoptera" / "train", help="photos of the run")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--budget", default="60m", help="of the run; longer than the users are there")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    photos = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    seen = Seen()
    with running_stack() as service:
        ids = start_two_runs(service, options.folder, options.budget)
        dice = random.Random(options.seed)
        users = [
            User(url=service.url, ids=ids, photos=photos, seen=seen, dice=random.Random(dice.random()))
            for _ in range(options.users)
        ]
        load_before = os.getloadavg()[0]
        memory = asyncio.run(live_together(users, service, options.minutes * 60))
        state = service.run(ids[2])["state"]
        service.cancel(ids[2])
    report(
        "load",
        users=options.users,
        minutes=options.minutes,
        seconds_between=EVERY_S,
        mix=MIX,
        load_average_before=round(load_before, 1),
        load_average_after=round(os.getloadavg()[0], 1),
        state_of_the_run=state,
        **seen.figures(),
        web_process=memory,
    )


if __name__ == "__main__":
    main()
