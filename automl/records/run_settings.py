"""What a run can be asked for: one field for each option, with the row that everything about it is derived from."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel

from automl.option_kinds import (
    Amount,
    Backbones,
    Duration,
    Fieldset,
    GroupedSelection,
    HeadLayers,
    PictureSize,
    Selection,
    Switch,
    WholeNumber,
)
from automl.records.states import Goal, PrunerKind, Sampler, Scoring, TunerKind

_TUNERS = {TunerKind.OPTUNA: "Optuna", TunerKind.KERAS_TUNER: "KerasTuner"}
_LR_SCHEDULES = {
    "constant": "Constant",
    "cosine": "Cosine",
    "one_cycle": "One cycle",
    "exponential": "Exponential",
    "reduce_on_plateau": "Reduce on plateau",
}
LR_SCHEDULES = tuple(_LR_SCHEDULES)

USUAL_SIZE_PX = 224
"""The largest input size where the user wishes for none and larger ones are no help.

Until runs could leave the size open it was the default, so an older run that has it may never have been asked.
"""

SAMPLERS: Mapping[TunerKind, tuple[Sampler, ...]] = {
    TunerKind.OPTUNA: (Sampler.TPE, Sampler.RANDOM, Sampler.CMA_ES),
    TunerKind.KERAS_TUNER: (Sampler.BAYESIAN, Sampler.RANDOM, Sampler.HYPERBAND),
}
"""What each tuner can propose with; the first one is its default."""


class RunSettings(BaseModel, frozen=True, extra="forbid"):
    """What the user asked for: one option a field. None means: let Darkroom choose.

    A value may be outside of the limits that its row names, since limits change and old runs are read;
    `options.check_limits` checks what is asked for today.
    """

    budget_s: Annotated[
        float | None,
        Duration(
            title="How long may it take?",
            help="From the start to the finished download.",
            subject="The time",
            fieldset=None,
            is_simple=True,
            metavar="TIME",
            note="Also 90s, 1.5h or minutes; none, with --max-trials, makes a run repeatable.",
            shortest_s=30,
        ),
    ] = 120.0
    """Wall-clock seconds from the start to the finished download; None for no clock, which needs `max_trials`."""

    goal: Annotated[
        Goal | None,
        Selection(
            title="What counts",
            help="The most photos right, or every kind of photo equally well.",
            subject="The goal",
            fieldset=Fieldset.MODEL,
            is_simple=True,
            unset="the one that fits the photos",
            unset_on_form="As fits your photos (recommended)",
            choices={
                Goal.ACCURACY: "Most photos right (accuracy)",
                Goal.BALANCED_ACCURACY: "Every kind alike (balanced accuracy)",
            },
        ),
    ] = None
    """What is made as high as possible; None proposes balanced accuracy where the classes are unbalanced."""

    scoring: Annotated[
        Scoring,
        Selection(
            title="How it is tested",
            help="Few photos all teach and all are tested; of many, some are kept apart for the test.",
            subject="The scoring",
            fieldset=Fieldset.MODEL,
            choices={
                Scoring.AUTO: "As fits your photos",
                Scoring.HELD_OUT: "Some photos are kept aside for it (held-out)",
                Scoring.CROSS_VALIDATED: "Every photo has its turn (cross-validated)",
            },
            recommended=Scoring.AUTO,
        ),
    ] = Scoring.AUTO
    """Which photos the delivered score comes from."""

    max_model_mb: Annotated[
        float | None,
        Amount(
            title="Largest model",
            help="Megabytes; nothing larger is delivered. For phones and small devices.",
            subject="Max model size",
            fieldset=Fieldset.MODEL,
            metavar="MB",
            low=0.1,
            high=10_000,
            unit="MB",
        ),
    ] = None
    """Megabytes (10^6) of the model file."""

    max_latency_ms: Annotated[
        float | None,
        Amount(
            title="Slowest answer",
            help="Milliseconds for one photo on this machine's processor; nothing slower is delivered.",
            subject="Max latency",
            fieldset=Fieldset.MODEL,
            metavar="MS",
            low=0.1,
            high=60_000,
            unit="ms",
        ),
    ] = None
    """Milliseconds for one photo on this machine's processor."""

    fine_tuning: Annotated[
        bool,
        Switch(
            title="Fine-tuning",
            help="Also train the inner layers of the best networks, where the time allows it.",
            subject="Fine-tuning",
            fieldset=Fieldset.NETWORKS,
            is_last_of_fieldset=True,
        ),
    ] = True
    """Whether the best heads may be fine-tuned."""

    backbones: Annotated[
        tuple[str, ...],
        Backbones(
            title="Networks to build on",
            help="Only these; if you choose none, those that promise most for their time are tried.",
            subject="Backbones",
            fieldset=Fieldset.NETWORKS,
            metavar="BACKBONE",
            unset="all that are installed",
            unset_of_run="all that were installed",
        ),
    ] = ()
    """Names of the backbones to consider; empty for all that are installed."""

    max_image_size_px: Annotated[
        int | None,
        PictureSize(
            title="Largest picture size to try",
            help="Larger shows finer details and takes longer.",
            subject="Max image size",
            fieldset=Fieldset.NETWORKS,
            metavar="PX",
            unset="as large as helps",
            unset_on_form="As large as helps (recommended)",
            low=96,
            high=320,
            step=32,
            unit="pixels",
        ),
    ] = None
    """The largest input size that is tried; None for as large as photos, networks and time make it worth."""

    tuner: Annotated[
        TunerKind,
        Selection(
            title="Search method",
            help="Both search among the same settings.",
            subject="The tuner",
            fieldset=Fieldset.SEARCH,
            choices=_TUNERS,
            recommended=TunerKind.OPTUNA,
            is_said_by_title=True,
        ),
    ] = TunerKind.OPTUNA
    """What proposes the trials."""

    sampler: Annotated[
        Sampler | None,
        GroupedSelection(
            title="Sampling strategy",
            help="The default learns from earlier tries; random does not.",
            subject="The sampler",
            fieldset=Fieldset.SEARCH,
            unset_on_form="Default (recommended)",
            unset_of_run="the tuner's default",
            choices={
                Sampler.TPE: "Parzen estimators (TPE)",
                Sampler.RANDOM: "At random",
                Sampler.CMA_ES: "Evolution strategy (CMA-ES)",
                Sampler.BAYESIAN: "Gaussian process (Bayesian)",
                Sampler.HYPERBAND: "Hyperband",
            },
            is_said_by_title=True,
            depends_on="tuner",
            groups=SAMPLERS,
            group_titles=_TUNERS,
        ),
    ] = None
    """How the tuner proposes; None for its own default."""

    pruner: Annotated[
        PrunerKind,
        Selection(
            title="Stop weak trials early",
            help="Compares a try with earlier ones at the same point of their training.",
            subject="The pruner",
            fieldset=Fieldset.SEARCH,
            choices={
                PrunerKind.MEDIAN: "Worse than half (median)",
                PrunerKind.SUCCESSIVE_HALVING: "Not among the best (successive halving)",
                PrunerKind.HYPERBAND: "Hyperband",
                PrunerKind.NONE: "Never: finish every trial",
            },
        ),
    ] = PrunerKind.MEDIAN
    """Which rule ends a trial that is losing."""

    max_trials: Annotated[
        int | None,
        WholeNumber(
            title="Most tries",
            help="Ends the search after this many, even if time is left.",
            subject="Max trials",
            fieldset=Fieldset.SEARCH,
            is_simple=True,
            metavar="N",
            unset_on_form="as many as the time allows",
            low=1,
            high=1_000_000,
        ),
    ] = None
    """The search ends after so many trials. With it and without a budget, a run is repeatable."""

    early_stopping: Annotated[
        bool,
        Switch(
            title="Early stopping",
            help="End a training that no longer improves; where every photo is tested, lengths are fixed.",
            subject="Early stopping",
            fieldset=Fieldset.TRAINING,
        ),
    ] = True
    """Whether a training ends once it gets no better."""

    lr_scheduler: Annotated[
        str | None,
        Selection(
            title="Learning-rate schedule",
            help="How the size of the learning steps changes while it trains.",
            subject="The learning-rate schedule",
            fieldset=Fieldset.TRAINING,
            unset="all of them are tried",
            unset_on_form="Try all of them",
            unset_of_run="the search chose",
            choices=_LR_SCHEDULES,
        ),
    ] = None
    """One of `LR_SCHEDULES`; None searches over them."""

    epochs: Annotated[
        int | None,
        WholeNumber(
            title="Most epochs",
            help="How often one training may go through the photos.",
            subject="Epochs",
            fieldset=Fieldset.TRAINING,
            metavar="N",
            unset="depends on the stage",
            low=1,
            high=1_000,
        ),
    ] = None
    """The most epochs of one training."""

    head_layers: Annotated[
        tuple[int, ...] | None,
        HeadLayers(
            title="Hidden layers of the head",
            help="Units of each, such as 256 or 256,64; none for a plain head.",
            subject="Each of the head layers",
            fieldset=Fieldset.TRAINING,
            metavar="UNITS",
            unset="the search chooses",
            unset_of_run="the search chose",
            most=3,
            low=2,
            high=2_048,
        ),
    ] = None
    """Units of the hidden layers before the last one; () for none, None searches over them."""

    seed: Annotated[
        int,
        WholeNumber(
            title="Seed",
            help="The same number gives the same split of your photos.",
            subject="Seed",
            fieldset=Fieldset.SEARCH,
            low=0,
            high=2**31 - 1,
        ),
    ] = 0
    """Decides the split and everything that the search draws at random."""

    def to_json(self) -> dict[str, Any]:
        """The settings as the database and `metrics.json` keep them."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RunSettings":
        """Settings that an older version wrote take today's defaults for what it did not know.

        It always held photos out for a test, so that is what its runs were asked for.
        """
        return cls.model_validate({"scoring": Scoring.HELD_OUT, **values})
