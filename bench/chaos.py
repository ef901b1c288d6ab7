"""What a run survives: workers that are frozen or killed while it goes on, and how soon it is taken back.

    python -m bench.chaos [--kinds freeze,kill,...] [--rounds 20] [--seed 1] [--out chaos.jsonl]

Redis, the duties and two training workers are real processes, and so is the process of each run with all that it reads
and writes; only the search takes its trials out of the air, so that a round lasts seconds. A round is one fault in one
run, at a moment that its seed decides. Its result is one line of JSON in `--out`; rounds that are there already are not
repeated, so that a broken-off series goes on. At the end comes a summary.

freeze      the worker and the process of the run are stopped (SIGSTOP) until another worker has gone on with the run
            for a moment, and then continued
kill        both are killed
expire      both are stopped until the run has ended elsewhere; counted from the end of the lease
kill-all    every process is killed; everything is started again, but Redis has lost what it knew
redis       Redis is killed, loses what it knew, and comes back after `--away` seconds
database    another connection locks the database for `--away` seconds
busy        as kill, while the worker for checks is at work on one that never ends; a data set is deleted meanwhile, too
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import select

from automl.records import DatasetState, RunState
from automl.settings import SETTINGS, Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.bin import BinKind, put_into_bin
from automl.store.checks import check_dataset
from automl.store.database import Database, known_run
from automl.store.lease_owner import LeaseOwner
from automl.store.tables import Dataset, DatasetFile, LogEntry, Run, TrialSummary
from automl.text.messages import worker as worker_messages
from bench.harness import report
from scripts.stack import services
from worker.celery_app import make_app
from worker.messages import Messages

REPOSITORY = Path(__file__).resolve().parent.parent
KINDS = ("freeze", "kill", "expire", "kill-all", "busy", "redis", "database")
LEASE_S = 3
MOST_S = 180.0


@dataclass(kw_only=True)
class Round:
    """One fault and what came of it.

    Attributes:
        kind: What was done.
        seed: Decides when.
        faults: What should not have happened; empty where all is well.
        figures: What was measured, in seconds.
    """

    kind: str
    seed: int
    faults: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


class Site:
    """An installation with two workers, all of its processes children of this one.

    Attributes:
        away_s: For how long Redis or the database is away where that is the fault.
    """

    def __init__(self, home: Path, away_s: float = 60.0, database_url: str = "") -> None:
        self.away_s = away_s
        variables = {"HOME": str(home), "LEASE_S": str(LEASE_S), "DATABASE_URL": database_url}
        self.settings: Settings = load_settings({f"DARKROOM_{name}": value for name, value in variables.items()})
        self.database = Database(self.settings.database_url)
        self.database.migrate()
        self.store = ArtifactStore(self.settings.files_dir)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._messages = Messages(make_app(self.settings))
        (home / "logs").mkdir()
        (home / "redis").mkdir()

    def start(self, *more: str) -> None:
        """Redis, the duties, two training workers and whatever else is named."""
        self.start_redis()
        self._start("duties", (sys.executable, *services.DUTIES_ARGUMENTS))
        for name in ("train-a", "train-b"):
            self._start(name, self._node(services.TRAIN_ARGUMENTS, name))
        if "light" in more:
            self._start("light", self._node(services.LIGHT_ARGUMENTS, "light"))

    def start_redis(self) -> None:
        """An empty one."""
        shutil.rmtree(self.settings.home / "redis", ignore_errors=True)
        (self.settings.home / "redis").mkdir()
        self.settings.redis_socket.unlink(missing_ok=True)
        installed = load_settings({**os.environ, "DARKROOM_HOME": str(self.settings.home)})
        self._start("redis", services.redis(installed, self.settings.redis_socket).command)
        wait_until(self.settings.redis_socket.exists, 30)

    def _node(self, arguments: Sequence[str], name: str) -> tuple[str, ...]:
        ours = {"worker.celery_app": "tests.worker.quick_node", "train@%h": f"{name}@%h"}
        return (sys.executable, *(ours.get(argument, argument) for argument in arguments))

    def _start(self, name: str, command: Sequence[str]) -> None:
        variables = {row.variable: str(getattr(self.settings, row.name)) for row in SETTINGS}
        with (self.settings.home / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                list(command),
                cwd=REPOSITORY,
                env={**os.environ, **variables, "PYTHONPATH": str(REPOSITORY)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def restart(self, name: str) -> None:
        self.processes[name].wait()
        self._start(name, self._node(services.TRAIN_ARGUMENTS, name))

    def kill_all(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        for process in self.processes.values():
            process.wait()

    def add_dataset(self) -> str:
        """Eight small pictures of two classes, checked."""
        with self.database.session() as session:
            dataset = Dataset(name="pets", state=DatasetState.CHECKING)
            session.add(dataset)
            session.flush()
            for number in range(8):
                path = self.settings.home / "picture.png"
                pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
                stored = self.store.put(f"datasets/{dataset.id}", path)
                row = {"key": stored.key, "sha256": stored.sha256, "n_bytes": stored.n_bytes}
                session.add(DatasetFile(dataset_id=dataset.id, name=f"{'ab'[number % 2]}/{number}.png", **row))
        check_dataset(self.database, self.store, dataset.id, settings=self.settings)
        return dataset.id

    def add_run(self, dataset_id: str) -> str:
        with self.database.session() as session:
            run = Run(dataset_id=dataset_id, budget_s=300.0)
            session.add(run)
            session.flush()
        self._messages.train(run.id)
        return run.id

    def add_check(self) -> None:
        """A check; the worker for checks of this site never comes to the end of one."""
        with self.database.session() as session:
            dataset = Dataset(name="endless", state=DatasetState.CHECKING, files=[DatasetFile(name="a/1.png")])
            session.add(dataset)
        self._messages.check_dataset(dataset.id)

    def delete(self, dataset_id: str) -> None:
        """Removes a data set for good, and waits until nothing of it is left."""
        with self.database.session() as session:
            put_into_bin(session, BinKind.DATASET, dataset_id, keep_s=0.0)
        wait_until(lambda: not self._has_dataset(dataset_id), MOST_S)

    def _has_dataset(self, dataset_id: str) -> bool:
        with self.database.session() as session:
            return session.get(Dataset, dataset_id) is not None

    def can_write(self) -> bool:
        """Whether nobody keeps the database locked for longer than a moment."""
        other = sqlite3.connect(self.settings.home / "darkroom.sqlite3", isolation_level=None, timeout=1.0)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
        except sqlite3.OperationalError:
            return False
        finally:
            other.close()
        return True

    def run(self, run_id: str) -> Run:
        with self.database.session() as session:
            return known_run(session, run_id)

    def owner(self, run_id: str) -> str:
        """The name of the worker that has the run; empty where none has."""
        owner = LeaseOwner.parse(self.run(run_id).lease_owner)
        names = {process.pid: name for name, process in self.processes.items()}
        return names.get(owner.pid, "") if owner else ""

    def trials(self, run_id: str) -> list[int]:
        with self.database.session() as session:
            query = select(TrialSummary.number).where(TrialSummary.run_id == run_id)
            return list(session.scalars(query.order_by(TrialSummary.id)))

    def log(self, run_id: str) -> list[str]:
        with self.database.session() as session:
            return list(session.scalars(select(LogEntry.text).where(LogEntry.run_id == run_id).order_by(LogEntry.id)))


@contextmanager
def running_site(*more: str, away_s: float = 60.0) -> Iterator[Site]:
    """A site of its own whose processes end with the block."""
    with tempfile.TemporaryDirectory(prefix="darkroom-chaos-") as folder:
        site = Site(Path(folder), away_s)
        site.start(*more)
        try:
            yield site
        finally:
            site.kill_all()
            site.database.close()


def play(site: Site, dataset_id: str, kind: str, seed: int) -> Round:
    """One round: a run, a fault in it, and what came of both."""
    played = Round(kind=kind, seed=seed)
    dice = random.Random(f"{kind} {seed}")
    run_id = site.add_run(dataset_id)
    wait_until(lambda: len(site.trials(run_id)) > 0, MOST_S)
    time.sleep(dice.uniform(0, 1.5))
    n_before = len(site.trials(run_id))
    _FAULTS[kind](site, run_id, dice, played)
    wait_until(lambda: site.run(run_id).state.is_finished(), MOST_S)
    time.sleep(1.0)  # for those who might still write
    judge(site, run_id, n_before, played)
    return played


def judge(site: Site, run_id: str, n_before: int, played: Round) -> None:
    """Adds the faults of the run."""
    run, trials = site.run(run_id), site.trials(run_id)
    if run.state is not RunState.DONE:
        played.faults.append(f"the run ended as {run.state}: {run.error_message}")
    if trials != sorted(set(trials)) or trials != list(range(len(trials))):
        played.faults.append(f"trials: {trials}")
    if len(trials) < n_before:
        played.faults.append("a finished trial is gone")
    states = Counter(text for text in site.log(run_id) if text in list(RunState))
    if states[RunState.DONE] != 1 or states[RunState.FINISHING] != 1:
        played.faults.append(f"it ended more than once: {dict(states)}")


def _freeze(site: Site, run_id: str, dice: random.Random, played: Round) -> None:
    frozen = site.owner(run_id)
    stopped, began_s = _stop(site, frozen, played)
    try:
        _wait_taken_back(site, run_id, began_s, played)
        wait_until(lambda: site.owner(run_id) not in ("", frozen), MOST_S)
        time.sleep(dice.uniform(0, 2.0))
    finally:
        send(stopped, signal.SIGCONT)


def _stop(site: Site, name: str, played: Round) -> tuple[list[int], float]:
    """Stops a worker with the processes of its run; returns which were stopped, and when.

    One that is stopped within a transaction holds the lock of an SQLite database, so that nobody can write, let alone
    take a run back. It is continued and stopped a moment later, and counted.
    """
    while True:
        stopped = family(site.processes[name].pid)
        began_s = time.monotonic()
        send(stopped, signal.SIGSTOP)
        if site.can_write():
            return stopped, began_s
        send(stopped, signal.SIGCONT)
        played.figures["stopped_within_a_transaction"] = played.figures.get("stopped_within_a_transaction", 0) + 1
        time.sleep(0.05)


def _kill(site: Site, run_id: str, _dice: random.Random, played: Round) -> None:
    killed = site.owner(run_id)
    began_s = time.monotonic()
    send(family(site.processes[killed].pid), signal.SIGKILL)
    _wait_taken_back(site, run_id, began_s, played)
    site.restart(killed)


def _busy(site: Site, run_id: str, dice: random.Random, played: Round) -> None:
    unwanted = site.add_dataset()
    began_s = time.monotonic()
    site.delete(unwanted)
    played.figures["deleted_s"] = round(time.monotonic() - began_s, 2)
    _kill(site, run_id, dice, played)


def _expire(site: Site, run_id: str, _dice: random.Random, played: Round) -> None:
    stopped, began_s = _stop(site, site.owner(run_id), played)
    try:
        _wait_taken_back(site, run_id, began_s + LEASE_S, played)
        wait_until(lambda: site.run(run_id).state.is_finished(), MOST_S)
    finally:
        send(stopped, signal.SIGCONT)


def _kill_all(site: Site, run_id: str, _dice: random.Random, played: Round) -> None:
    pipelines = family(site.processes[site.owner(run_id)].pid)
    site.kill_all()
    send(pipelines, signal.SIGKILL)
    began_s = time.monotonic()
    site.start()
    wait_until(lambda: site.owner(run_id) != "", MOST_S)
    played.figures["goes_on_s"] = round(time.monotonic() - began_s, 2)


def _redis_away(site: Site, run_id: str, _dice: random.Random, played: Round) -> None:
    site.processes["redis"].kill()
    site.processes["redis"].wait()
    time.sleep(site.away_s)
    site.start_redis()
    began_s = time.monotonic()
    other = site.add_run(site.run(run_id).dataset_id)
    wait_until(lambda: site.run(other).state is not RunState.QUEUED, MOST_S)
    played.figures["next_run_begins_s"] = round(time.monotonic() - began_s, 2)
    wait_until(lambda: site.run(other).state.is_finished(), MOST_S)
    _judge_attempts(site, run_id, played)


def _database_away(site: Site, run_id: str, _dice: random.Random, played: Round) -> None:
    other = sqlite3.connect(site.settings.home / "darkroom.sqlite3", isolation_level=None, timeout=60)
    other.execute("BEGIN IMMEDIATE")
    n_before = len(site.trials(run_id))
    time.sleep(site.away_s)
    other.rollback()
    other.close()
    began_s = time.monotonic()
    wait_until(lambda: len(site.trials(run_id)) > n_before or site.run(run_id).state.is_finished(), MOST_S)
    played.figures["goes_on_s"] = round(time.monotonic() - began_s, 2)
    _judge_attempts(site, run_id, played)


def _judge_attempts(site: Site, run_id: str, played: Round) -> None:
    if site.run(run_id).attempts != 1:
        played.faults.append("the attempt ended")
    if any(run.lower().startswith("waiting to go on") for run in site.log(run_id)):
        played.faults.append(f"the run was taken back: {site.log(run_id)}")


def _wait_taken_back(site: Site, run_id: str, since_s: float, played: Round) -> None:
    wait_until(lambda: worker_messages.WAITING_WORKER_LOST in site.log(run_id), MOST_S)
    played.figures["taken_back_s"] = round(time.monotonic() - since_s, 2)
    wait_until(lambda: site.owner(run_id) != "" or site.run(run_id).state.is_finished(), MOST_S)
    played.figures["goes_on_s"] = round(time.monotonic() - since_s, 2)


_FAULTS: dict[str, Callable[[Site, str, random.Random, Round], None]] = {
    "freeze": _freeze,
    "kill": _kill,
    "busy": _busy,
    "expire": _expire,
    "kill-all": _kill_all,
    "redis": _redis_away,
    "database": _database_away,
}


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until(holds: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to pass in time")
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--rounds", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--away", type=float, default=60.0, help="seconds, of redis and database")
    parser.add_argument("--out", type=Path, help="rounds that are in this file are not repeated")
    options = parser.parse_args()
    played = _played(options.out)
    for kind in options.kinds.split(","):
        known = {one["seed"] for one in played if one["kind"] == kind}
        seeds = [seed for seed in range(options.seed, options.seed + options.rounds) if seed not in known]
        if seeds:
            played += _series(kind, seeds, options)
    report("chaos", lease_s=LEASE_S, kinds={kind: _summary(kind, played) for kind in options.kinds.split(",")})


def _series(kind: str, seeds: Sequence[int], options: argparse.Namespace) -> list[dict[str, Any]]:
    found, out = [], options.out
    with running_site(*(["light"] if kind == "busy" else []), away_s=options.away) as site:
        dataset_id = site.add_dataset()
        if kind == "busy":
            site.add_check()
            wait_until(lambda: (site.settings.home / "checking").exists(), MOST_S)
        for seed in seeds:
            result = asdict(play(site, dataset_id, kind, seed))
            print(json.dumps(result), file=sys.stderr, flush=True)
            found.append(result)
            if out is not None:
                with out.open("a") as lines:
                    lines.write(json.dumps(result) + "\n")
    return found


def _played(out: Path | None) -> list[dict[str, Any]]:
    if out is None or not out.exists():
        return []
    return [json.loads(line) for line in out.read_text().splitlines()]


def _summary(kind: str, played: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ours = [one for one in played if one["kind"] == kind]
    names = sorted({name for one in ours for name in one["figures"]})
    values = {name: [one["figures"][name] for one in ours if name in one["figures"]] for name in names}
    return {
        "rounds": len(ours),
        "with_faults": [one for one in ours if one["faults"]],
        **{name: {"median": statistics.median(found), "most": max(found)} for name, found in values.items()},
    }


if __name__ == "__main__":
    main()
