"""Which heads of a broken-off attempt are trained again when the run is continued."""

from collections.abc import Sequence

from automl.records import Stage, TrialRecord
from automl.search.best_models import best_head_trials
from automl.search.context import SearchContext
from automl.search.stages.head_trial import head_settings

_N_RESTORED = 5


def worth_restoring(
    context: SearchContext, earlier: Sequence[TrialRecord], *, averages_heads: bool
) -> list[TrialRecord]:
    """The trials whose weights are needed again, which were lost with the attempt.

    These are the best heads, best first, and the best linear head on each single backbone, from which fine-tuning
    starts. Without a time limit, also the heads that may be averaged, so that the run ends with the same model as if it
    had not been broken off; with one, only the heads restored so far are averaged. Where every photo is tested, all
    heads may become parts of the delivered model, so without a time limit all of them are trained again.

    Args:
        averages_heads: whether there are so few photos that the best head becomes a mean.
    """
    heads = [record for record in earlier if record.stage is Stage.HEADS and record.score is not None]
    heads.sort(key=lambda record: (not context.objective.allows(record), -(record.score or 0.0)))
    if context.tests_every_photo and not context.budget.has_clock:
        return heads
    linear = [one for one in heads if not head_settings(one.params, context.settings, 1).hidden_units]
    starts: dict[str, TrialRecord] = {}
    for record in linear:
        if len(record.backbones) == 1:
            starts.setdefault(record.backbones[0], record)
    averaged = best_head_trials(linear) if averages_heads and not context.budget.has_clock else []
    wanted = [*heads[:_N_RESTORED], *starts.values(), *averaged]
    return list({record.number: record for record in wanted}.values())
