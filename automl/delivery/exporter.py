"""The delivered models: `model.keras` and `model.onnx`, photo in, probabilities out, preprocessing inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from automl.delivery.format_writer import add_labels
from automl.models.features import OnnxExtractor
from automl.models.numerics import full_float32
from automl.models.weights.cache import InstalledWeights, load_backbone
from automl.search.candidate import Branch, BranchHead, Candidate
from automl.serving.predict import Classifier


@dataclass(frozen=True, slots=True)
class ExportedModels:
    """Two files of one model. `keras`: None where only the quicker one was written, for a download in between."""

    onnx: Path
    keras: Path | None


class Exporter:
    """Writes candidates; what belongs to a fine-tuned backbone is converted once.

    `folder`: for the converted graphs of tuned backbones.
    """

    def __init__(self, weights: Mapping[str, InstalledWeights], labels: Sequence[str], folder: Path) -> None:
        self._weights, self._labels, self._folder = weights, tuple(labels), folder
        self._built: tuple[Candidate, Any] | None = None

    def export(self, candidate: Candidate, target: Path, with_keras: bool = True) -> ExportedModels:
        """Writes the files into the folder `target`, which is made."""
        target.mkdir(parents=True, exist_ok=True)
        models = ExportedModels(target / "model.onnx", target / "model.keras" if with_keras else None)
        self.write_onnx(candidate, models.onnx)
        if models.keras is not None:
            self.build_keras(candidate).save(models.keras)
            add_labels(models.keras, self._labels, candidate.image_size_px)
        return models

    def largest_difference(self, candidate: Candidate, models: ExportedModels, pictures: np.ndarray) -> float:
        """Loads the files again and compares probabilities on `pictures`: uint8 (n, side, side, 3).

        Where there is no `model.keras`, `model.onnx` is compared with the candidate's own parts.
        """
        by_onnx = Classifier(models.onnx).predict_arrays(pictures)
        if models.keras is None:
            return float(np.abs(by_onnx - self._by_parts(candidate, pictures)).max())
        import keras

        loaded = keras.models.load_model(models.keras)
        # Called as a user would, which is also quicker than `predict`: no graph is compiled for a handful of pictures.
        with full_float32():
            by_keras = np.asarray(loaded(pictures.astype(np.float32)))
        return float(np.abs(by_keras - by_onnx).max())

    def build_keras(self, candidate: Candidate) -> Any:
        """A `keras.Model`: float32 (batch, height, width, 3) of 0-255 RGB in, float32 (batch, n_classes) out.

        Plain layers only, so that it loads anywhere with Keras 3. A picture of any size is resized inside. The last
        one is kept, since a model that is delivered is also explained; whoever asks again gets the same object.
        """
        if self._built is None or self._built[0] is not candidate:
            self._built = candidate, self._build_keras(candidate)
        return self._built[1]

    def _build_keras(self, candidate: Candidate) -> Any:
        import keras

        pictures = keras.Input((None, None, 3), name="image")
        squares = {candidate.image_size_px: _resized(pictures, candidate.image_size_px)}
        pooled: dict[tuple[Branch, int], Any] = {}
        for branch in candidate.branches:
            size = branch.image_size_px
            if size not in squares:
                squares[size] = _resized(squares[candidate.image_size_px], size)
            maps = self._backbone(branch)(squares[size])
            for tap in _taps_of(candidate, branch, len(maps)):
                pool = keras.layers.GlobalAveragePooling2D(name=f"{branch.name}_tap_{tap}")
                pooled[branch, tap] = pool(maps[tap])
        logits, dense = [], []
        for number, head in enumerate(candidate.heads):
            values = [pooled[branch, tap] for branch, tap in self._inputs(head)]
            x = keras.layers.Concatenate(name=f"features_{number}")(values) if len(values) > 1 else values[0]
            for depth, (_, bias) in enumerate(head.layers):
                is_last = depth == len(head.layers) - 1
                layer = keras.layers.Dense(
                    len(bias), activation=None if is_last else "relu", name=f"head_{number}_{depth}"
                )
                x = layer(x)
                dense.append(layer)
            logits.append(x)
        total = keras.layers.Add(name="logits")(logits) if len(logits) > 1 else logits[0]
        model = keras.Model(pictures, keras.layers.Softmax(name="probabilities")(total), name="darkroom")
        for layer, arrays in zip(dense, (a for head in candidate.heads for a in head.layers), strict=True):
            layer.set_weights(list(arrays))
        return model

    def write_onnx(self, candidate: Candidate, target: Path) -> None:
        """Joins the backbones' verified graphs with a resize in front and the heads behind.

        Pretrained graphs were checked against Keras when they were installed, so they are not converted again here;
        tuned ones are converted and checked now.
        """
        import onnx
        from onnx import TensorProto, compose, helper, numpy_helper

        nodes, initializers = _front(candidate)
        taps: dict[tuple[Branch, int], str] = {}
        ir_version = 0
        opsets: dict[str, int] = {}
        for branch in candidate.branches:
            graph_file = onnx.load(self._graph(branch))
            graph = compose.add_prefix(graph_file, f"{branch.name}/").graph
            nodes.append(helper.make_node("Identity", [f"square_{branch.image_size_px}"], [graph.input[0].name]))
            nodes += graph.node
            initializers += graph.initializer
            taps |= {(branch, number): output.name for number, output in enumerate(graph.output)}
            ir_version = max(ir_version, graph_file.ir_version)
            opsets |= {opset.domain: opset.version for opset in graph_file.opset_import}
        logits = []
        for number, head in enumerate(candidate.heads):
            values = f"features_{number}"
            nodes.append(helper.make_node("Concat", [taps[key] for key in self._inputs(head)], [values], axis=1))
            for depth, (kernel, bias) in enumerate(head.layers):
                name = f"head_{number}_{depth}"
                if depth:
                    nodes.append(helper.make_node("Relu", [values], [f"{name}/input"]))
                    values = f"{name}/input"
                initializers += [
                    numpy_helper.from_array(kernel, f"{name}/kernel"),
                    numpy_helper.from_array(bias, f"{name}/bias"),
                ]
                nodes.append(helper.make_node("MatMul", [values, f"{name}/kernel"], [f"{name}/product"]))
                nodes.append(helper.make_node("Add", [f"{name}/product", f"{name}/bias"], [name]))
                values = name
            logits.append(values)
        nodes += [
            helper.make_node("Sum", logits, ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        picture = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", "height", "width", 3])
        output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(self._labels)])
        graph = helper.make_graph(nodes, "darkroom", [picture], [output], initializers)
        imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
        model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version, producer_name="Darkroom")
        properties = {"labels": "\n".join(self._labels), "image_size_px": str(candidate.image_size_px)}
        helper.set_model_props(model, properties)
        onnx.checker.check_model(model)
        onnx.save(model, target)

    def _inputs(self, head: BranchHead) -> list[tuple[Branch, int]]:
        """What the head's first kernel acts on, in order."""
        return [
            (branch, tap)
            for branch in head.branches
            for tap in head.used_taps(len(self._weights[branch.backbone].taps))
        ]

    def _backbone(self, branch: Branch) -> Any:
        return _backbone(self._weights[branch.backbone], branch)

    def _graph(self, branch: Branch) -> Path:
        """The ONNX graph of a branch; that of a tuned one is converted, and checked against Keras, on first use."""
        if branch.tuned is None:
            return self._weights[branch.backbone].onnx_path
        path = self._folder / f"{branch.tuned.name.removesuffix('.weights.h5')}.onnx"
        if not path.exists():
            from automl.models.weights.onnx_export import check_onnx, export_onnx

            self._folder.mkdir(parents=True, exist_ok=True)
            size = branch.image_size_px
            model, part = self._backbone(branch), path.with_suffix(".part")
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
            x = np.concatenate(parts, axis=1)
            for depth, (kernel, bias) in enumerate(head.layers):
                x = (np.maximum(x, 0) if depth else x) @ kernel + bias
            logits += x
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def _resized(pictures: Any, size: int) -> Any:
    import keras

    resize = keras.layers.Resizing(size, size, interpolation="bilinear", antialias=True, name=f"resize_{size}")
    # Its default is training=True, which Keras would hand on to every batch norm behind it in a plain model(x).
    return resize(pictures, training=False)


