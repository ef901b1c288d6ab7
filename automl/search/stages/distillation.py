"""Distillation: the best networks side by side teach one small model, by answers to photos that they had not seen.

Where the user wants a small or fast model, this stage has its share of the time: networks that are too large or too
slow to be delivered may then still teach. Otherwise it is an extra, for the time that nothing else needs.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from automl.backbone_table import BACKBONES
from automl.records import USUAL_SIZE_PX, Stage
from automl.search.block import Block
from automl.search.budget import SearchOver
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.costs import ModelCosts
from automl.search.expectations import Expectations
from automl.search.frozen import FrozenFeatures
from automl.search.plan import FeaturePlan
from automl.search.soft_answers import FEWEST_FOLDS, SoftAnswers, held_out_answers, nested_answers
from automl.search.space import (
    LAST_TAP,
    MIRRORED_VIEW,
    PLAIN_VIEW,
    RECIPE,
    SEVERAL_TAPS,
    Params,
    SearchSpace,
    backbone_names,
    is_recipe,
)
from automl.search.stages.feature_blocks import FeatureBlocks
from automl.search.stages.head_trial import HeadTrial, head_settings, run_head_trials
from automl.search.stages.heads import SEVERAL_TAPS_FROM
from automl.search.trial_run import PlannedTrial, TrialControls
from automl.search.trials import Trials
from automl.text.messages import search as search_messages
from automl.text.numbers import percent

SOFT_SHARE, TEMPERATURE = 0.5, 1.0
"""Chosen on training photographs (docs/benchmarks.md): the answers alone cost a point on beans."""
SHARE_OF_TIME = 0.2
"""Of the time that is left, the most that this stage may take: it gains something now and then, and little."""
SHARE_OF_TRIALS = 0.2
"""Of a limit of trials, the most that are kept for this stage."""
MOST_TAUGHT = 2_000
"""Photos up to which the teachers of all folds are fitted in a few minutes."""

_MOST_TEACHERS = 3
_LEAST_FIT_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """Networks side by side with a regression on them.

    Attributes:
        blocks: the features that it sees.
        params: of the regression, as of a trial.
    """

    blocks: tuple[Block, ...]
    params: Params

    @property
    def title(self) -> str:
        """ "MobileNetV1 + EfficientNet-Lite2"."""
        return " + ".join(BACKBONES[block.backbone].title for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """What came of it.

    Attributes:
        student: the best model that was taught.
        direct: the best head on the same networks that learned from the classes alone.
        teacher: names of the networks that taught.
        teacher_score: the goal's value that these reach together on held-out photos, 0-1.
    """

    student: Candidate
    direct: Candidate
    teacher: tuple[str, ...]
    teacher_score: float


class DistillationStage:
    """Teaches small models.

    Attributes:
        distilled: what came of it; None as long as nothing was taught.

    Args:
        space: that of the heads, whose parameters the students have.
        expectations: what networks are expected to reach at an input size.
    """

    def __init__(
        self,
        context: SearchContext,
        *,
        features: FrozenFeatures,
        trials: Trials,
        costs: ModelCosts,
        space: Callable[[], SearchSpace],
        expectations: Callable[[int], Expectations],
    ) -> None:
        self._context, self._settings, self._budget = context, context.settings, context.budget
        self._features, self._trials, self._costs = features, trials, costs
        self._blocks = FeatureBlocks(context, features, trials)
        self._space, self._expectations = space, expectations
        self._kept_s = 0.0
        self.distilled: Distilled | None = None

    @property
    def has_limits(self) -> bool:
        """Whether the user wants a small or fast model."""
        objective = self._context.objective
        return objective.max_model_bytes is not None or objective.max_latency_s is not None

    def reserved_s(self, plan: FeaturePlan) -> float:
        """Seconds that are kept for this stage; 0 where it is an extra, has no time or nothing to teach."""
        if not self.has_limits or not self._budget.has_clock or not self._is_possible:
            return 0.0
        teacher = self._teacher(plan)
        mirrored = [replace(plan.blocks[0], mirrored=True)]
        self._kept_s = 0.0 if teacher is None else self._seconds([*teacher.blocks, *mirrored])
        return self._kept_s

    def trials_of(self, limit: int) -> int:
        """Of a limit of trials, those that are kept for this stage; 0 where it is an extra or not possible."""
        if not self.has_limits or not self._is_possible:
            return 0
        return min(2 * len(self._taps), round(SHARE_OF_TRIALS * limit))

    def run(self, plan: FeaturePlan) -> None:
        """Teaches, where there is a better teacher and time for it.

        Raises:
            SearchOver: the time is up.
        """
        if not self._is_possible or self._trials.is_at_limit or self._trials.models.is_perfect:
            return
        direct = self._best_alone()
        teacher = self._teacher(plan)
        if direct is None or teacher is None or _same_network(teacher, direct):
            if self.has_limits:
                self._context.observer.note(search_messages.NOTHING_WAS_TAUGHT)
            return
        if all(self._blocks.compute(block) for block in teacher.blocks):
            self._teach(teacher, direct)

    @property
    def _is_possible(self) -> bool:
        targets = self._context.targets
        return targets.n_folds >= FEWEST_FOLDS and self._context.n_photos <= MOST_TAUGHT

    def _teacher(self, plan: FeaturePlan) -> Teacher | None:
        """The strongest networks that there is time for; None where that is none."""
        most_s = self._most_s()
        size = self._size(plan)
        blocks: list[Block] = []
        for name in self._expectations(size).strongest(self._usable(size)):
            longer = [*blocks, Block(name, size)]
            if len(longer) <= _MOST_TEACHERS and (not self._budget.has_clock or self._seconds(longer) <= most_s):
                blocks = longer
        if not blocks:
            return None
        names = [name for name in self._features.backbones if Block(name, size) in blocks]
        return Teacher(
            blocks=tuple(Block(name, size) for name in names), params=self._params(names, size, self._taps[-1])
        )

    def _most_s(self) -> float:
        """An extra may take all that is left. Else it is a share, and what was kept for this stage."""
        left_s = self._budget.search_left_s
        return min(left_s, max(self._kept_s, SHARE_OF_TIME * left_s)) if self.has_limits else left_s

    def _size(self, plan: FeaturePlan) -> int:
        """An extra takes the features that are there; a small model may be taught by larger pictures than its own."""
        if not self.has_limits:
            return plan.main_px
        return max(plan.main_px, min(USUAL_SIZE_PX, self._settings.max_image_size_px or USUAL_SIZE_PX))

    def _usable(self, size: int) -> list[str]:
        names = [name for name in self._features.backbones if name not in self._trials.retired]
        available = self._features.available()
        return names if self.has_limits else [name for name in names if Block(name, size) in available]

    def _seconds(self, blocks: Sequence[Block]) -> float:
        """Foreseen for features that are missing, the teachers of all folds and the students."""
        missing = [block for block in blocks if block not in self._features.available()]
        decode_s = self._features.decode_seconds() if missing else 0.0
        n_fits = 1 + self._context.targets.n_folds + 2 * len(self._taps)
        fit_s = self._fit_s()
        return decode_s + sum(self._blocks.expected_s(block) for block in missing) + n_fits * fit_s

    def _fit_s(self) -> float:
        """Seconds that a regression may take: as the recipe did; the first trial of a run also had to load much."""
        known = [one.duration_s for one in self._trials.records[1:] if is_recipe(one.params)]
        return max(_LEAST_FIT_S, statistics.median(known) if known else 0.0)

    @property
    def _taps(self) -> list[str]:
        """As stage 1 tries them without a search."""
        return [LAST_TAP, SEVERAL_TAPS] if self._context.n_photos >= SEVERAL_TAPS_FROM else [LAST_TAP]

    def _params(self, names: Sequence[str], size: int, taps: str) -> Params:
        defaults = self._space().defaults(backbones="+".join(names), image_size_px=size, views=PLAIN_VIEW)
        return {**defaults, **RECIPE, "taps": taps}

    def _best_alone(self) -> Candidate | None:
        """The best head on a single network that may be delivered."""
        starts = [one for one in self._trials.models.starts if self._context.objective.allows(one)]
        return max(starts, key=lambda one: (one.score, -one.loss), default=None)

    def _teach(self, teacher: Teacher, direct: Candidate) -> None:
        """Fits the teachers, and lets students learn from them."""
        self._context.observer.activity(search_messages.TEACHING.format(teacher=teacher.title))
        taught = self._soft_answers(teacher, direct)
        if taught is None:
            return
        answers, teacher_score = taught
        soft = answers.targets(self._context.targets.labels, share=SOFT_SHARE, temperature=TEMPERATURE)
        students: list[Candidate] = []
        try:
            for params in islice(self._students(direct), self._most_students):
                self._budget.check()
                trial = PlannedTrial(
                    stage=Stage.DISTILLATION,
                    params={**params, "teacher": str(teacher.params["backbones"])},
                    backbones=backbone_names(params),
                    image_size_px=int(params["image_size_px"]),
                )
                self._trials.run(trial, partial(self._train, trial.params, soft, students), max_epochs=1)
        finally:  # also where the time was up after the first one
            self._tell(students, teacher, direct, teacher_score)

    @property
    def _most_students(self) -> int | None:
        limit = self._settings.max_trials
        return None if limit is None or not self.has_limits else self.trials_of(limit)

    def _tell(self, students: Sequence[Candidate], teacher: Teacher, direct: Candidate, teacher_score: float) -> None:
        """Says what came of it, where there is a student on the network that also learned directly."""
        own = [one for one in students if one.backbones == direct.backbones]
        if own:
            best = max(own, key=lambda one: (one.score, -one.loss))
            names = tuple(block.backbone for block in teacher.blocks)
            self.distilled = Distilled(student=best, direct=direct, teacher=names, teacher_score=teacher_score)
            self._note(self.distilled)

    def _soft_answers(self, teacher: Teacher, direct: Candidate) -> tuple[SoftAnswers, float] | None:
        """The answers and the teacher's score; None where the teacher knows no better than the student alone."""
        scorer, targets = self._context.scorer, self._context.targets
        settings = head_settings(teacher.params, self._settings, 1)

        def on_step() -> bool:
            self._budget.check()
            return False

        try:
            features = self._features.joined(teacher.params)
            held_out = held_out_answers(features, targets, settings, on_step=on_step)
            score, _ = scorer.score(held_out)
            if not scorer.is_closer(held_out, direct.held_out_logits):
                self._context.observer.note(
                    search_messages.NO_BETTER_TEACHER.format(teacher=teacher.title, score=percent(score))
                )
                return None
            return nested_answers(features, targets, settings, held_out=held_out, on_step=on_step), score
        except SearchOver:
            raise
        except Exception as error:  # noqa: BLE001 - as any trial: the search goes on without it
            self._context.observer.note(search_messages.TEACHING_FAILED.format(error=type(error).__name__))
            return None

    def _students(self, direct: Candidate) -> Iterator[Params]:
        """On the best single network; also on those of the best head that may be delivered, if it has several."""
        best = self._trials.models.best_head
        heads = [direct]
        if best is not None and len(best.backbones) > 1 and self.has_limits and self._context.objective.allows(best):
            heads.append(best)
        for head in heads:
            size = head.branches[0].image_size_px
            view = MIRRORED_VIEW if self._has_mirrored(head.backbones, size) else PLAIN_VIEW
            for taps in self._taps:
                yield self._params(head.backbones, size, taps) | {"views": view}

    def _has_mirrored(self, names: Sequence[str], size: int) -> bool:
        """Whether students learn from the mirrored photos, too, of which their teacher says the same.

        An extra takes them where they are there. Otherwise they are computed where there is time.
        """
        blocks = [Block(name, size, mirrored=True) for name in names]
        if not self.has_limits:
            return self._features.available().issuperset(blocks)
        return all(self._blocks.compute(block) for block in blocks)

    def _train(self, params: Params, soft: np.ndarray, students: list[Candidate], trial: TrialControls) -> Candidate:
        planned = HeadTrial(params=params, settings=head_settings(params, self._settings, 1), trial=trial, soft=soft)
        (made,) = run_head_trials([planned], features=self._features, scorer=self._context.scorer, costs=self._costs)
        if isinstance(made, Exception):
            raise made
        students.append(replace(made, stage=Stage.DISTILLATION))
        return students[-1]

    def _note(self, distilled: Distilled) -> None:
        scorer = self._context.scorer
        is_better = scorer.is_surely_better(distilled.student, distilled.direct)
        words = search_messages.TEACHING_PAID_OFF if is_better else search_messages.TEACHING_GAINED_NOTHING
        (backbone,) = distilled.student.backbones
        self._context.observer.note(
            words.format(
                student=BACKBONES[backbone].title,
                taught=percent(distilled.student.score),
                direct=percent(distilled.direct.score),
            )
        )


def _same_network(teacher: Teacher, direct: Candidate) -> bool:
    """Whether the teacher sees just what the student sees."""
    return [(block.backbone, block.image_size_px) for block in teacher.blocks] == [
        (branch.backbone, branch.image_size_px) for branch in direct.branches
    ]
