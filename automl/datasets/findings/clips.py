"""What the doctor says of photos that belong together: frames of a clip, and groups that the user has named."""

from statistics import median

from automl.datasets.edits import KeepClips
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photos
from automl.datasets.findings.finding import Finding, Fix, all_ids
from automl.datasets.findings.registry import Subject, doctor_check
from automl.datasets.split_groups import NEARLY_ALL
from automl.records import Severity, Split
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order


@doctor_check(Subject.COPIES)
def clips(dataset: ExaminedDataset) -> list[Finding]:
    """Frames of videos and bursts."""
    found = [clip for clip in dataset.clips if not _is_nearly_all(clip, dataset)]
    if not found:
        return []
    n_frames = round(median(map(len, found)))
    has_test = any(photo.split is Split.TEST for photo in dataset.photos)
    title = dataset_messages.CLIPS_BESIDE_TEST if has_test else dataset_messages.CLIPS
    return [
        Finding(
            kind="clips",
            title=title.format(n=len(found), frames=n_frames),
            consequence=dataset_messages.CLIPS_BESIDE_TEST_MEAN if has_test else dataset_messages.CLIPS_MEAN,
            severity=Severity.INFO,
            groups=all_ids(found),
            fix=_deal_out(),
        )
    ]


@doctor_check(Subject.COPIES)
def one_clip(dataset: ExaminedDataset) -> list[Finding]:
    """Classes that hardly have more than one clip."""
    found = [clip for clip in dataset.clips if _is_nearly_all(clip, dataset)]
    if not found or any(photo.split is Split.TEST for photo in dataset.photos):
        return []
    return [
        Finding(
            kind="one-clip",
            title=dataset_messages.ONE_CLIP.format(classes=quoted(in_natural_order(clip[0].label for clip in found))),
            consequence=dataset_messages.ONE_CLIP_MEANS,
            severity=Severity.WARNING,
            groups=all_ids(found),
            fix=_deal_out(),
        )
    ]


@doctor_check(Subject.COPIES)
def named_groups(dataset: ExaminedDataset) -> list[Finding]:
    """Photos that the user's folders or table keep together."""
    groups = dataset.named_groups
    if not any(len(group) > 1 for group in groups):
        return []
    return [
        Finding(
            kind="groups",
            title=dataset_messages.NAMED_GROUPS.format(
                n=len(groups), names=quoted(in_natural_order(group[0].clip for group in groups))
            ),
            consequence=dataset_messages.NAMED_GROUPS_MEAN,
            severity=Severity.INFO,
            groups=all_ids(groups),
            fix=_deal_out(),
        )
    ]


def _is_nearly_all(clip: Photos, dataset: ExaminedDataset) -> bool:
    return len(clip) >= NEARLY_ALL * len(dataset.by_class[clip[0].label])


def _deal_out() -> Fix:
    return Fix(
        title=dataset_messages.DEAL_CLIPS_OUT, edit=KeepClips(keep=False, title=dataset_messages.CLIPS_DEALT_OUT)
    )
