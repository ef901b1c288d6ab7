"""The states and the choices that cross stages, as enums."""

from enum import StrEnum


class RunState(StrEnum):
    """Where a run is. `queued -> preparing -> searching -> finishing -> done | failed | cancelled`."""

    QUEUED = "queued"
    PREPARING = "preparing"
    SEARCHING = "searching"
    FINISHING = "finishing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    def is_finished(self) -> bool:
        return self in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)

    def is_running(self) -> bool:
        """True while a pipeline process should be alive for the run."""
        return self in (RunState.PREPARING, RunState.SEARCHING, RunState.FINISHING)


class DatasetState(StrEnum):
    """Where a data set is: `uploading -> checking -> ready | invalid`. More files lead back to `uploading`."""

    UPLOADING = "uploading"
    CHECKING = "checking"
    READY = "ready"
    INVALID = "invalid"


class FileState(StrEnum):
    """What became of one uploaded file.

    A refused file cannot be used. An excluded one could be used, but the user has left it out.
    """

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXCLUDED = "excluded"


class Split(StrEnum):
    """The part that the user has put a photo in."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class PhotoUse(StrEnum):
    """What a run used a photo for, as the `photos.csv` of its download says it."""

    LEARNED = "learn"
    TESTED = "test"
    LEARNED_AND_TESTED = "learn and test"
    """Without a test set: the delivered model has learned from it, and a model that had not has answered for it."""

    LEFT_OUT = "left out"
    NOT_USED = "not used"


class Severity(StrEnum):
    """How much harm a finding of the doctor does if nothing is done about it, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class TrialState(StrEnum):
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


class Stage(StrEnum):
    """Which part of the search a trial belongs to. Scores are compared within a stage while trials run.

    An ensemble is stored as "blend", as it was first called: the word is in every older `metrics.json`, in the studies
    that Optuna keeps and in the API.
    """

    HEADS = "heads"
    FINE_TUNING = "fine-tuning"
    DISTILLATION = "distillation"
    ENSEMBLE = "blend"


class ExportState(StrEnum):
    """Where one format of a delivered model is.

    A ready format was tested, whatever came of that. A failed one cannot be had.
    """

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


class TunerKind(StrEnum):
    OPTUNA = "optuna"
    KERAS_TUNER = "keras-tuner"


class Sampler(StrEnum):
    """How a tuner proposes. Optuna has tpe, random and cma-es; KerasTuner bayesian, random and hyperband."""

    TPE = "tpe"
    RANDOM = "random"
    CMA_ES = "cma-es"
    BAYESIAN = "bayesian"
    HYPERBAND = "hyperband"


class PrunerKind(StrEnum):
    """Who ends a trial that is losing."""

    MEDIAN = "median"
    SUCCESSIVE_HALVING = "successive-halving"
    HYPERBAND = "hyperband"
    NONE = "none"


class Scoring(StrEnum):
    """Which photos the delivered score comes from, as a run is asked for it.

    Photos that the user has put into a test folder are always held out.
    """

    AUTO = "auto"
    """Cross-validated where there are few photos, else held out."""

    HELD_OUT = "held-out"
    """From a part of the photos that no model learns from."""

    CROSS_VALIDATED = "cross-validated"
    """From all of them, each by a model that was trained without it; the delivered model learns from all."""


class Goal(StrEnum):
    """What is made as high as possible."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"


class Decision(StrEnum):
    """What a person has said of a photo that a model has sorted."""

    OPEN = "open"
    """Nothing yet: nobody has looked at it."""

    CLASS = "class"
    """It is of a class: that of the model's answer, or another one."""

    UNSURE = "unsure"
    """He cannot tell."""

    NONE = "none"
    """It is of no class that the model knows."""


class Origin(StrEnum):
    """How a file came into a data set."""

    UPLOADED = "uploaded"
    """A person has sent it there."""

    CONFIRMED = "confirmed"
    """A model has sorted it, and a person has looked at it."""

    UNSEEN = "unseen"
    """A model has sorted it and was sure, and nobody has looked at it."""


class LinkedPage(StrEnum):
    """What a read-only link shows."""

    MODEL = "model"
    RESULT = "result"


class Role(StrEnum):
    """What somebody with an account may do on this server."""

    ADMINISTRATOR = "administrator"
    """Everything, also with what belongs to others and with their accounts."""

    MEMBER = "member"
    """Has data sets and runs, and may share them."""

    VIEWER = "viewer"
    """Sees what others have shared with him, tries and downloads models, and changes nothing."""


class LinkPurpose(StrEnum):
    """What a link that works once is for."""

    SETUP = "setup"
    """Makes the first administrator of a server that nobody administers yet."""

    INVITATION = "invitation"
    """Makes an account."""

    PASSWORD = "password"  # noqa: S105 - what it is for
    """Sets another password for an account."""


class TokenScope(StrEnum):
    """What a program with a token may do, within what the role of its account allows."""

    READ = "read"
    """Look and download."""

    PREDICT = "predict"
    """Ask models what is on photos, and nothing else."""

    WRITE = "write"
    """All that the account may do, except with accounts, passwords and tokens."""


class AuditAction(StrEnum):
    """What is written down for administrators."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LINK_USED = "link_used"
    SIGNED_OUT = "signed_out"
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - what was done
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what was done
    SIGN_INS_ENDED = "sign_ins_ended"
    TOKEN_MADE = "token_made"  # noqa: S105 - what was done
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - what was done
    INVITED = "invited"
    INVITATION_ENDED = "invitation_ended"
    RESET_LINK_MADE = "reset_link_made"
    ROLE_CHANGED = "role_changed"
    DISABLED = "disabled"
    ENABLED = "enabled"
    DELETED = "deleted"
    RESTORED = "restored"
    BIN_EMPTIED = "bin_emptied"
    SHARED = "shared"
    SHARE_ENDED = "share_ended"
    LINK_MADE = "link_made"
    LINK_ENDED = "link_ended"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_MADE = "account_made"
