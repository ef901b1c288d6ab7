"""Choosing the delivered model by the held-out answers of all trials, which also test it where there is no test set.

A trial takes part only with an answer to every photo that is held out, in every repeat of the cross-validation: one
that was pruned, or fine-tuned in some of the folds, would be compared, and tested, on photos that suit it.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automl.models.head.settings import Targets
from automl.search.candidate import Candidate, is_scored
from automl.search.costs import ModelCosts
from automl.search.objective import Objective
from automl.search.selection import AskedPhotos, TrialAnswers, parts_of
from automl.search.space import is_recipe

_MOST_BYTES = 500_000_000


class AnsweredTrials:
    """The models that have answered for every photo.

    Where they take too much memory, those with the highest loss are dropped: never the recipe, which the selection
    starts from, and never the best one that keeps the limits.

    Attributes:
        candidates: in the order of their trials, without `fold_layers`.

    Args:
        targets: labels and folds of the photos.
        groups: int (n_rows,), photos that are copies or frames of each other share a number.
        objective: says which models may be delivered.
    """

    def __init__(self, targets: Targets, groups: np.ndarray, objective: Objective) -> None:
        self._rows = np.flatnonzero(targets.scored)
        self._targets, self._groups, self._objective = targets, groups, objective
        self.candidates: list[Candidate] = []

    @property
    def photos(self) -> AskedPhotos:
        """Those that every model has answered for."""
        return self._asked(self._rows)

    @property
    def n_branches(self) -> int:
        """The most networks that a mean of these models can run: those of one input size side by side."""
        branches = {branch for one in self.candidates for branch in one.branches}
        return max(Counter(branch.image_size_px for branch in branches).values(), default=0)

    def offer(self, candidate: Candidate) -> bool:
        """Takes a model, if it has all answers, and returns whether it has.

        One with the number of an earlier one replaces it.
        """
        if not self.is_complete(candidate):
            return False
        others = [one for one in self.candidates if one.number != candidate.number]
        self.candidates = sorted([*others, replace(candidate, fold_layers=())], key=lambda one: one.number)
        while sum(map(_n_bytes, self.candidates)) > _MOST_BYTES and (droppable := self._droppable()):
            worst = max(droppable, key=lambda one: one.loss)
            self.candidates = [one for one in self.candidates if one is not worst]
        return True

    def _droppable(self) -> list[Candidate]:
        best = min(filter(self._objective.allows, self.candidates), key=lambda one: one.loss, default=None)
        return [one for one in self.candidates if one is not best and not is_recipe(one.params)]

    def is_complete(self, candidate: Candidate) -> bool:
        """Whether it has an answer to every photo in every repeat."""
        answered = is_scored(candidate.held_out_logits)
        return len(answered) == self._targets.n_repeats and bool(answered[:, self._rows].all())

    def of_one_size(self, image_size_px: int, objective: Objective) -> list[Candidate]:
        """Those that learned from squares of one size, since a mean shows all of its parts the same square.

        image_size_px: the size that is wanted; another one is taken where only models of that keep the limits.
        """
        allowed = [one for one in self.candidates if objective.allows(one)] or self.candidates
        sizes = {one.image_size_px for one in allowed}
        size = image_size_px if image_size_px in sizes else max(sizes, default=image_size_px)
        return [one for one in self.candidates if one.image_size_px == size]

    def answers(self, candidates: Sequence[Candidate], costs: ModelCosts) -> TrialAnswers:
        """What some of the models said of the photos. costs: say what each part of a model costs."""
        return TrialAnswers(
            numbers=tuple(one.number for one in candidates),
            logits=np.stack([one.held_out_logits[:, self._rows] for one in candidates]),
            parts=parts_of(candidates, costs),
            recipe=_recipe_places(candidates),
        )

    def common(
        self, chosen: Candidate, others: Sequence[Candidate], costs: ModelCosts
    ) -> tuple[TrialAnswers, AskedPhotos]:
        """The answers of a model and of others that may join it, to the photos of the first repeat that all answered.

        The selection starts from `chosen`.
        """
        candidates = [chosen, *others]
        rows = np.flatnonzero(np.all([is_scored(one.held_out_logits[:1])[0] for one in candidates], axis=0))
        answers = TrialAnswers(
            numbers=tuple(one.number for one in candidates),
            logits=np.stack([one.held_out_logits[:1, rows] for one in candidates]),
            parts=parts_of(candidates, costs),
            recipe=((0,),),
        )
        return answers, self._asked(rows)

    def _asked(self, rows: np.ndarray) -> AskedPhotos:
        return AskedPhotos(
            labels=self._targets.labels[rows],
            groups=np.unique(self._groups[rows], return_inverse=True)[1],
            n_classes=self._targets.n_classes,
        )


def _n_bytes(candidate: Candidate) -> int:
    return candidate.held_out_logits.nbytes + sum(head.n_bytes for head in candidate.heads)


def _recipe_places(candidates: Sequence[Candidate]) -> tuple[tuple[int, ...], ...]:
    """The models that are the recipe, those on the fewest networks first, those on equally many together."""
    by_number: defaultdict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(candidates):
        if is_recipe(one.params):
            by_number[len(one.backbones)].append(place)
    return tuple(tuple(by_number[n]) for n in sorted(by_number))
