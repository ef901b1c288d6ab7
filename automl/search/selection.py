"""The whole selection, from held-out answers to a model: which trials take part, how sure it is, and when it says so.

Of many trials on few photos the best one is mostly lucky. So the selection starts from a fixed recipe and moves away
only on evidence that beats its own noise. The model is a mean of members, all of which are the recipe at first. As in
the greedy selection of Caruana, Niculescu-Mizil, Crew and Ksikes ("Ensemble Selection from Libraries of Models", 2004),
a trial joins in each round that lowers the log loss of the mean most, and it may join again; here it takes the place of
one member that is still the recipe. It must lower the loss by several standard errors, measured between groups of
photos, and by more of them where there are few.

Everything is a function of weights, how often each group of photos counts, so that a bootstrap repeats exactly this
selection (`automl.evaluation.bias_corrected`). Ensembles that several bootstraps arrive at are looked at once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from automl.models.head.network import cross_entropy
from automl.records import Goal
from automl.search.candidate import Candidate
from automl.search.confidence import best_temperature, confidence_of, sure_threshold
from automl.search.costs import ModelCost, ModelCosts
from automl.search.objective import Objective

N_MEMBERS = 10
"""Of the mean; so many trials can take the place of the recipe."""

_FEWEST_ERRORS, _ERRORS_OF_ONE = 2.0, 20.0
_N_SHORTLISTED = 8
_SMALLEST_EXPONENT = -40.0  # so that the product of two exponentials is a normal float32
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParts:
    """What the models of some trials are made of, so that size and speed of any mean of them are known at once.

    A part is a network at one input size, or a head. Heads that merge into one when they are averaged, linear ones on
    the same features, are one part.

    Attributes:
        uses: bool (n_trials, n_parts), which parts each trial needs.
        n_bytes: float (n_parts,), the size of each part in the model file.
        latency_s: float (n_parts,), seconds that each part takes for one photo.
    """

    uses: np.ndarray
    n_bytes: np.ndarray
    latency_s: np.ndarray

    def allowed_beside(self, used: np.ndarray, objective: Objective) -> np.ndarray:
        """bool (n_trials,): which trials may join a model of the parts `used`, bool (n_parts,), within the limits."""
        further = np.where(used, 0.0, (self.n_bytes, self.latency_s))
        costs = self.uses.astype(float) @ further.T + (self.n_bytes @ used, self.latency_s @ used)
        return objective.allows_each(costs[:, 0], costs[:, 1])

    def allowed(self, objective: Objective) -> np.ndarray:
        """bool (n_trials,): which trials keep the limits; all of them where none does, as something is delivered."""
        allowed = self.allowed_beside(np.zeros(self.uses.shape[1], bool), objective)
        return allowed if allowed.any() else np.ones_like(allowed)


def parts_of(candidates: Sequence[Candidate], costs: ModelCosts) -> ModelParts:
    """What these models are made of. A linear head is one part with all linear heads on the same features."""
    needed = [dict(_parts_of_one(candidate, costs)) for candidate in candidates]
    parts = {key: cost for one in needed for key, cost in one.items()}
    return ModelParts(
        uses=np.array([[key in one for key in parts] for one in needed]),
        n_bytes=np.array([cost.n_bytes for cost in parts.values()], float),
        latency_s=np.array([cost.latency_s for cost in parts.values()]),
    )


def _parts_of_one(candidate: Candidate, costs: ModelCosts) -> Iterator[tuple[object, ModelCost]]:
    for branch in candidate.branches:
        yield branch, costs.of([branch], 0)
    for place, head in enumerate(candidate.heads):
        is_linear = len(head.layers) == 1
        yield replace(head, layers=()) if is_linear else (candidate.number, place), ModelCost(head.n_bytes, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnswers:
    """The held-out answers of the trials that may be chosen from.

    Attributes:
        numbers: of the trials, in the order of `logits`.
        logits: float32 (n_trials, n_repeats, n_rows, n_classes), without gaps: only trials that answered for every
            photo in every repeat, and only photos that are held out.
        parts: what the trials' models are made of.
        recipe: places of the trials that are the recipe, those on one network first, then those on more networks side
            by side. The selection starts from those on the most networks that keep the limits; of several, each bag
            takes the one with the lowest log loss. Empty where the recipe was not tried.
    """

    numbers: tuple[int, ...]
    logits: np.ndarray
    parts: ModelParts
    recipe: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPhotos:
    """The photos that the answers are about.

    Attributes:
        labels: int (n_rows,), 0 <= label < n_classes.
        groups: int (n_rows,), 0 to the number of groups: photos that are copies or frames of each other share one.
        n_classes: the number of classes.
    """

    labels: np.ndarray
    groups: np.ndarray
    n_classes: int

    @property
    def n_groups(self) -> int:
        return int(self.groups.max()) + 1

    def sums(self, values: np.ndarray) -> np.ndarray:
        """float64 (n, n_groups): the sum of the values of each group's photos. values: float (n, n_rows)."""
        keys = self.groups + self.n_groups * np.arange(len(values))[:, None]
        sums = np.bincount(keys.ravel(), weights=values.ravel(), minlength=self.n_groups * len(values))
        return sums.reshape(len(values), self.n_groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedModel:
    """What is delivered.

    Attributes:
        weights: the number of each trial that takes part and its share of the logits; the shares sum up to 1.
        temperature: the number that the logits of their mean are divided by.
        threshold: the calibrated confidence from which on an answer counts as sure; None where no answer does.
    """

    weights: tuple[tuple[int, float], ...]
    temperature: float
    threshold: float | None


def select(
    answers: TrialAnswers, photos: AskedPhotos, objective: Objective, *, errors: float | None = None
) -> SelectedModel:
    """The selection by all photos, each counted once.

    errors: by how many standard errors a trial must lower the log loss; None for what `needed_errors` says, where
        many trials may be chosen from.
    """
    bag = np.ones((1, photos.n_groups))
    needed = needed_errors(bag.sum(axis=1)) if errors is None else np.array([errors])
    (counts,) = _Growth(answers, photos, objective, bag, needed).grown()
    temperature, threshold = calibrated(mean_answers(answers, counts), photos.labels, np.ones(len(photos.labels)))
    shares = counts / counts.sum()
    weights = tuple((answers.numbers[place], float(shares[place])) for place in np.flatnonzero(counts))
    return SelectedModel(weights=weights, temperature=temperature, threshold=threshold)


def mean_answers(answers: TrialAnswers, counts: np.ndarray) -> np.ndarray:
    """float32 (n_repeats, n_rows, n_classes): the logits of an ensemble. counts: int (n_trials,), of its members."""
    places = np.flatnonzero(counts)
    shares = (counts[places] / counts.sum()).astype(np.float32)
    return np.asarray(np.tensordot(shares, answers.logits[places], axes=1))


def needed_errors(n_groups: np.ndarray) -> np.ndarray:
    """By how many standard errors a trial must lower the log loss, if so many groups of photos tell.

    The best of a hundred trials that are worth nothing lowers it by two or three. Of few photos the standard error
    itself is badly known, and trials that are better on these are often not better on others: chosen on the training
    photos of `bench.small_sets`, where 2 were enough for hundreds of photos and 3 were needed for twenty.
    """
    return np.asarray(_FEWEST_ERRORS + _ERRORS_OF_ONE / np.maximum(n_groups, 1))


def calibrated(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float | None]:
    """The temperature, and the calibrated confidence from which on an answer counts as sure; None where none does.

    Args:
        logits: float (n_repeats, n_rows, n_classes), a model's held-out answers.
        labels: int (n_rows,).
        weights: float (n_rows,), how often each photo counts.
    """
    rows = np.flatnonzero(weights)
    flat = logits[:, rows].reshape(-1, logits.shape[-1])
    own, weight = (np.tile(values[rows], len(logits)) for values in (labels, weights))
    n_photos = float(weights.sum())
    temperature = best_temperature(flat, own, n_photos=n_photos, weights=weight)
    is_right = flat.argmax(axis=1) == own
    threshold = sure_threshold(confidence_of(flat, temperature), is_right, n_photos=n_photos, weights=weight)
    return temperature, threshold


def chosen_counts(answers: TrialAnswers, photos: AskedPhotos, objective: Objective, weights: np.ndarray) -> np.ndarray:
    """Which trials form the ensemble by each row of weights, and how often: int (n_bags, n_trials).

    Args:
        answers: of the trials.
        photos: that they are about.
        objective: the goal and the limits. For balanced accuracy each class weighs the same in the log loss.
        weights: float (n_bags, n_groups), how often each group of photos counts.
    """
    return _Growth(answers, photos, objective, weights, needed_errors(weights.sum(axis=1))).grown()


@dataclass(frozen=True, slots=True)
class _Member:
    """What a trial brings into a mean whose member it becomes.

    Attributes:
        exponentials: float32 (n_classes, n_answers), of its share of the mean's logits, shifted by the largest one.
        others: float32 (n_answers,), that shift less its share of the true class's logit.
    """

    exponentials: np.ndarray
    others: np.ndarray


class _Growth:
    """One ensemble for each bag, all of them grown together.

    Args: those of `chosen_counts`, and
        needed: float (n_bags,), by how many standard errors a trial must lower the log loss.
    """

    def __init__(
        self,
        answers: TrialAnswers,
        photos: AskedPhotos,
        objective: Objective,
        weights: np.ndarray,
        needed: np.ndarray,
    ) -> None:
        self._answers, self._photos, self._objective, self._weights = answers, photos, objective, weights
        self._scale = _photo_weights(photos, objective.goal)
        self._group_scale = photos.sums(self._scale[None])[0]
        self._totals = weights @ self._group_scale
        self._allowed = answers.parts.allowed(objective)
        self._needed = needed
        self._own = np.tile(photos.labels, answers.logits.shape[1])
        self._shortlisted: frozenset[int] = frozenset()
        self._kept: dict[int, _Member] = {}

    def grown(self) -> np.ndarray:
        counts, starts = self._starts()
        shortlists = np.tile(self._allowed, (len(counts), 1))
        growing = np.arange(len(counts))
        for round_number in range(N_MEMBERS):
            gains, errors = self._gains(counts, starts, shortlists, growing)
            sure_gains = gains - self._needed[growing, None] * errors
            if round_number == 0:
                shortlists &= _largest(gains, _N_SHORTLISTED)
                self._shortlisted = frozenset(np.flatnonzero(shortlists.any(axis=0)).tolist())
            best = sure_gains.argmax(axis=1)
            joins = sure_gains[np.arange(len(growing)), best] > _TINY
            growing, best = growing[joins], best[joins]
            counts[growing, best] += 1
            counts[growing, starts[growing]] -= 1
            if not len(growing):
                break
        return counts

    def _starts(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each bag starts: at a recipe on the most networks, or at any trial where none is within the limits.

        Of several, the one with the lowest log loss is taken.

        Returns:
            int (n_bags, n_trials), how often each trial is a member, and int (n_bags,), which one it is.
        """
        n_trials = len(self._answers.numbers)
        recipes = [[place for place in places if self._allowed[place]] for places in self._answers.recipe]
        of_most_networks = next((places for places in reversed(recipes) if places), np.flatnonzero(self._allowed))
        places = np.asarray(of_most_networks)
        losses = self._weights @ self._group_sums(self._losses(places)).T
        starts = places[losses.argmin(axis=1)]
        return N_MEMBERS * (np.arange(n_trials) == starts[:, None]), starts

    def _gains(
        self, counts: np.ndarray, starts: np.ndarray, shortlists: np.ndarray, growing: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """By how much each trial lowers the log loss of each growing bag, and its standard error.

        Returns:
            float64 (n_growing, n_trials) each; a trial that may not join has the gain -inf.
        """
        gains = np.full((len(growing), counts.shape[1]), -np.inf)
        errors = np.zeros_like(gains)
        for here in _alike(np.column_stack([counts[growing], starts[growing]])):
            bags = growing[here]
            own, start = counts[bags[0]], int(starts[bags[0]])
            may_join = shortlists[bags] & self._may_join(own)
            trials = np.flatnonzero(may_join.any(axis=0))
            if not len(trials):
                continue
            gain, error = self._measured(self._group_sums(self._lowered(own, start, trials)), bags)
            gains[np.ix_(here, trials)] = np.where(may_join[:, trials], gain, -np.inf)
            errors[np.ix_(here, trials)] = error
        return gains, errors

    def _may_join(self, counts: np.ndarray) -> np.ndarray:
        used = np.asarray(self._answers.parts.uses[counts > 0].any(axis=0))
        return self._answers.parts.allowed_beside(used, self._objective)

    def _lowered(self, counts: np.ndarray, start: int, trials: np.ndarray) -> np.ndarray:
        """float (len(trials), n_rows): by how much each trial lowers the loss of each photo in place of `start`."""
        others = mean_answers(self._answers, counts) - self._answers.logits[start] / np.float32(N_MEMBERS)
        exponentials, _ = _exponentials(self._by_class(others))
        before = self._loss_beside(exponentials, start)
        lowered = [before - self._loss_beside(exponentials, trial) for trial in trials.tolist()]
        return np.asarray(np.stack(lowered).reshape(len(trials), *others.shape[:-1]).mean(axis=1))

    def _loss_beside(self, exponentials: np.ndarray, trial: int) -> np.ndarray:
        """float32 (n_answers,): the loss of each answer of a mean, but for what is the same whichever trial joins.

        The exponential of a sum is a product: so each trial costs one product of matrices instead of an exponential of
        every logit. exponentials: float32 (n_classes, n_answers), of the other members.
        """
        member = self._kept.get(trial) or self._member(trial)
        if trial in self._shortlisted:
            self._kept[trial] = member
        return np.asarray(np.log(np.einsum("ca,ca->a", exponentials, member.exponentials)) + member.others)

    def _member(self, trial: int) -> "_Member":
        shares = self._by_class(self._answers.logits[trial]) / np.float32(N_MEMBERS)
        exponentials, largest = _exponentials(shares)
        return _Member(exponentials, largest - shares[self._own, np.arange(shares.shape[1])])

    def _by_class(self, logits: np.ndarray) -> np.ndarray:
        """float32 (n_classes, n_answers). logits: (n_repeats, n_rows, n_classes)."""
        return np.ascontiguousarray(logits.reshape(-1, logits.shape[-1]).T)

    def _losses(self, trials: np.ndarray) -> np.ndarray:
        """float (len(trials), n_rows): the loss of each trial alone, its mean over the repeats."""
        labels = np.broadcast_to(self._photos.labels, self._answers.logits.shape[1:-1])
        return np.stack([cross_entropy(self._answers.logits[trial], labels).mean(axis=0) for trial in trials])

    def _group_sums(self, values: np.ndarray) -> np.ndarray:
        """float64 (n, n_groups), each photo as its class weighs."""
        return self._photos.sums(values * self._scale)

    def _measured(self, lowered: np.ndarray, bags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard error over each bag, float64 (len(bags), n) each. lowered: float64 (n, n_groups)."""
        weights, totals, sizes = self._weights[bags], self._totals[bags, None], self._group_scale
        mean = weights @ lowered.T / totals
        squares = weights @ np.square(lowered).T - 2 * mean * (weights @ (lowered * sizes).T)
        squares += np.square(mean) * (weights @ np.square(sizes))[:, None]
        n = np.maximum(weights.sum(axis=1, keepdims=True), 2)
        return mean, np.sqrt(np.maximum(squares, 0) * (n / (n - 1))) / totals


def _exponentials(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exponentials of (n_classes, n_answers), shifted by the largest logit of each answer; and these, (n_answers,)."""
    largest = logits.max(axis=0)
    return np.exp(np.maximum(logits - largest, np.float32(_SMALLEST_EXPONENT))), largest


def _photo_weights(photos: AskedPhotos, goal: Goal) -> np.ndarray:
    """float64 (n_rows,), the mean is 1: how much each photo weighs in the log loss."""
    if goal is not Goal.BALANCED_ACCURACY:
        return np.ones(len(photos.labels))
    n_images = np.bincount(photos.labels, minlength=photos.n_classes)
    return np.asarray(len(photos.labels) / (n_images > 0).sum() / n_images[photos.labels])


def _largest(values: np.ndarray, n: int) -> np.ndarray:
    """bool, the shape of `values`: the `n` largest ones of each row."""
    if values.shape[1] <= n:
        return np.ones(values.shape, bool)
    return np.asarray(values >= np.partition(values, -n, axis=1)[:, -n, None])


def _alike(counts: np.ndarray) -> Iterator[np.ndarray]:
    """For each different row of counts the places where it stands."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(counts):
        places[row.tobytes()].append(place)
    return (np.array(rows) for rows in places.values())
