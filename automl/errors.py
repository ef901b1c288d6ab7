"""Every error that Darkroom raises on purpose.

    DarkroomError
    |-- UserError               something the user can fix; the message says how
    |   |-- BadSetting          a value in a form, on the command line or in the environment
    |   |-- BadUpload           a file, a folder or an archive that cannot be taken
    |   |-- UploadTooLarge      more bytes, files or pixels than the limits allow
    |   |-- BadImage            one file that is not a readable picture; it is refused, the rest goes on
    |   |-- BadDataset          pictures that no classifier can be trained from
    |   |-- BadBundle           a delivered model that cannot be loaded
    |   |-- NotFound            no such data set, run or file
    |   |   `-- InBin           it was deleted, and can still be put back
    |   `-- NotAllowedNow       right request, wrong moment (stopping a run that has ended)
    |-- WeightsError            pretrained weights
    |   |-- SourceUnavailable   this source cannot be reached; the next one is tried
    |   |-- BadWeights          wrong checksum, truncated archive, numbers that do not fit
    |   `-- NoBackbone          no backbone at all is installed: nothing can be trained
    |-- TrialFailed             one trial failed; it is recorded and the search goes on
    |   `-- HeadTooLarge        what was asked for does not fit into memory; its backbones are not to blame
    `-- RunFailed               the run as a whole cannot go on
        |-- DiskFull            no room for a file; nothing half-written is left behind
        `-- StoreDamaged        stored bytes are gone or have changed; sent again, they are whole

`code` is stable and safe to match on; `message` is safe to show to anybody.

Two things end an attempt at a run, a format or a check, and nothing is to blame for them:

    AttemptOver
    |-- LeaseLost               somebody else has it by now
    `-- DatabaseAway            the database has not answered for longer than anybody waits
"""


class DarkroomError(Exception):
    """Base of the tree. `message` is one or two plain sentences for the person who has to act on it."""

    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UserError(DarkroomError):
    code = "user_error"


class BadSetting(UserError):
    code = "bad_setting"


class BadUpload(UserError):
    code = "bad_upload"


class UploadTooLarge(UserError):
    code = "upload_too_large"


class BadImage(UserError):
    code = "bad_image"


class BadDataset(UserError):
    code = "bad_dataset"


class BadBundle(UserError):
    code = "bad_bundle"


class NotFound(UserError):
    code = "not_found"


class InBin(NotFound):
    code = "in_bin"


class NotAllowedNow(UserError):
    code = "not_allowed_now"


class WeightsError(DarkroomError):
    code = "weights_error"


class SourceUnavailable(WeightsError):
    code = "source_unavailable"


class BadWeights(WeightsError):
    code = "bad_weights"


class NoBackbone(WeightsError):
    code = "no_backbone"


class TrialFailed(DarkroomError):
    code = "trial_failed"


class HeadTooLarge(TrialFailed):
    code = "head_too_large"


class RunFailed(DarkroomError):
    code = "run_failed"


class DiskFull(RunFailed):
    code = "disk_full"


class StoreDamaged(RunFailed):
    code = "store_damaged"


class AttemptOver(BaseException):
    """The attempt ends here, and another one goes on with the work.

    It is no `Exception`: whoever takes an exception for the fault of a trial, of a backbone or of a photo must not
    catch it.
    """


class LeaseLost(AttemptOver):
    """The lease under which this process writes is another's by now; what it was about to write is not written."""


class DatabaseAway(AttemptOver):
    """The database has not answered for longer than `automl.store.patience.PATIENCE_S`."""
