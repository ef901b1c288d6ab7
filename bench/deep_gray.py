"""Whether gray photos of more than 8 bits are worth as much as their 8-bit twins: a linear probe on both.

    python -m bench.deep_gray [--data beans|hymenoptera] [--backbone mobilenet_v2]

Every photograph is made gray and saved with 8, 10, 12, 14 and 16 bits, as floats and as signed values. Each kind is
checked as a data set of its own, decoded by the contract that the check has chosen, and learned by a logistic
regression on the last layer of a pretrained backbone. For comparison, 12 bits are also decoded as models without a
contract do.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from automl.images.pixel_rules import rules_of
from automl.ingest.local import ingest_folder
from automl.models.features import OnnxExtractor
from automl.models.weights.cache import installed
from automl.records import ImageRecord, ServingContract
from automl.serving.predict import PhotoRules, load_image, open_rgb
from automl.settings import load_settings
from bench.folder_cases.odd_photos import deep, encoded, floating, signed
from bench.harness import DATA, report

SIZE_PX = 224
LONGER_SIDE_PX = 320
TEST_FOLDERS = {"beans": "test", "hymenoptera": "val"}
KINDS: Mapping[str, Callable[[Image.Image], bytes]] = {
    "8 bits": lambda gray: encoded(gray, "PNG"),
    "10 bits": lambda gray: encoded(deep(gray, 10), "PNG"),
    "12 bits": lambda gray: encoded(deep(gray, 12), "TIFF"),
    "14 bits": lambda gray: encoded(deep(gray, 14), "TIFF"),
    "16 bits": lambda gray: encoded(deep(gray, 16), "PNG"),
    "floats from 0 to 1": lambda gray: encoded(floating(gray), "TIFF"),
    "signed values": signed,
}
BEFORE = "12 bits, without a contract"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=TEST_FOLDERS, default="beans")
    parser.add_argument("--backbone", default="mobilenet_v2")
    options = parser.parse_args()
    extractor = OnnxExtractor(installed(load_settings().weights_dir)[options.backbone])
    photos = _photographs(DATA / options.data, TEST_FOLDERS[options.data])
    rows = []
    twins: np.ndarray | None = None
    for kind, write in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            images, contract = _checked(Path(folder), photos, write)
            ways = {kind: rules_of(contract)} | ({BEFORE: PhotoRules(version=0)} if kind == "12 bits" else {})
            for name, rules in ways.items():
                pixels = np.stack([load_image(image.path, SIZE_PX, rules) for image in images])
                twins = pixels if twins is None else twins
                rows.append(_row(name, contract, pixels=pixels, twins=twins, images=images, extractor=extractor))
    report(
        "deep_gray",
        data=options.data,
        backbone=options.backbone,
        n_photos=len(photos),
        kinds=rows,
        aims={"points_lost": 1.0},
    )


def _photographs(folder: Path, test: str) -> list[tuple[str, Image.Image]]:
    """The name of each photograph in its class and part, and the photograph in gray."""
    found = []
    for part, inside in (("train", "train"), ("test", test)):
        for path in sorted((folder / inside).glob("*/*")):
            gray = open_rgb(path).convert("L")
            gray.thumbnail((LONGER_SIDE_PX, LONGER_SIDE_PX))
            found.append((f"{part}/{path.parent.name}/{path.stem}", gray))
    return found


def _checked(
    folder: Path, photos: list[tuple[str, Image.Image]], write: Callable[[Image.Image], bytes]
) -> tuple[list[ImageRecord], ServingContract]:
    """The copies as the check of a data set sees them, in the order of the photographs."""
    for name, gray in photos:
        target = folder / "photos" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(write(gray))
    manifest = ingest_folder(folder / "photos", load_settings())
    assert manifest.contract is not None
    assert not any("blank" in note for note in manifest.notes)
    known = {image.name: image for image in manifest.images}
    return [known[name] for name, _ in photos if name in known], manifest.contract


def _row(
    name: str,
    contract: ServingContract,
    *,
    pixels: np.ndarray,
    twins: np.ndarray,
    images: list[ImageRecord],
    extractor: OnnxExtractor,
) -> dict[str, Any]:
    features = np.concatenate([extractor(pixels[at : at + 32]) for at in range(0, len(pixels), 32)])
    features = features[:, -extractor.tap_widths[-1] :]
    labels = np.array([image.label for image in images])
    is_test = np.array([image.name.startswith("test/") for image in images])
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    probe.fit(features[~is_test], labels[~is_test])
    return {
        "kind": name,
        "scaled": contract.gray.model_dump(mode="json"),
        "n_test": int(is_test.sum()),
        "accuracy": round(float(probe.score(features[is_test], labels[is_test])), 4),
        "mean_difference": round(float(np.abs(pixels.astype(int) - twins).mean()), 3),
    }


if __name__ == "__main__":
    main()
