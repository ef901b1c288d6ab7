"""How long the end of a run will take: exports, test, plots and packing, from what was measured so far."""

from automl.evaluation.other_pictures import N_PICTURES
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.frozen import FrozenFeatures

PLOTS_AND_PACKING_S = 6.0
EXPLAIN_S = 12.0
"""Heat maps take about so long on two processors; where there is less time, they are left out."""

_EXPLAINED_FROM_S = 300.0  # of a shorter run, time for them is only what the search leaves
_N_PLOTTED = 12
_MORE_FOR_EACH_BACKBONE = 0.8  # most of the time goes into building each network for `model.keras`, twice
_KERAS_TOO = 4.0  # writing and reading both files again takes this much longer than only model.onnx
_LOAD_TENSORFLOW_S = 8.0
_USUAL_START_S = 2.5  # what starting the process of a run took where the figures above were measured
_TUNED_EXPORT_S = 20.0  # a first guess: converting a network that has weights of its own
_ANSWER_S = 5e-5  # repeating the selection in every bootstrap, for each answer of each trial
DISTANCE_S = 1.5  # of a thousand photos and five networks, for each of the models that may be delivered
_SAFETY = 1.3
_SMALL_SHARE = 0.03  # of the time: what scoring the first model too may take from the search


class EndTimes:
    """Foresees seconds from the exports and the decoding that were measured.

    Attributes:
        may_be_tuned: whether the model that is delivered may have fine-tuned weights.
        most_branches: so many networks the delivered model may run, as a mean of others than the best; 0 where it is
            the best one that is delivered.
        n_trials: trials so far, which the model is chosen from.

    Args:
        features: measure the latency of each backbone.
        n_test: number of test photos.
        n_answers: held-out answers of each trial that give the score where there is no test set; 0 for a test set.
        start_s: seconds that starting this process took: on a machine that is slow, busy, or has not yet read the
            libraries from its disk, loading TensorFlow and drawing take longer as well. 0 where it is not known.
    """

    def __init__(
        self, features: FrozenFeatures, *, n_test: int, budget: Budget, n_answers: int = 0, start_s: float = 0.0
    ) -> None:
        self._features, self._n_test, self._budget = features, n_test, budget
        self._decode_s = 0.0
        self._export_s = 0.0
        self._tuned_export_s = _TUNED_EXPORT_S
        self.may_be_tuned = False
        self.most_branches = 0
        self.n_trials, self._n_answers = 0, n_answers
        self._slowness = slowness(start_s)

    def learn_decoding(self, took_s: float, n_photos: int) -> None:
        """Takes how long decoding some photos took."""
        self._decode_s = took_s / n_photos

    def learn_export(self, candidate: Candidate, took_s: float, *, with_keras: bool) -> None:
        """Takes how long packing a model took."""
        weight = _weight(len(candidate.branches), with_keras=with_keras)
        if not candidate.is_tuned:
            self._export_s = took_s / weight
        else:
            # It takes less where the network had been converted before; the next one will not have been.
            self._tuned_export_s = max(self._tuned_export_s, took_s - self._export_s * weight)

    def pack_s(self, candidate: Candidate, *, with_keras: bool) -> float:
        """Seconds of packing a model while the search goes on."""
        tuned_s = self._tuned_export_s if candidate.is_tuned else 0.0
        return self._export_s * _weight(len(candidate.branches), with_keras=with_keras) + tuned_s

    def end_s(self, best: Candidate, first: Candidate | None, *, loading_s: float | None) -> float:
        """Seconds that export, test, plots and packing may take at the end.

        That the best model is packed already does not shorten the end: what may still win must be exported, be it a
        better head, the best one once it has learned from all photos, or its mean with another.

        Args:
            first: the first model that was found, which is tested too where that is quick.
            loading_s: seconds that loading TensorFlow has taken so far; None once it is loaded.
        """
        n_more = 1 if self.may_be_tuned and len(best.heads) == 1 else 0
        n_branches = max(len(best.branches), self.most_branches) + n_more
        export_s = self._export_s * _weight(n_branches, with_keras=True)
        if loading_s is not None:
            # What has taken long already may take as long again.
            export_s += max(self._slowness * _LOAD_TENSORFLOW_S, loading_s)
        if self.may_be_tuned:
            export_s += self._tuned_export_s
        distance_s = DISTANCE_S + N_PICTURES * self._network_s(best)
        test_s = self._test_s(best) + distance_s + _ANSWER_S * self.n_trials * self._n_answers
        if self._is_quick(first):
            test_s += self._test_s(first)
        drawing_s = PLOTS_AND_PACKING_S + (EXPLAIN_S if self._budget.total_s >= _EXPLAINED_FROM_S else 0.0)
        return _SAFETY * (export_s + test_s + self._slowness * drawing_s + _N_PLOTTED * self._decode_s)

    def has_time_for_first(self, first: Candidate, winner: Candidate) -> bool:
        """Whether the first model can be tested beside the winner: that is quick, or the search has left time."""
        needed_s = self._test_s(winner) + self._test_s(first)
        left_s = self._budget.total_s - self._budget.elapsed_s
        return self._is_quick(first) or left_s > _SAFETY * (needed_s + PLOTS_AND_PACKING_S)

    def _is_quick(self, first: Candidate | None) -> bool:
        """Whether testing the first model takes a small part of the time."""
        return self._test_s(first) <= _SMALL_SHARE * self._budget.total_s

    def _test_s(self, candidate: Candidate | None) -> float:
        """Seconds of a model for the test photos, decoding included: each model may need a size of its own."""
        if candidate is None:
            return 0.0
        return self._n_test * (self._decode_s + self._network_s(candidate))

    def _network_s(self, candidate: Candidate) -> float:
        """Seconds of a model for one photo."""
        return sum(self._features.latency_s(one.backbone, one.image_size_px) for one in candidate.branches)


def slowness(start_s: float) -> float:
    """How many times as long as usual the libraries take here, from what starting the process of the run took."""
    return max(1.0, start_s / _USUAL_START_S)


def _weight(n_branches: int, *, with_keras: bool) -> float:
    """How much longer an export takes than that of a single backbone to `model.onnx`."""
    return (1 + _MORE_FOR_EACH_BACKBONE * (n_branches - 1)) * (_KERAS_TOO if with_keras else 1.0)
