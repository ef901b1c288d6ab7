"""The delivered models: `model.keras` and `model.onnx`, photo in, probabilities out, preprocessing inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.delivery.format_writer import add_labels
from automl.delivery.keras_model import keras_model, tuned_backbone
from automl.delivery.onnx_model import onnx_model
from automl.models.features import OnnxExtractor
from automl.models.numerics import full_float32
from automl.models.weights.cache import InstalledWeights
from automl.processors import onnx_threads
from automl.records import DeliveredContract, ServingContract
from automl.search.candidate import Branch, Candidate
from automl.search.joined import unit
from automl.serving.predict import Classifier


@dataclass(frozen=True, slots=True)
class ExportedModels:
    """The two files of one model.

    Attributes:
        onnx: `model.onnx`.
        keras: `model.keras`; None where only the quicker one was written, for a download in between.
        contract: the JSON of its serving contract; empty where the data set is older than such contracts.
    """

    onnx: Path
    keras: Path | None
    contract: str


class Exporter:
    """Writes candidates as files; what belongs to a fine-tuned backbone is converted once.

    Args:
        weights: the pretrained backbones by name.
        labels: the class names in the order of the probabilities.
        folder: for the converted graphs of fine-tuned backbones.
        contract: how photos become the pixels that the models see; each model carries it with its own threshold. None
            for a data set that is older than such contracts, whose models carry none.
    """

    def __init__(
        self,
        weights: Mapping[str, InstalledWeights],
        labels: Sequence[str],
        folder: Path,
        *,
        contract: ServingContract | None,
    ) -> None:
        self._weights, self._labels, self._folder = weights, tuple(labels), folder
        self._contract = contract
        self._built: tuple[Candidate, Any] | None = None

    def export(self, candidate: Candidate, target: Path, *, with_keras: bool = True) -> ExportedModels:
        """Writes the files of a candidate into a folder.

        Args:
            candidate: the model.
            target: the folder, which is made.
            with_keras: whether `model.keras` is written, too, which takes longer.
        """
        target.mkdir(parents=True, exist_ok=True)
        models = ExportedModels(
            target / "model.onnx", target / "model.keras" if with_keras else None, contract=self._delivered(candidate)
        )
        self.write_onnx(candidate, models.onnx)
        if models.keras is not None:
            self.build_keras(candidate).save(models.keras)
            distance = candidate.distance.stored() if candidate.distance else b""
            add_labels(models.keras, self._labels, candidate.image_size_px, contract=models.contract, distance=distance)
        return models

    def largest_difference(self, candidate: Candidate, models: ExportedModels, pictures: np.ndarray) -> float:
        """Loads the files again and returns the largest difference of any probability between them.

        Where there is no `model.keras`, `model.onnx` is compared with the candidate's own parts.

        Args:
            candidate: the model.
            models: its files.
            pictures: uint8 (n, side, side, 3), what the files are asked about.
        """
        by_onnx = Classifier(models.onnx, onnx_threads()).predict_arrays(pictures)
        if models.keras is None:
            return float(np.abs(by_onnx - self._by_parts(candidate, pictures)).max())
        import keras

        loaded = keras.models.load_model(models.keras)
        # Called as a user would, which is also quicker than `predict`: no graph is compiled for a handful of pictures.
        with full_float32():
            by_keras = np.asarray(loaded(pictures.astype(np.float32)))
        return float(np.abs(by_keras - by_onnx).max())

    def build_keras(self, candidate: Candidate) -> Any:
        """The candidate as a `keras.Model`, see `keras_model`.

        The last one is kept, since a model that is delivered is also explained: for the same candidate it is the same
        object.
        """
        if self._built is None or self._built[0] is not candidate:
            self._built = candidate, keras_model(candidate, self._weights)
        return self._built[1]

    def write_onnx(self, candidate: Candidate, target: Path) -> None:
        """Writes the candidate as an ONNX file, see `onnx_model`.

        Pretrained graphs were checked against Keras when they were installed, so they are not converted again here;
        fine-tuned ones are converted and checked now.
        """
        import onnx

        graphs = {branch: self._graph(branch) for branch in candidate.branches}
        contract = self._delivered(candidate)
        onnx.save(onnx_model(candidate, self._weights, graphs=graphs, labels=self._labels, contract=contract), target)

    def _delivered(self, candidate: Candidate) -> str:
        """The JSON of what the candidate carries; empty for none."""
        if self._contract is None:
            return ""
        foreign = None if candidate.distance is None else 1.0
        return DeliveredContract(**dict(self._contract), sure=candidate.sure_threshold, foreign=foreign).json_text()

    def _graph(self, branch: Branch) -> Path:
        """The ONNX file of a branch; that of a fine-tuned one is converted, and checked against Keras, on first use."""
        if branch.tuned is None:
            return self._weights[branch.backbone].onnx_path
        path = self._folder / f"{branch.tuned.name.removesuffix('.weights.h5')}.onnx"
        if not path.exists():
            from automl.models.weights.onnx_export import check_onnx, export_onnx

            self._folder.mkdir(parents=True, exist_ok=True)
            size = branch.image_size_px
            model, part = tuned_backbone(self._weights[branch.backbone], branch), path.with_suffix(".part")
            export_onnx(model, part)
            check_onnx(model, part, np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype(np.float32))
            part.rename(path)
        return path

    def _by_parts(self, candidate: Candidate, pictures: np.ndarray) -> np.ndarray:
        """Probabilities by NumPy from the pooled taps; every branch is pretrained and sees the model's own size."""
        logits = np.zeros((len(pictures), len(self._labels)), np.float32)
        pooled = {b: OnnxExtractor(self._weights[b.backbone])(pictures) for b in candidate.branches}
        for head in candidate.heads:
            parts = []
            for branch in head.branches:
                widths = self._weights[branch.backbone].tap_widths
                ends = np.cumsum(widths)
                parts += [pooled[branch][:, ends[t] - widths[t] : ends[t]] for t in head.used_taps(len(widths))]
            x = np.concatenate([unit(part) for part in parts] if head.is_unit else parts, axis=1)
            for depth, (kernel, bias) in enumerate(head.layers):
                x = (np.maximum(x, 0) if depth else x) @ kernel + bias
            logits += x
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
