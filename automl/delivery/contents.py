"""What each file of a download is, in a few words: for the list on the page and for the README inside."""

from pathlib import PurePosixPath

from automl.formats import Runtime

_WORDS = {
    # Of the models only those that are in every finished download: the README describes the others by their purpose.
    "model.keras": "the model for TensorFlow and Keras; it takes a photo as it is",
    "model.onnx": "the same model for everything else: phones, servers, other languages",
    "predict.py": "a small program that says what is in a photo",
    "requirements.txt": "what that program needs",
    "labels.txt": "the names of the classes, in order",
    "report.html": "the result in words, with figures and plots, to read or print",
    "photos.csv": "which photo was learned from, and which was kept for the test",
    "answers.csv": "what the model said about each test photo, and how sure it was",
    "metrics.json": "the score, the settings and everything that was measured",
    "README.md": "how to use all this",
    "README.txt": "how to use all this",
    "model_card.md": "what the model is good for, and what it is not",
    "plots": "the plots",
}


def words_of(name: str) -> str:
    """What a file of a download is. Empty where its name says enough. name: of a member, or of a folder."""
    return _WORDS.get(PurePosixPath(name).name, "")


def requirements_name(runtime: Runtime) -> str:
    """The requirements file of a runtime; `requirements.txt` is that of `predict.py`, as in every download."""
    return "requirements.txt" if runtime.script == "predict.py" else f"requirements_{runtime.name}.txt"
