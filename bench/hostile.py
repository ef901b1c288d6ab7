"""What hostile pictures cost: seconds, the memory of their decoder and of this process, and what is said of them.

    python -m bench.hostile [--n-mutated 300] [--n-archives 300] [--n-timed 400] [--seed 0]

Each kind is opened by a fresh decoder with the usual limits. Then ordinary pictures and archives are changed at random
places, by a seed, and opened one after the other: a refusal has words, and any other error counts as `broken`. Last,
ordinary photos are inspected by decoders and by threads of this process.
"""

import argparse
import io
import itertools
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.errors import BadUpload, UserError
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Inspect, Inspected
from automl.images.decoding.pool import Decoders
from automl.images.decoding.process import DecoderProcess, DecoderStopped
from automl.images.verify import in_threads, inspect_photo
from bench.harness import report
from bench.mutations import Mutation, archives, mutated, pictures
from tests.automl.images.hostile import empty_png, many_scans

LIMITS = DecodingLimits()
ARCHIVE_LIMITS = ArchiveLimits(max_files=1000, max_bytes=1 << 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-mutated", type=int, default=300)
    parser.add_argument("--n-archives", type=int, default=300)
    parser.add_argument("--n-timed", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    before = _peak_here_mb()
    with tempfile.TemporaryDirectory() as folder:
        kinds = {name: _cost(Path(folder), content) for name, content in _hostile()}
        mutated = _mutated_pictures(Path(folder), options.n_mutated, np.random.default_rng(options.seed))
        archives = _mutated_archives(options.n_archives, np.random.default_rng(options.seed))
        grown_mb = round(_peak_here_mb() - before)
        speed = _speed(Path(folder), options.n_timed)
    found = {"kinds": kinds, "mutated": mutated, "mutated_archives": archives}
    report("hostile", **found, grown_here_mb=grown_mb, ordinary=speed, seed=options.seed)


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


def _noise(random: np.random.Generator) -> Image.Image:
    return Image.fromarray(random.integers(0, 256, (120, 160, 3), dtype=np.uint8))


def _mutated_pictures(folder: Path, n: int, random: np.random.Generator) -> Mapping[str, Any]:
    decoders, said, slowest_s = Decoders(LIMITS), Counter[str](), 0.0
    cases = itertools.cycle(itertools.product(Mutation, pictures(_noise(random)).values()))
    for number, (mutation, good) in enumerate(itertools.islice(cases, n)):
        path = folder / f"{number}.mutated"
        path.write_bytes(mutated(good, mutation, random))
        start = time.perf_counter()
        answer = decoders.answer(Inspect(path=path))
        slowest_s = max(slowest_s, time.perf_counter() - start)
        said["accepted" if isinstance(answer, Inspected) else str(answer)] += 1
    return {"n": n, "slowest_s": round(slowest_s, 2), "said": dict(said)}


def _mutated_archives(n: int, random: np.random.Generator) -> Mapping[str, Any]:
    """`broken`: what an upload would answer with a fault of ours."""
    photo = pictures(_noise(random))["JPEG"]
    good = archives({f"{label}/{number}.jpg": photo for label in ("cat", "dog") for number in range(5)})
    said, broken, slowest_s, before = Counter[str](), [], 0.0, _peak_here_mb()
    cases = itertools.cycle(itertools.product(Mutation, good.items()))
    for number, (mutation, (suffix, content)) in enumerate(itertools.islice(cases, n)):
        start = time.perf_counter()
        try:
            n_whole = _n_whole(mutated(content, mutation, random), f"photos{suffix}")
            said["whole" if n_whole == 10 else "in part"] += 1
        except UserError:
            said["refused"] += 1
        except Exception as error:  # noqa: BLE001 - what is looked for
            broken.append(f"{number}: {mutation} of {suffix}: {error!r}")
        slowest_s = max(slowest_s, time.perf_counter() - start)
    grown_mb = round(_peak_here_mb() - before)
    return {"n": n, "slowest_s": round(slowest_s, 2), "grown_mb": grown_mb, "said": dict(said), "broken": broken}


def _n_whole(content: bytes, name: str) -> int:
    """How many files of an archive can be read."""
    n = 0
    for member in read_archive(io.BytesIO(content), name, ARCHIVE_LIMITS):
        with suppress(BadUpload):
            while member.stream.read(1 << 20):
                pass
            n += 1
    return n


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


def _peak_mb(process: DecoderProcess) -> float:
    """The most memory that the decoder has had, in MB of 10^6 bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def _peak_here_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
