"""The .zip that a person downloads."""

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from automl.atomic_files import no_half_files
from automl.delivery.exporter import ExportedModels
from automl.errors import BadBundle
from automl.serving import predict
from automl.serving.sound_zip import sound_zip

_STORED = {".keras", ".png"}  # compressed already

_REQUIREMENTS = """\
# What predict.py needs; any Python from 3.10 on.
numpy>=1.26
pillow>=10.3
onnxruntime>=1.18
"""

_README = """\
{sentence}

Try it: unpack this folder, then
    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python predict.py photo.jpg

model.onnx    what predict.py uses (ONNX Runtime): RGB photo with values 0-255 in, probabilities out
{keras}labels.txt    the class names, one a line, in the order of the probabilities
metrics.json  every figure and setting: score, confusion matrix, how it was trained, where its weights come from
report.html   the result in words, with its figures and plots: open it in a browser, or print it
model_card.md what the model is for and not for, where its parts come from, and the command that repeats it
photos.csv    which photo was learned from and which was kept for the test
answers.csv   what the model said about each test photo, and how sure it was (these four in the finished download)
plots/        the plots
"""

_README_KERAS = """\
model.keras   the same model for TensorFlow and Keras 3: keras.models.load_model("model.keras")
"""

_README_NO_KERAS = """\
The search was still going on when this was packed. The finished download also has model.keras, for TensorFlow.
"""


def write_bundle(
    target: Path,
    models: ExportedModels,
    metrics: Mapping[str, Any],
    plots: Sequence[Path] = (),
    at_last: Callable[[], Mapping[str, Any]] = dict,
    tables: Mapping[str, str] = MappingProxyType({}),
    write_more: Callable[[Mapping[str, Any]], Sequence[Path]] = lambda _metrics: (),
) -> dict[str, Any]:
    """Packs one model with everything that belongs to it, and returns what its `metrics.json` says.

    `at_last`: asked for further metrics when all else is packed, such as how long it took. `tables`: further text
    files, by their names. `write_more`: given all metrics, writes files that go in beside them, such as a report.

    Raises:
        DiskFull: no room; nothing half-written is left.
    """
    with no_half_files([target]) as (part,), zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
        _write_text(bundle, "README.txt", _readme(metrics["sentence"], models))
        _write_text(bundle, "labels.txt", "".join(f"{label}\n" for label in metrics["classes"]))
        _write_text(bundle, "requirements.txt", _REQUIREMENTS)
        bundle.write(predict.__file__, "predict.py")
        for name, text in tables.items():
            _write_text(bundle, name, text)
        both = [(models.keras, "model.keras"), (models.onnx, "model.onnx")]
        files = [(path, name) for path, name in both if path is not None]
        for path, name in files + [(plot, f"plots/{plot.name}") for plot in plots]:
            bundle.write(path, name, zipfile.ZIP_STORED if path.suffix in _STORED else None)
        complete = {**metrics, **at_last()}
        for path in write_more(complete):
            bundle.write(path, path.name)
        _write_text(bundle, "metrics.json", json.dumps(complete, indent=2, ensure_ascii=False) + "\n")
    return complete


def _write_text(bundle: zipfile.ZipFile, name: str, text: str) -> None:
    member = zipfile.ZipInfo(name, time.localtime()[:6])
    member.external_attr = 0o644 << 16  # readable for everybody, as the other files
    member.compress_type = zipfile.ZIP_DEFLATED
    bundle.writestr(member, text)


def unpack_bundle(bundle: Path, folder: Path, names: Sequence[str]) -> list[Path]:
    """Copies the named members out of a download, for `automl predict`.

    Raises:
        BadBundle: it is none of ours, or one of the members was not chosen when it was made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    try:
        with sound_zip(bundle) as archive:
            for name in names:
                if name not in archive.namelist() and "metrics.json" in archive.namelist():
                    raise BadBundle(f"{bundle} was made without {name}. Tick it too, and download once more.")
                path = folder / Path(name).name
                with archive.open(name) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
                paths.append(path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise BadBundle(f"{bundle} is not a model that Darkroom made ({error}).") from error
    return paths


def _readme(sentence: str, models: ExportedModels) -> str:
    if models.keras is None:
        return _README.format(sentence=sentence, keras="") + "\n" + _README_NO_KERAS
    return _README.format(sentence=sentence, keras=_README_KERAS)
