"""Loads a delivered model in a process of its own, with its own script, and scores photographs.

    python -I prover_script.py job.json

It is run as a file and must import nothing of this project: all that it needs to know stands in the job. It needs
NumPy, Pillow and the runtime of the model.
"""

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

_BATCH = 32
_N_WARM, _N_TIMED = 3, 25


def main(job_file: str) -> None:
    """Does the job and writes its report and the probabilities to the files that the job names."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    sys.path.insert(0, job["scripts"])
    load_image = import_module("predict").load_image
    started_s = time.perf_counter()
    classifier = import_module(job["script"]).Classifier(Path(job["model"]))
    load_s = time.perf_counter() - started_s
    photos, parts = job["photos"], []
    with ThreadPoolExecutor(job["n_threads"]) as pool:
        for start in range(0, len(photos), _BATCH):
            batch = photos[start : start + _BATCH]
            images = np.stack(
                list(pool.map(lambda path: load_image(path, classifier.size_px, classifier.rules), batch))
            )
            parts.append(classifier.predict_arrays(images))
    np.save(job["probabilities"], np.concatenate(parts))
    report = {
        "labels": classifier.labels,
        "load_s": load_s,
        "latency_s": _latency_s(classifier, images),
        "strangers": sorted(name for name in sys.modules if name.split(".")[0] == job["project"]),
    }
    Path(job["report"]).write_text(json.dumps(report), encoding="utf-8")


def _latency_s(classifier: Any, images: np.ndarray) -> float:
    """The median over single photos that are decoded already, once the runtime has warmed up."""
    seconds = []
    for number in range(_N_WARM + _N_TIMED):
        one = images[number % len(images)][np.newaxis]
        started_s = time.perf_counter()
        classifier.predict_arrays(one)
        seconds.append(time.perf_counter() - started_s)
    return statistics.median(seconds[_N_WARM:])


if __name__ == "__main__":
    main(sys.argv[1])
