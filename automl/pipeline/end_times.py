"""How long the end of a run will take: exports, test, plots and packing, from what was measured so far."""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from automl.evaluation.other_pictures import N_PICTURES
from automl.models.measured import keep_figure, kept_figures
from automl.pipeline.pace import Pace
from automl.search.budget import Budget
from automl.search.candidate import Branch, Candidate
from automl.search.frozen import FrozenFeatures
from automl.search.relative_times import processors

PLOTS_AND_PACKING_S = 6.0
EXPLAIN_S = 12.0
"""Heat maps take about so long on two processors; where there is less time, they are left out."""

DISTANCE_S = 0.5
"""Of a thousand photos and five networks."""

_EXPLAINED_FROM_S = 300.0  # of a shorter run, time for them is only what the search leaves
_N_PLOTTED = 12
_MORE_FOR_EACH_BACKBONE = 0.8  # most of the time goes into building each network for `model.keras`, twice
_KERAS_TOO = 4.0  # writing and reading both files again takes this much longer than only model.onnx
_LOAD_TENSORFLOW_S = 8.0
_TUNED_EXPORT_S = 20.0  # a first guess: converting a network that has weights of its own
_START_TEST_S = 1.0  # loading the networks again
_ANSWER_S = 5e-5  # repeating the selection in every bootstrap, for each answer of each trial
_SAFETY = 1.3
_LEAST_CORRECTED, _MOST_CORRECTED = 0.5, 3.0  # a strange run must not make the next ones keep far too little or much
_SAFETY_WHERE_KNOWN, _SPARE_S = 1.1, 2.0
_SMALL_SHARE = 0.03  # of the time: what scoring the first model too may take from the search


class Part(StrEnum):
    """A part of the end of a run, whose seconds are kept for the next runs on the machine."""

    DISTANCE = "distances of photos"
    EXPORT = "both files of the model"
    TEST = "the test"
    MAPS = "heat maps"
    REST = "plots and packing"


