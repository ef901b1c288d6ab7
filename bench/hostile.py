"""What hostile pictures cost: seconds, the memory of their decoder and of this process, and what is said of them.

    python -m bench.hostile [--n-mutated 300] [--n-timed 400] [--seed 0]

Each kind is opened by a fresh decoder with the usual limits. Then ordinary pictures are changed at random places, by a
seed, and opened one after the other. Last, ordinary photos are inspected by decoders and by threads of this process.
"""

import argparse
import io
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Inspect, Inspected
from automl.images.decoding.pool import Decoders
from automl.images.decoding.process import DecoderProcess, DecoderStopped
from automl.images.verify import in_threads, inspect_photo
from bench.harness import report
from tests.automl.images.hostile import empty_png, many_scans

LIMITS = DecodingLimits()
FORMS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-mutated", type=int, default=300)
    parser.add_argument("--n-timed", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    before = _peak_here_mb()
    with tempfile.TemporaryDirectory() as folder:
        kinds = {name: _cost(Path(folder), content) for name, content in _hostile()}
        mutated = _mutated(Path(folder), options.n_mutated, np.random.default_rng(options.seed))
        grown_mb = round(_peak_here_mb() - before)
        speed = _speed(Path(folder), options.n_timed)
    report("hostile", kinds=kinds, mutated=mutated, grown_here_mb=grown_mb, ordinary=speed, seed=options.seed)


def _hostile() -> Iterator[tuple[str, bytes]]:
    yield "gray PNG of 16 bits, 10,000 x 10,000", empty_png(10_000, bits=16, colour_type=0)
    yield "colour PNG of 16 bits, 10,000 x 10,000", empty_png(10_000, bits=16)
    yield "colour PNG of 16 bits, 8,000 x 8,000", empty_png(8_000, bits=16)
    yield "colour PNG of 8 bits, 10,000 x 10,000", empty_png(10_000)
    yield "PNG with transparency, 9,900 x 9,900", empty_png(9_900, colour_type=6)
    yield "progressive JPEG of 9,000 scans, 3,000 x 3,000", many_scans(9_000)


def _cost(folder: Path, content: bytes) -> Mapping[str, Any]:
    path = folder / "hostile"
    path.write_bytes(content)
    process = DecoderProcess(LIMITS)
    at_rest, start = _peak_mb(process), time.perf_counter()
    try:
        process.send(Inspect(path=path))
        answer: object = process.receive()
    except DecoderStopped as stopped:
        answer = stopped
    seconds, peak = time.perf_counter() - start, _peak_mb(process)
    process.kill()
    said = "accepted" if isinstance(answer, Inspected) else str(answer)
    figures = {"file_kb": round(len(content) / 1e3), "seconds": round(seconds, 1), "decoder_mb": round(peak - at_rest)}
    return {**figures, "said": said}


def _mutated(folder: Path, n: int, random: np.random.Generator) -> Mapping[str, Any]:
    decoders, said, slowest_s = Decoders(LIMITS), Counter[str](), 0.0
    noise = Image.fromarray(random.integers(0, 256, (120, 160, 3), dtype=np.uint8))
    good = {form: _encoded(noise, form) for form in FORMS}
    for number in range(n):
        content = np.frombuffer(good[FORMS[number % len(FORMS)]], np.uint8).copy()
        content[random.integers(0, min(len(content), 400), 6)] = random.integers(0, 256, 6)
        path = folder / f"{number}.mutated"
        path.write_bytes(content.tobytes())
        start = time.perf_counter()
        answer = decoders.answer(Inspect(path=path))
        slowest_s = max(slowest_s, time.perf_counter() - start)
        said["accepted" if isinstance(answer, Inspected) else str(answer)] += 1
    return {"n": n, "slowest_s": round(slowest_s, 2), "said": dict(said)}


def _speed(folder: Path, n: int) -> Mapping[str, Any]:
    """Photos a second, the quicker of two rounds each, taking turns."""
    random = np.random.default_rng(0)
    paths = []
    for number in range(20):
        small = Image.fromarray(random.integers(0, 256, (60, 80, 3), dtype=np.uint8))
        paths.append(folder / f"{number}.jpg")
        small.resize((1600, 1200), Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    some = [paths[i % len(paths)] for i in range(n)]
    decoders = Decoders(LIMITS)
    seconds: dict[str, float] = {}
    for _ in range(2):
        start = time.perf_counter()
        list(in_threads(lambda path: inspect_photo(path, LIMITS.max_image_bytes), some))
        seconds["threads"] = min(seconds.get("threads", 1e9), time.perf_counter() - start)
        start = time.perf_counter()
        list(decoders.map(lambda few: decoders.answers([Inspect(path=path) for path in few]), some))
        seconds["decoders"] = min(seconds.get("decoders", 1e9), time.perf_counter() - start)
    return {"n": n, "size_px": [1600, 1200], **{f"{way}_per_s": round(n / s, 1) for way, s in seconds.items()}}


def _encoded(image: Image.Image, form: str) -> bytes:
    target = io.BytesIO()
    image.save(target, form)
    return target.getvalue()


def _peak_mb(process: DecoderProcess) -> float:
    """The most memory that the decoder has had, in MB of 10^6 bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def _peak_here_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
