"""How fast an upload is taken, against `shutil.copyfileobj` of the same bytes, and the memory of the web process.

    python -m bench.ingest [--files 20000] [--file-kb 250] [--one-file-gb 5]

Photos: many files of random bytes, sent over loopback as `automl upload` sends them, then asked about once more, as an
upload does that goes on after a break. One file: the same, as one archive would come. Copied: each file opened, copied
and closed, in this process, to the same disk. The bytes are no pictures, and nothing is checked. Reading costs next to
nothing, for the links share their bytes: what is measured is the way into the store.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl.client.remote import Remote
from automl.client.upload_form import LocalFile, local_files
from bench.harness import report
from scripts.stack.running import RunningStack, running_stack

N_DISTINCT = 64
_PIECE_BYTES = 1 << 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--file-kb", type=int, default=250)
    parser.add_argument("--one-file-gb", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder, running_stack() as service:
        idle_mb = service.web_process_mb()
        photos = _measured(service, _many(Path(folder) / "photos", options.files, options.file_kb * 1000))
        shutil.rmtree(Path(folder) / "photos")
        one_file = _measured(service, _one(Path(folder) / "photos.zip", int(options.one_file_gb * 1e9)))
    report(
        "ingest",
        photos=photos,
        one_file=one_file,
        web_process_idle_mb=round(idle_mb, 1),
        web_process_peak_mb=max(photos["web_process_peak_mb"], one_file["web_process_peak_mb"]),
        targets={"web_process_peak_mb": 300},
    )


def _measured(service: RunningStack, source: Path) -> dict[str, Any]:
    """Memory is the peak since the stack has been running."""
    files, _ = local_files([source])
    n_bytes = sum(file.n_bytes for file in files)
    copied_s = _copied_s(files, service.home / "copies")
    remote = Remote(service.url, _refuse_wait)
    remote.create(source.name)
    began = time.perf_counter()
    refused = remote.send(files, lambda _: None)
    sent_s = time.perf_counter() - began
    missing = remote.missing(files)
    again_s = time.perf_counter() - began - sent_s
    if refused or missing:
        raise RuntimeError(f"{len(refused)} files were refused, and {len(missing)} have not arrived.")
    return {
        "files": len(files),
        "gb": round(n_bytes / 1e9, 3),
        "sent": _speed(len(files), n_bytes, sent_s),
        "copied": _speed(len(files), n_bytes, copied_s),
        "ratio_to_copied": round(sent_s / copied_s, 2),
        "asked_again_s": round(again_s, 2),
        "web_process_peak_mb": round(service.web_process_mb(), 1),
    }


def _speed(n_files: int, n_bytes: int, seconds: float) -> dict[str, float]:
    return {
        "seconds": round(seconds, 2),
        "files_per_s": round(n_files / seconds, 1),
        "mb_per_s": round(n_bytes / 1e6 / seconds, 1),
    }


def _copied_s(files: Sequence[LocalFile], target: Path) -> float:
    target.mkdir()
    began = time.perf_counter()
    for number, file in enumerate(files):
        with file.path.open("rb") as source, (target / str(number)).open("wb") as copy:
            shutil.copyfileobj(source, copy)
    took_s = time.perf_counter() - began
    shutil.rmtree(target)
    return took_s


def _many(folder: Path, n_files: int, n_bytes: int) -> Path:
    """So many files of different names. Few are different inside, so that a small disk will do."""
    originals = []
    for number in range(n_files):
        path = folder / f"class {number % 3}" / f"{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < N_DISTINCT:
            path.write_bytes(os.urandom(n_bytes))
            originals.append(path)
        else:
            path.hardlink_to(originals[number % N_DISTINCT])
    return folder


def _one(path: Path, n_bytes: int) -> Path:
    piece = os.urandom(_PIECE_BYTES)
    with path.open("wb") as target:
        for start in range(0, n_bytes, _PIECE_BYTES):
            target.write(piece[: n_bytes - start])
    return path


def _refuse_wait(note: str) -> None:
    raise RuntimeError(f"A measurement in which a request is repeated says nothing: {note}")


if __name__ == "__main__":
    main()
