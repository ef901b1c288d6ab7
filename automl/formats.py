"""The formats that a model can be delivered in: one table, for the form, the exports, their proof and the download."""

from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "serving"
_TOLERANCE, _INT8_TOLERANCE = 0.005, 0.02


@dataclass(frozen=True, slots=True)
class Runtime:
    """What loads a model again. `packages`: lines of a requirements file. `script`: delivered beside the model."""

    name: str
    title: str
    packages: tuple[str, ...]
    script: str

    @property
    def readme_name(self) -> str:
        return f"README_{self.name}.txt"

    def readme(self, model: str) -> str:
        """Three lines. `model`: file name of one of its models."""
        named = "" if self.script == "predict.py" else f" {model}"
        return (
            f"{self.title}: python -m venv venv && venv/bin/pip install {' '.join(map(repr, self.packages))}\n"
            f"Then: venv/bin/python {self.script}{named} photo.jpg another.jpg\n"
            f"In your own code: from {Path(self.script).stem} import Classifier; "
            f"probabilities = Classifier({model!r}).predict('photo.jpg')\n"
        )

    def delivered_script(self) -> str:
        """The text of `script`, which needs none of this project."""
        text = (_SCRIPTS / self.script).read_text(encoding="utf-8")
        return text.replace("from automl.serving.predict import", "from predict import")


_PHOTOS = ("numpy>=1.26", "pillow>=10.3")
ONNX_RUNTIME = Runtime("onnx", "ONNX Runtime", ("onnxruntime>=1.18", *_PHOTOS), "predict.py")
LITERT = Runtime("litert", "LiteRT", ("ai-edge-litert>=2.0", *_PHOTOS), "predict_litert.py")
TENSORFLOW = Runtime("tensorflow", "TensorFlow", ("tensorflow>=2.20", "keras>=3.13", *_PHOTOS), "predict_tensorflow.py")


@dataclass(frozen=True, slots=True)
class Format:
    """One tick box. `file_name`: in the download; that of a SavedModel is a folder.

    `tolerance`: share of the test photos by which its accuracy may differ before it is marked. `is_made_at_once`:
    inside the run's time; the others follow.
    """

    name: str
    title: str
    file_name: str
    purpose: str
    runtime: Runtime
    tolerance: float = _TOLERANCE
    is_made_at_once: bool = False


FORMATS: tuple[Format, ...] = (
    Format("onnx", "ONNX", "model.onnx", "Servers and desktop programs in any language; quick on a CPU.",
           ONNX_RUNTIME, is_made_at_once=True),
    Format("keras", "Keras", "model.keras", "Continue training in Python, with Keras 3 and TensorFlow.",
           TENSORFLOW, is_made_at_once=True),
    Format("saved_model", "TensorFlow SavedModel", "saved_model", "TensorFlow Serving, and TensorFlow without Keras.",
           TENSORFLOW),
    Format("litert_float32", "LiteRT (TFLite), float32", "model_float32.tflite",
           "Phones and small computers, with the full precision.", LITERT),
    Format("litert_float16", "LiteRT (TFLite), float16", "model_float16.tflite",
           "Phones: half the size, hardly any difference.", LITERT),
    Format("litert_int8", "LiteRT (TFLite), int8", "model_int8.tflite",
           "Small devices and accelerators that use integer arithmetic: a quarter of the size, a little less exact.",
           LITERT, _INT8_TOLERANCE),
)  # fmt: skip


def find_format(name: str) -> Format:
    """Raises KeyError for a name that is not in the table."""
    return {one.name: one for one in FORMATS}[name]


def size_of(model: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if model.is_dir():
        return sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return model.stat().st_size
