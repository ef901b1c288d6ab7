"""Makes the tuner that a run asked for."""

from pathlib import Path

from automl.errors import BadSetting
from automl.models.quiet_tensorflow import import_tensorflow
from automl.records import SAMPLERS, Sampler, TunerKind
from automl.search.space import Params, SearchSpace
from automl.search.tuners.tuner import History, Tuner
from automl.text.messages import options as option_messages


def make_tuner(
    kind: TunerKind,
    sampler: Sampler | None,
    *,
    space: SearchSpace,
    seed: int,
    scratch: Path,
    max_epochs: int,
    history: History = (),
) -> Tuner:
    """A tuner that knows the trials so far.

    Args:
        kind: which library proposes.
        sampler: how it proposes; None for the tuner's own default.
        space: what it may propose.
        seed: for everything random.
        scratch: a folder for the files that KerasTuner's oracles insist on writing; may be deleted afterwards.
        max_epochs: the most epochs that Hyperband may give to a trial.
        history: the trials so far, also those that no tuner has proposed and those of a broken-off attempt. Trials that
            do not lie in `space` are passed over.

    Raises:
        BadSetting: the tuner has no such sampler.
    """
    allowed = SAMPLERS[kind]
    if sampler is not None and sampler not in allowed:
        raise BadSetting(option_messages.NO_SUCH_SAMPLER.format(tuner=kind, known=", ".join(allowed), sampler=sampler))
    chosen = sampler or allowed[0]
    known = [(proposal, score) for proposal, score in history if _lies_in(space, proposal.params)]
    if kind is TunerKind.OPTUNA:
        from automl.search.tuners.optuna_tuner import OptunaTuner

        return OptunaTuner(space, chosen, seed=seed, history=known)
    # KerasTuner imports TensorFlow, which a thread of the pipeline may be importing at this moment: two threads that
    # import each other's half-loaded modules would end in a deadlock, which Python turns into an ImportError.
    import_tensorflow()
    from automl.search.tuners.keras_tuner_tuner import KerasTunerTuner

    return KerasTunerTuner(space, chosen, seed=seed, scratch=scratch, max_epochs=max_epochs, history=known)


def _lies_in(space: SearchSpace, params: Params) -> bool:
    names = {dimension.name for dimension in space.dimensions}
    return names == params.keys() and space.contains(params)
