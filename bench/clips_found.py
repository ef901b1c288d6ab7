"""Which clips are found whole: sets of frames that are made from real photographs, and sets of single photographs.

    python -m bench.clips_found [--seeds 6]

Each set has all classes of one of the training folders. In sets of the first kinds each class is six clips; `whole
class` is a class that is one clip of 40 frames beside classes of single photographs, and `40 + 5` has a clip of five
beside it. A set is right where each clip is one group of the split and no group has frames of two.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from automl.datasets.clips import place_in_clips
from automl.datasets.copy_groups import copy_groups
from automl.datasets.data_file import DataFile
from automl.datasets.manifest import image_records
from automl.datasets.split_groups import together
from automl.images.fingerprint import Traits, traits_of
from automl.images.near_copies import likeness_of
from automl.serving.predict import open_rgb
from bench.harness import DATA, report

FRAME_PX = 160
N_CLIPS, N_SINGLES, N_LONG, N_SHORT, N_SCENES = 6, 40, 40, 5, 40

Frames = list[Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A photo of a set: its class, the number of its scene, and what is known of it."""

    label: str
    scene: int
    traits: Traits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    for name in ("beans", "hymenoptera"):
        folders = sorted((DATA / name / "train").iterdir())
        found: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for seed in range(options.seeds):
            for kind, shots in _sets(folders, seed):
                found[kind].append(_judged(shots))
        singles = [_single(scene, folder) for folder in folders for scene in range(len(list(folder.iterdir())))]
        report(
            "clips_found",
            data=name,
            n_photos_in_false_clips=_judged(singles)[2],
            n_single_photos=len(singles),
            kinds={kind: _summed(sets) for kind, sets in found.items()},
        )


def _summed(sets: Sequence[tuple[int, int, int]]) -> dict[str, int]:
    return {
        "n_sets": len(sets),
        "n_right": sum(broken == mixed == 0 for broken, mixed, _ in sets),
        "n_broken_clips": sum(broken for broken, _, _ in sets),
    }


def _sets(folders: Sequence[Path], seed: int) -> Iterator[tuple[str, list[Shot]]]:
    random = np.random.default_rng(seed)
    for kind, take in {"turntable, 15 degrees": turntable, "burst, shifts of 3 %": burst, "walk": walk}.items():
        scenes = random.choice(N_SCENES, N_CLIPS, replace=False).tolist()
        n = 24 if take is turntable else 10
        yield kind, [shot for folder in folders for scene in scenes for shot in _clip(folder, scene, take, n)]
    long, short = random.choice(N_SCENES, 2, replace=False).tolist()
    clipped = folders[seed % len(folders)]
    others = [folder for folder in folders if folder is not clipped]
    singles = [_single(N_SCENES + k, folder) for folder in others for k in range(N_SINGLES)]
    for kind, take in {"burst": burst, "walk": walk, "video": video}.items():
        clip = _clip(clipped, long, take, N_LONG)
        yield f"whole class, {kind}", [*clip, *singles]
        yield f"40 + 5, {kind}", [*clip, *_clip(clipped, short, burst, N_SHORT), *singles]


def _clip(folder: Path, scene: int, take: Callable[[Image.Image, int], Frames], n: int) -> list[Shot]:
    return [Shot(label=folder.name, scene=scene, traits=_traits(one)) for one in take(_scene(folder, scene), n)]


def _single(scene: int, folder: Path) -> Shot:
    return Shot(label=folder.name, scene=scene, traits=_traits(_scene(folder, scene)))


@cache
def _scene(folder: Path, scene: int) -> Image.Image:
    return open_rgb(sorted(folder.iterdir())[scene])


def _traits(frame: Image.Image) -> Traits:
    return traits_of(frame, width=FRAME_PX, height=FRAME_PX, format="JPEG")


def turntable(scene: Image.Image, n: int) -> Frames:
    """The middle of the scene from all sides."""
    random = np.random.default_rng(0)
    return [_seen(scene.rotate(15 * k, Image.Resampling.BILINEAR), (0.5, 0.5), 0.66, random) for k in range(n)]


def burst(scene: Image.Image, n: int) -> Frames:
    """Shots from a hand that is not steady."""
    random = np.random.default_rng(1)
    turned = [scene.rotate(random.uniform(-2, 2), Image.Resampling.BILINEAR) for _ in range(n)]
    return [
        _seen(one, tuple(0.5 + random.uniform(-0.03, 0.03, 2)), 0.75 + random.uniform(-0.03, 0.03), random)
        for one in turned
    ]


def walk(scene: Image.Image, n: int) -> Frames:
    """A camera that moves on by up to 3 % from frame to frame, in any direction."""
    random, place, frames = np.random.default_rng(2), np.array([0.5, 0.5]), []
    for _ in range(n):
        frames.append(_seen(scene, tuple(place), 0.6, random))
        place = (place + random.uniform(-0.03, 0.03, 2)).clip(0.32, 0.68)
    return frames


def video(scene: Image.Image, n: int) -> Frames:
    """A camera that turns slowly to one side."""
    random = np.random.default_rng(3)
    return [_seen(scene, (0.5 + 0.008 * (k - n / 2), 0.5), 0.6, random) for k in range(n)]


def _seen(scene: Image.Image, centre: tuple[float, ...], share: float, random: np.random.Generator) -> Image.Image:
    """A square of the scene, with the noise and the light of the moment."""
    (width, height), (x, y) = scene.size, centre
    side = share * min(width, height)
    left, top = x * width - side / 2, y * height - side / 2
    square = scene.crop((int(left), int(top), int(left + side), int(top + side)))
    pixels = np.asarray(square.resize((FRAME_PX, FRAME_PX), Image.Resampling.BILINEAR), np.float32)
    noisy = pixels * random.uniform(0.97, 1.03) + random.normal(0, 3, pixels.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _judged(shots: Sequence[Shot]) -> tuple[int, int, int]:
    """Clips that are not whole, groups with frames of several scenes, and photos that were placed in clips."""
    prints = {i: shot.traits.fingerprint for i, shot in enumerate(shots)}
    likeness = likeness_of(prints, {i: shot.traits.detail for i, shot in enumerate(shots)})
    files = [
        DataFile(id=i, name=f"{shot.label}/IMG_{i:05d}.jpg", key="x", sha256=f"{i:06d}", label=shot.label).compared(
            likeness.get(i)
        )
        for i, shot in enumerate(shots)
    ]
    copies = copy_groups(files)
    places = place_in_clips(files, prints, {}, copies=copies.group_of, one_view=copies.one_view)
    images = image_records(files, copies, places)
    groups_of, scenes_of = defaultdict(set), defaultdict(set)
    for image, group in zip(images, together(images).tolist(), strict=True):
        shot = shots[int(image.sha256)]
        groups_of[shot.label, shot.scene].add(group)
        scenes_of[group].add((shot.label, shot.scene))
    return sum(len(one) > 1 for one in groups_of.values()), sum(len(one) > 1 for one in scenes_of.values()), len(places)


if __name__ == "__main__":
    main()
