"""Test photos with what the model said, and where it looked."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from automl.evaluation.plots.style import ORANGE, fit, lay_out, new_figure, shorten
from automl.evaluation.score import TestScore
from automl.images.verify import in_threads
from automl.records import ImageRecord
from automl.serving.heat import overlay
from automl.serving.predict import PhotoRules, load_image
from automl.text.messages import plots as plot_messages

_SAMPLE_PX = 160
_MAX_SAMPLES = 12
_MAX_MAPS = 12
_GAP_PX = 6


def sample_predictions(score: TestScore, images: Sequence[ImageRecord], rules: PhotoRules) -> Figure:
    """Test photos with actual and predicted label: the most confident mistakes first, filled up with right answers."""
    chosen = choose_samples(score)
    title = plot_messages.SAMPLES if score.is_held_out else plot_messages.SAMPLES_OF_EVERY_PHOTO
    return _page(title, score, rows=chosen, pictures=_photographs(images, chosen, rules), n_columns=4)


def heat_maps(
    score: TestScore, images: Sequence[ImageRecord], *, heat: np.ndarray, rows: Sequence[int], rules: PhotoRules
) -> Figure:
    """Each photo beside the same photo with its heat: bright where it supported the answer, dimmed elsewhere.

    Args:
        score: The answers to the test photos.
        images: The photos that the rows of `score` belong to.
        heat: float32 (n, height, width), 0-1, of the predicted class.
        rows: The n indices of `images` that `heat` belongs to; the first twelve are shown.
        rules: How the photos become pixels.

    Raises:
        ValueError: There are no maps, or not as many as rows.
    """
    if not len(rows) or len(heat) != len(rows):
        raise ValueError(f"{len(heat)} heat maps for {len(rows)} photos")
    shown = [int(row) for row in rows[:_MAX_MAPS]]
    gap = np.full((_SAMPLE_PX, _GAP_PX, 3), 255, np.uint8)
    photographs = _photographs(images, shown, rules)
    pairs = zip(photographs, heat, strict=False)
    pictures = [np.concatenate([photo, gap, overlay(photo, one)], axis=1) for photo, one in pairs]
    title = plot_messages.HEAT_MAPS if score.is_held_out else plot_messages.HEAT_MAPS_OF_EVERY_PHOTO
    return _page(title, score, rows=shown, pictures=pictures, n_columns=3)


def _photographs(images: Sequence[ImageRecord], rows: Sequence[int], rules: PhotoRules) -> list[np.ndarray]:
    return list(in_threads(lambda row: load_image(images[row].path, _SAMPLE_PX, rules), rows))


def choose_samples(score: TestScore) -> list[int]:
    """Indices of up to twelve test photos: at most half of them mistakes, the rest spread over the classes."""
    surest = score.probabilities.max(axis=1)
    predicted = score.predicted
    wrong = np.flatnonzero(predicted != score.truth)
    wrong = wrong[np.argsort(-surest[wrong], kind="stable")][: _MAX_SAMPLES // 2]
    seen: dict[int, int] = {}
    ranked: list[tuple[int, int]] = []
    for index in np.flatnonzero(predicted == score.truth):
        rank = seen[int(score.truth[index])] = seen.get(int(score.truth[index]), -1) + 1
        ranked.append((rank, int(index)))
    return [*(int(i) for i in wrong), *(index for _, index in sorted(ranked))][:_MAX_SAMPLES]


def _page(
    title: str, score: TestScore, *, rows: Sequence[int], pictures: Sequence[np.ndarray], n_columns: int
) -> Figure:
    """pictures: uint8 (height, width, 3), one for each of `rows`, all of one size."""
    height, width = pictures[0].shape[:2]
    n_columns = min(n_columns, len(rows))
    n_lines = -(-len(rows) // n_columns)
    figure = new_figure(max(2.6 * n_columns * width / height, 4), 3.1 * n_lines + 0.3, title)
    grid = figure.subplots(n_lines, n_columns, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.set_axis_off()
    texts = []
    for axes, row, picture in zip(grid.flat, rows, pictures, strict=False):
        axes.imshow(picture)
        color = "black" if score.predicted[row] == score.truth[row] else ORANGE
        text = axes.set_title(_words(score, row, 1), fontsize=8, color=color, loc="left", parse_math=False)
        texts.append(text)
    lay_out(figure)
    for axes in grid.flat:
        axes.apply_aspect()  # photos are narrower than the room that they were given
    for axes, row, text in zip(grid.flat, rows, texts, strict=False):
        fit(text, 1.05 * axes.get_window_extent().width, partial(_words, score, row))
    return figure


def _words(score: TestScore, row: int, n_characters: int) -> str:
    truth, answer = score.truth[row], score.predicted[row]
    actual, predicted = (shorten(score.classes[number], n_characters) for number in (truth, answer))
    message = plot_messages.RIGHT_ANSWER if truth == answer else plot_messages.WRONG_ANSWER
    return message.format(actual=actual, predicted=predicted, confidence=score.probabilities[row].max())
