"""What each file of a download is, in a few words: for the list on the page and for the README inside."""

from pathlib import PurePosixPath

from automl.records.learning_curve import CURVE_FILE
from automl.text.messages import delivery as delivery_messages

_WORDS = {
    # Of the models only those that are in every finished download: the README describes the others by their purpose.
    "model.keras": delivery_messages.KERAS_FILE,
    "model.onnx": delivery_messages.ONNX_FILE,
    "predict.py": delivery_messages.PREDICT_FILE,
    "requirements.txt": delivery_messages.REQUIREMENTS_FILE,
    "serving.json": delivery_messages.SERVING_FILE,
    "labels.txt": delivery_messages.LABELS_FILE,
    "report.html": delivery_messages.REPORT_FILE,
    "photos.csv": delivery_messages.PHOTOS_FILE,
    "answers.csv": delivery_messages.ANSWERS_FILE,
    CURVE_FILE: delivery_messages.MORE_PHOTOS_FILE,
    "metrics.json": delivery_messages.METRICS_FILE,
    "README.md": delivery_messages.README_FILE,
    "README.txt": delivery_messages.README_FILE,
    "model_card.md": delivery_messages.MODEL_CARD_FILE,
    "plots": delivery_messages.PLOTS_FOLDER,
}


def words_of(name: str) -> str:
    """What a file of a download is. Empty where its name says enough. name: of a member, or of a folder."""
    return _WORDS.get(PurePosixPath(name).name, "")
