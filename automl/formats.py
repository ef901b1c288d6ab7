"""The formats that a model can be delivered in: one row each, for the form, the exports, their proof and the download.

For a new format add a row to `FORMATS`, and its writer to `automl.delivery.format_writer`.
"""

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from automl.text.messages import delivery as delivery_messages

_SCRIPTS = Path(__file__).parent / "serving"
_TOLERANCE, _INT8_TOLERANCE = 0.005, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The software that loads a delivered model.

    Attributes:
        name: the identifier, in the names of files.
        title: the name for people.
        packages: the lines of its requirements file.
        script: the program that is delivered beside the model, in the folder `automl/serving`.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    script: str

    @property
    def readme_name(self) -> str:
        """The file that says how to use it."""
        return f"README_{self.name}.txt"

    @property
    def requirements_name(self) -> str:
        """The file of what it needs; `requirements.txt` is that of `predict.py`, as in every download."""
        return "requirements.txt" if self.script == "predict.py" else f"requirements_{self.name}.txt"

    def requirements(self) -> str:
        """The text of that file."""
        return "".join(f"{package}\n" for package in self.packages)

    def commands(self) -> tuple[tuple[str, str], ...]:
        """What to type on each system to ask a model about a photo, by the words for that system."""
        systems = (
            (delivery_messages.ON_WINDOWS, delivery_messages.WINDOWS_COMMANDS),
            (delivery_messages.ON_MACOS_AND_LINUX, delivery_messages.MACOS_AND_LINUX_COMMANDS),
        )
        names = {"requirements": self.requirements_name, "script": self.script}
        return tuple((system, commands.format(**names)) for system, commands in systems)

    def commands_in_words(self) -> str:
        """The same as a text, for a README."""
        return "\n".join(
            delivery_messages.TYPE_ON_SYSTEM.format(system=system, commands=indent(commands, "    "))
            for system, commands in self.commands()
        )

    def readme(self, model: str) -> str:
        """How to use it. `model`: the file name of one of its models."""
        text = delivery_messages.RUNTIME_README.format(
            title=self.title,
            model=model,
            commands=self.commands_in_words(),
            script=self.script,
            module=Path(self.script).stem,
        )
        return f"{text}\n"

    def delivered_script(self) -> str:
        """The text of `script` as it is delivered: it needs none of this project."""
        text = (_SCRIPTS / self.script).read_text(encoding="utf-8")
        return text.replace("from automl.serving.predict import", "from predict import")


_PHOTOS = ("numpy>=1.26", "pillow>=10.3")
ONNX_RUNTIME = Runtime(name="onnx", title="ONNX Runtime", packages=("onnxruntime>=1.18", *_PHOTOS), script="predict.py")
LITERT = Runtime(name="litert", title="LiteRT", packages=("ai-edge-litert>=2.0", *_PHOTOS), script="predict_litert.py")
TENSORFLOW = Runtime(
    name="tensorflow",
    title="TensorFlow",
    packages=("tensorflow>=2.20", "keras>=3.13", *_PHOTOS),
    script="predict_tensorflow.py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One row of the table.

    Attributes:
        name: the identifier in the API, the database and on the command line.
        title: the name for people.
        file_name: of the model in the download.
        purpose: what the format is good for, for people.
        runtime: what loads it.
        tolerance: the share of the test photos by which its accuracy may differ before it is marked, 0-1.
        is_made_at_once: whether it is made within the time of the run; the other formats follow after the run.
        folder_mark: for a format that is a folder: the file by which that folder is recognised. Empty for a file.
    """

    name: str
    title: str
    file_name: str
    purpose: str
    runtime: Runtime
    tolerance: float = _TOLERANCE
    is_made_at_once: bool = False
    folder_mark: str = ""


FORMATS: tuple[Format, ...] = (
    Format(
        name="onnx",
        title="ONNX",
        file_name="model.onnx",
        purpose="Servers and desktop programs in any language; quick on a CPU.",
        runtime=ONNX_RUNTIME,
        is_made_at_once=True,
    ),
    Format(
        name="keras",
        title="Keras",
        file_name="model.keras",
        purpose="Continue training in Python, with Keras 3 and TensorFlow.",
        runtime=TENSORFLOW,
        is_made_at_once=True,
    ),
    Format(
        name="saved_model",
        title="TensorFlow SavedModel",
        file_name="saved_model",
        purpose="TensorFlow Serving, and TensorFlow without Keras.",
        runtime=TENSORFLOW,
        folder_mark="saved_model.pb",
    ),
    Format(
        name="litert_float32",
        title="LiteRT (TFLite), float32",
        file_name="model_float32.tflite",
        purpose="Phones and small computers, with the full precision.",
        runtime=LITERT,
    ),
    Format(
        name="litert_float16",
        title="LiteRT (TFLite), float16",
        file_name="model_float16.tflite",
        purpose="Phones: half the size, hardly any difference.",
        runtime=LITERT,
    ),
    Format(
        name="litert_int8",
        title="LiteRT (TFLite), int8",
        file_name="model_int8.tflite",
        purpose="Small devices and accelerators that use integer arithmetic: a quarter of the size, a bit less exact.",
        runtime=LITERT,
        tolerance=_INT8_TOLERANCE,
    ),
)


def find_format(name: str) -> Format:
    """The row of a format.

    Raises:
        KeyError: the name is not in the table.
    """
    return {one.name: one for one in FORMATS}[name]


def size_of(model: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if model.is_dir():
        return sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return model.stat().st_size