@lru_cache(maxsize=8)
def _backbone(weights: InstalledWeights, branch: Branch) -> Any:
    """The first model and the final one usually share backbones; building one takes a second or more.

    A model of its own for each branch: two branches of one backbone would else share its weights and its name.
    """
    model = load_backbone(weights)
    if branch.tuned is not None:
        model.load_weights(branch.tuned)
    model.name = branch.name
    return model


def _front(candidate: Candidate) -> tuple[list[Any], list[Any]]:
    """Nodes and initializers: (batch, height, width, 3) -> "square_<px>", (batch, 3, px, px), for each px."""
    from onnx import helper, numpy_helper

    main = candidate.image_size_px
    nodes = [helper.make_node("Transpose", ["image"], ["channels_first"], perm=[0, 3, 1, 2])]
    initializers = []
    for size in dict.fromkeys([main, *(branch.image_size_px for branch in candidate.branches)]):
        source = "channels_first" if size == main else f"square_{main}"
        initializers.append(numpy_helper.from_array(np.array([size] * 2, dtype=np.int64), f"size_{size}"))
        inputs = [source, "", "", f"size_{size}"]
        nodes.append(helper.make_node("Resize", inputs, [f"square_{size}"], mode="linear", antialias=1, axes=[2, 3]))
    return nodes, initializers


def _taps_of(candidate: Candidate, branch: Branch, n_taps: int) -> list[int]:
    """The taps of a branch that any head uses."""
    used = {t for head in candidate.heads if branch in head.branches for t in head.used_taps(n_taps)}
    return sorted(used)
