"""One fine-tuned network of at most 22 MB beside the best ensemble of frozen ones, out of fold on training photographs.

    python -m bench.single_network [--data beans hymenoptera] [--backbones mobilenet_v2] [--size 224] [--epochs 8]

Each network is fine-tuned in five folds behind its second cut, with the settings that the search begins with, from the
regression of the fold; the number of epochs is fixed, so that the held-out photos choose nothing. Beside it stand the
regressions on frozen features of `bench.distillation`, on the same folds. Differences are paired by photo.
"""

import argparse
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from automl.backbone_table import BACKBONES
from automl.models.fine_tuning.fine_tuner import FineTuner
from automl.models.head.logistic import fit_logistic
from automl.models.head.network import softmax
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import installed
from automl.search.objective import Objective
from automl.search.selection import AskedPhotos, ModelParts, TrialAnswers, select
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.search.stages.fine_tuning import BATCH_SIZE
from automl.search.stages.fine_tuning_space import fine_tune_settings, fine_tune_space
from automl.serving.predict import load_image
from automl.settings import load_settings
from bench.backbones import DATA_SETS, Part
from bench.distillation import MOST_MB, RECIPE, STUDENTS, TEACHER_PX, Answers, Probes
from bench.harness import DATA, report

DEPTH = 2
ERRORS = (0.0, 0.5, 1.0, 1.5, None)
"""By how many standard errors of one fold's photos a fine-tuning must lower the loss to join; None: as a head must."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=DATA_SETS, default=DATA_SETS)
    parser.add_argument("--features", type=Path, default=Path("var") / "bench-features")
    parser.add_argument("--backbones", nargs="+", choices=STUDENTS, default=["mobilenet_v2"])
    parser.add_argument("--size", type=int, default=TEACHER_PX)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    import_tensorflow()
    assert all(BACKBONES[name].figures.megabytes <= MOST_MB for name in options.backbones)
    for name in options.data:
        probes = Probes(name, options.features, repeats=1)
        layers = SEVERAL_TAPS if len(probes.labels) >= 300 else LAST_TAP  # as the search chooses them
        ensemble, logits = _best_ensemble(probes, layers)
        rows = []
        for backbone in options.backbones:
            began_s = time.monotonic()
            tuned = _fine_tuned(probes, name, backbone, layers, size_px=options.size, epochs=options.epochs)
            title = BACKBONES[backbone].title
            head = Answers.of(title, probes.direct([backbone], layers, TEACHER_PX), probes.labels)
            single = Answers.of(title, tuned, probes.labels)
            both = Answers.of("both", _mean(tuned, logits), probes.labels)
            rows.append(
                {
                    "network": title,
                    "seconds": round(time.monotonic() - began_s, 1),
                    "head": head.figures(),
                    "fine_tuned": single.figures(),
                    "beyond_head": single.beyond(head),
                    "beyond_ensemble": single.beyond(ensemble),
                    "with_ensemble": both.figures(),
                    "with_ensemble_beyond_ensemble": both.beyond(ensemble),
                    "joined_by_one_fold": [_joined(probes, logits, tuned, errors) for errors in ERRORS],
                }
            )
        report(
            "single_network",
            data=name,
            n_photos=len(probes.labels),
            layers=layers,
            depth=DEPTH,
            size_px=options.size,
            epochs=options.epochs,
            ensemble=ensemble.name,
            ensemble_figures=ensemble.figures(),
            networks=rows,
        )


def _best_ensemble(probes: Probes, layers: str) -> tuple[Answers, np.ndarray]:
    """The best fusion of three or five frozen networks, chosen by these answers, and its held-out logits."""
    fused = [names for n in (3, len(STUDENTS)) for names in combinations(STUDENTS, n)]
    logits = [probes.direct(names, layers, TEACHER_PX) for names in fused]
    answers = [Answers.of(" + ".join(names), one, probes.labels) for names, one in zip(fused, logits, strict=True)]
    best = max(range(len(answers)), key=lambda i: float(answers[i].right.mean()))
    return answers[best], logits[best]


def _fine_tuned(probes: Probes, data: str, backbone: str, layers: str, *, size_px: int, epochs: int) -> np.ndarray:
    """Held-out logits (1, n_photos, n_classes)."""
    photos = Part(DATA / data / "train", Path()).photos()
    pixels = np.stack([load_image(path, size_px) for path in photos])
    targets = probes.targets
    heads = fit_logistic(probes.joined([backbone], layers, TEACHER_PX), targets, RECIPE).fold_layers
    params = fine_tune_space([backbone], [size_px], may_end_early=False).defaults(
        backbone=backbone, depth=DEPTH, ft_image_size_px=size_px
    )
    settings = fine_tune_settings(params, layers, is_unit=True, epochs=epochs, batch_size=BATCH_SIZE)
    logits = np.full((1, len(photos), targets.n_classes), np.nan, np.float32)
    tuner = FineTuner(
        pixels=pixels,
        labels=targets.labels,
        n_classes=targets.n_classes,
        installed=installed(load_settings().weights_dir)[backbone],
        head=heads[0][0],
        settings=settings,
        seed=0,
    )
    with tuner:
        for fold in range(targets.n_folds):
            held_out = np.flatnonzero(targets.folds[:, 0] == fold)
            learnt = np.flatnonzero(targets.folds[:, 0] != fold)
            fitted = tuner.fit(learnt, held_out, on_work=_nothing, head=heads[fold][0])
            logits[0, held_out] = fitted.held_out_logits
    return logits


def _mean(*answers: np.ndarray) -> np.ndarray:
    """The logits of the mean probabilities."""
    shares = np.stack([softmax(one)[0] for one in answers])
    return np.asarray(np.log(np.maximum(shares.mean(axis=0), 1e-12)))


def _joined(probes: Probes, heads: np.ndarray, tuned: np.ndarray, errors: float | None) -> dict[str, object]:
    """What it is worth, on all other folds, to let one fold decide whether the fine-tuning joins the heads."""
    labels, folds = probes.labels, probes.targets.folds[:, 0]
    parts = ModelParts(uses=np.eye(2, dtype=bool), n_bytes=np.zeros(2), latency_s=np.zeros(2))
    shares, points, losses = [], [], []
    for fold in range(probes.targets.n_folds):
        asked, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        answers = TrialAnswers(
            numbers=(0, 1), logits=np.stack([heads[:, asked], tuned[:, asked]]), parts=parts, recipe=((0,),)
        )
        photos = AskedPhotos(labels=labels[asked], groups=np.arange(len(asked)), n_classes=probes.targets.n_classes)
        shares.append(dict(select(answers, photos, Objective(), errors=errors).weights).get(1, 0.0))
        mean = (1 - shares[-1]) * heads[:, others] + shares[-1] * tuned[:, others]
        before = Answers.of("heads", heads[:, others], labels[others])
        after = Answers.of("mean", mean, labels[others])
        points.append(100 * float((after.right - before.right).mean()))
        losses.append(float((before.losses - after.losses).mean()))
    return {
        "errors": errors,
        "shares": [round(share, 2) for share in shares],
        "points": round(float(np.mean(points)), 2),
        "loss_lower_by": round(float(np.mean(losses)), 4),
    }


def _nothing() -> None:
    """Progress is for people."""


if __name__ == "__main__":
    main()