class EndTimes:
    """Foresees the seconds of each part of the end: what it takes in quiet moments, times how busy the machine is now.

    What was measured in this run gives the first guess. How many times as long each part really took, in the last runs
    on this machine, corrects it.

    Attributes:
        may_be_tuned: whether the model that is delivered may have fine-tuned weights.
        most_branches: so many networks the delivered model may run, as a mean of others than the best; 0 where it is
            the best one that is delivered.
        n_trials: trials so far, which the model is chosen from.

    Args:
        features: measure the latency of each backbone.
        n_test: number of test photos.
        pace: says how busy the machine is.
        kept: the file of what was measured about this machine.
        n_answers: held-out answers of each trial that give the score where there is no test set; 0 for a test set.
    """

    def __init__(
        self, features: FrozenFeatures, *, n_test: int, budget: Budget, pace: Pace, kept: Path, n_answers: int = 0
    ) -> None:
        self._features, self._n_test, self._budget, self._pace = features, n_test, budget, pace
        self._decode_s = 0.0
        self._export_s = 0.0
        self._tuned_export_s = _TUNED_EXPORT_S
        self._network_s: dict[Branch, float] = {}
        self._timed_s = 0.0
        self.may_be_tuned = False
        self.most_branches = 0
        self.n_trials, self._n_answers = 0, n_answers
        self._kept = kept
        self._corrections = {part: _correction(kept_figures(_question(part), kept)) for part in Part}

    def learn_decoding(self, took_s: float, n_photos: int) -> None:
        """Takes how long decoding some photos took."""
        self._decode_s = took_s / n_photos / self._pace.slowness()

    def learn_export(self, candidate: Candidate, took_s: float, *, with_keras: bool) -> None:
        """Takes how long packing a model took."""
        weight, quiet_s = _weight(len(candidate.branches), with_keras=with_keras), took_s / self._pace.slowness()
        if not candidate.is_tuned:
            self._export_s = quiet_s / weight
        else:
            # It takes less where the network had been converted before; the next one will not have been.
            self._tuned_export_s = max(self._tuned_export_s, quiet_s - self._export_s * weight)

    @contextmanager
    def timed(self, part: Part, winner: Candidate, *, first: Candidate | None = None) -> Iterator[None]:
        """Times a part of the end of this run, of which the next runs learn. A part inside another is not of that one.

        Nothing is learned in the first run on a machine: nobody knows yet whether it was busy.

        Args:
            winner: the model that is delivered.
            first: the first model, where it is tested too.
        """
        guess_s = self._guesses_s(winner)[part] + (0.0 if first is None else self._test_s(first))
        slowness, began_s, inner_s = self._pace.slowness(), self._budget.elapsed_s, self._timed_s
        yield
        took_s = self._budget.elapsed_s - began_s - (self._timed_s - inner_s)
        self._timed_s += took_s
        slowness = (slowness + self._pace.slowness()) / 2
        if self._pace.is_known and guess_s > 0:  # nothing was exported before, where no model could be packed
            times_as_long = took_s / slowness / guess_s
            keep_figure(_question(part), min(max(times_as_long, _LEAST_CORRECTED), _MOST_CORRECTED), self._kept)

    def pack_s(self, candidate: Candidate, *, with_keras: bool) -> float:
        """Seconds of packing a model while the search goes on."""
        tuned_s = self._tuned_export_s if candidate.is_tuned else 0.0
        quiet_s = self._export_s * _weight(len(candidate.branches), with_keras=with_keras) + tuned_s
        return self._pace.slowness() * quiet_s

    def end_s(self, best: Candidate, first: Candidate | None, *, loading_s: float | None) -> float:
        """Seconds that export, test, plots and packing may take at the end.

        That the best model is packed already does not shorten the end: what may still win must be exported, be it a
        better head, the best one once it has learned from all photos, or its mean with another.

        Args:
            first: the first model that was found, which is tested too where that is quick.
            loading_s: seconds that loading TensorFlow has taken so far; None once it is loaded.
        """
        n_more = 1 if self.may_be_tuned and len(best.heads) == 1 else 0
        guesses_s = self._guesses_s(
            best, n_branches=max(len(best.branches), self.most_branches) + n_more, may_be_tuned=self.may_be_tuned
        )
        if first is not None and self._is_quick(first):
            guesses_s[Part.TEST] += self._test_s(first)
        if self._budget.total_s < _EXPLAINED_FROM_S:
            guesses_s[Part.MAPS] = 0.0
        slowness = self._pace.slowness()
        # What has taken long already may take as long again.
        wait_s = 0.0 if loading_s is None else _SAFETY * max(slowness * _LOAD_TENSORFLOW_S, loading_s)
        return wait_s + slowness * sum(self._corrected_s(part, guess) for part, guess in guesses_s.items()) + _SPARE_S

    def drawing_s(self, winner: Candidate) -> float:
        """Seconds of everything from the heat maps on."""
        guesses_s, parts = self._guesses_s(winner), (Part.MAPS, Part.REST)
        return self._pace.slowness() * sum(self._corrected_s(part, guesses_s[part]) for part in parts)

    def has_time_for_first(self, first: Candidate, winner: Candidate) -> bool:
        """Whether the first model can be tested beside the winner: that is quick, or the search has left time."""
        test_s = self._corrected_s(Part.TEST, self._test_s(winner) + self._test_s(first))
        rest_s = self._corrected_s(Part.REST, PLOTS_AND_PACKING_S)
        left_s = self._budget.total_s - self._budget.elapsed_s
        return self._is_quick(first) or left_s > self._pace.slowness() * (test_s + rest_s)

    def _guesses_s(
        self, best: Candidate, *, n_branches: int | None = None, may_be_tuned: bool | None = None
    ) -> dict[Part, float]:
        """Seconds of each part in quiet moments, before correction.

        Args:
            n_branches: networks that are exported; None for those of `best`.
            may_be_tuned: whether a fine-tuned network is exported; None where `best` says it.
        """
        export_s = self._export_s * _weight(n_branches or len(best.branches), with_keras=True)
        if best.is_tuned if may_be_tuned is None else may_be_tuned:
            export_s += self._tuned_export_s
        return {
            Part.DISTANCE: DISTANCE_S,
            Part.EXPORT: export_s,
            Part.TEST: _START_TEST_S + self._test_s(best) + _ANSWER_S * self.n_trials * self._n_answers,
            Part.MAPS: EXPLAIN_S,
            Part.REST: PLOTS_AND_PACKING_S + N_PICTURES * self._one_s(best) + _N_PLOTTED * self._decode_s,
        }

    def _corrected_s(self, part: Part, guess_s: float) -> float:
        correction = self._corrections[part]
        return guess_s * (_SAFETY if correction is None else _SAFETY_WHERE_KNOWN * correction)

    def _is_quick(self, first: Candidate) -> bool:
        """Whether testing the first model takes a small part of the time."""
        return self._pace.slowness() * self._test_s(first) <= _SMALL_SHARE * self._budget.total_s

    def _test_s(self, candidate: Candidate) -> float:
        """Seconds of a model for the test photos, decoding included: each model may need a size of its own."""
        return self._n_test * (self._decode_s + self._one_s(candidate))

    def _one_s(self, candidate: Candidate) -> float:
        """Seconds of a model for one photo."""
        for one in candidate.branches:
            if one not in self._network_s:  # the network was timed a moment ago
                self._network_s[one] = self._features.latency_s(one.backbone, one.image_size_px) / self._pace.slowness()
        return sum(self._network_s[one] for one in candidate.branches)


def _question(part: Part) -> str:
    return f"times as long as guessed, {part.value}, on {processors()}"


def _correction(figures: Sequence[float]) -> float | None:
    """The middle one, the larger of two; None where nothing is known."""
    return statistics.median_high(figures) if figures else None


def _weight(n_branches: int, *, with_keras: bool) -> float:
    """How much longer an export takes than that of a single backbone to `model.onnx`."""
    return (1 + _MORE_FOR_EACH_BACKBONE * (n_branches - 1)) * (_KERAS_TOO if with_keras else 1.0)
