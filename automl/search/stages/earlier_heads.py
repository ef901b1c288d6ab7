"""Which heads of a broken-off attempt are trained again when the run is continued."""

from collections.abc import Sequence

from automl.records import Stage, TrialRecord
from automl.search.context import SearchContext
from automl.search.stages.head_trial import head_settings

_N_RESTORED = 5


def worth_restoring(context: SearchContext, earlier: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The trials whose weights are needed again, which were lost with the attempt.

    Without a time limit these are all heads, since each may become a part of the delivered model, and the run is to end
    with the same one as if it had not been broken off. With one they are the best heads, best first, and the best
    linear head on each single backbone, from which fine-tuning starts.
    """
    heads = [record for record in earlier if record.stage is Stage.HEADS and record.score is not None]
    heads.sort(key=lambda record: (not context.objective.allows(record), -(record.score or 0.0)))
    if not context.budget.has_clock:
        return heads
    linear = [one for one in heads if not head_settings(one.params, context.settings, 1).hidden_units]
    starts: dict[str, TrialRecord] = {}
    for record in linear:
        if len(record.backbones) == 1:
            starts.setdefault(record.backbones[0], record)
    return list({record.number: record for record in (*heads[:_N_RESTORED], *starts.values())}.values())
