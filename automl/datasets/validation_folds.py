"""The folds in which models are compared, or the one part that all of them are compared on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from automl.datasets.holding_out import dealable, held_out
from automl.datasets.split_groups import (
    Group,
    labels_of_one_clip,
    order_of,
    with_groups_dealt_out,
    with_lonely_clips_cut,
)
from automl.datasets.steady_sides import steady_folds
from automl.datasets.verdict import problem_of
from automl.errors import BadDataset
from automl.records import DatasetManifest, RememberedSides, Split
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order
from automl.text.numbers import percent

MAX_REPEATED_IMAGES = 500
N_REPEATS = 3
VALIDATION_SHARE = 0.15
MIN_OWN_VALIDATION_IMAGES = 200

_FoldsOfGroups = dict[Group, tuple[int, ...]]
"""The folds that hold a group out, one for each repeat of the cross-validation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """How models are compared.

    Attributes:
        folds_of: The folds of each group that is ever validated on.
        n_folds: Number of folds of one repeat.
        notes: Sentences for the user.
    """

    folds_of: _FoldsOfGroups
    n_folds: int
    notes: list[str]

    @property
    def n_repeats(self) -> int:
        return len(next(iter(self.folds_of.values())))


def validation_of(
    manifest: DatasetManifest,
    pool: Sequence[Group],
    *,
    n_folds: int,
    seed: int,
    most_cross_validated: int,
    remembered: RememberedSides | None = None,
) -> Validation:
    """How models that learn from these groups are compared; see `split.make_split`.

    Args:
        manifest: The photos.
        pool: The groups to learn from.
        n_folds: At most so many.
        seed: Another seed deals other photos into a fold.
        most_cross_validated: With more photos, one part is held out.
        remembered: The folds that photos had in earlier runs, which they keep.

    Raises:
        BadDataset: There is a single group.
    """
    groups, cut = with_lonely_clips_cut(manifest, pool)
    notes = [dataset_messages.COMPARED_ON_PARTS_OF_A_CLIP.format(classes=quoted(cut))] if cut else []
    if of_one_group := labels_of_one_clip(manifest, groups):
        groups = with_groups_dealt_out(manifest, groups, of_one_group)
        notes.append(dataset_messages.COMPARED_ON_PARTS_OF_A_GROUP.format(classes=quoted(of_one_group)))
    require_enough(len(groups) > 1, manifest)
    n_pool = sum(len(group.images) for group in groups)
    if not (to_deal := dealable(groups)):
        folds_of, n_used = _repeated(groups, n_folds=n_folds, n_pool=n_pool, seed=seed)
        return Validation(folds_of=folds_of, n_folds=n_used, notes=[*notes, dataset_messages.TOO_FEW_TO_COMPARE])
    if n_pool <= most_cross_validated:
        kept = steady_folds(manifest, to_deal, remembered, n_folds=min(n_folds, len(to_deal)))
        found = _cross_validation(groups, n_pool=n_pool, n_folds=n_folds, seed=seed, kept=kept)
    else:
        found = _single_validation(manifest, groups, n_pool)
    return replace(found, notes=[*notes, *found.notes])


def _n_own(groups: Sequence[Group]) -> int:
    """How many images are together with one of the user's validation folder."""
    return sum(len(group.images) for group in groups if group.is_validation)


def _cross_validation(
    groups: Sequence[Group], *, n_pool: int, n_folds: int, seed: int, kept: Sequence[Mapping[Group, int]]
) -> Validation:
    """Each photo takes its turn at validation."""
    folds_of, n_used = _repeated(dealable(groups), n_folds=n_folds, n_pool=n_pool, seed=seed, kept=kept)
    notes = []
    if _n_own(groups):
        notes.append(dataset_messages.JOINED_IN_CROSS_VALIDATION.format(n_folds=n_used))
    certain = [group for group in groups if not group.is_in_doubt]
    if single := _labels(certain) - _labels(list(folds_of)):
        notes.append(dataset_messages.SINGLE_PHOTO_OF_CLASS.format(classes=quoted(in_natural_order(single))))
    return Validation(folds_of=folds_of, n_folds=n_used, notes=notes)


def _single_validation(manifest: DatasetManifest, groups: Sequence[Group], n_pool: int) -> Validation:
    """One part of the photos is validated on: the user's own where it is large enough."""
    n_own = _n_own(groups)
    own = _own_validation(groups, n_pool) if n_own >= MIN_OWN_VALIDATION_IMAGES else set()
    # Where frames of each clip were put into the validation folder, whole clips are not what the user has chosen.
    parts = [manifest.images[i].split for group in own for i in group.images]
    if own and 2 * parts.count(Split.VALIDATION) >= len(parts):
        note = dataset_messages.COMPARED_ON_OWN_FOLDER.format(n=n_own)
        return Validation(folds_of=dict.fromkeys(own, (0,)), n_folds=1, notes=[note])
    chosen = held_out(groups, VALIDATION_SHARE, n_pool)
    share = percent(sum(len(group.images) for group in chosen) / n_pool, 0)
    if own:
        note = dataset_messages.COMPARED_ON_OTHER_CLIPS.format(share=share)
    elif n_own:
        note = dataset_messages.COMPARED_ON_SHARE_INSTEAD.format(n=n_own, share=share)
    else:
        note = dataset_messages.COMPARED_ON_SHARE.format(share=share)
    return Validation(folds_of=dict.fromkeys(chosen, (0,)), n_folds=1, notes=[note])


def _repeated(
    groups: Sequence[Group], *, n_folds: int, n_pool: int, seed: int, kept: Sequence[Mapping[Group, int]] = ()
) -> tuple[_FoldsOfGroups, int]:
    """The folds of each group, and how many folds there are; `kept`: those that are known, for the first repeats."""
    first, n_used = _dealt(groups, n_folds, kept[0] if kept else {})
    deals = [first]
    for repeat in range(1, N_REPEATS if n_pool <= MAX_REPEATED_IMAGES else 1):
        shuffled = sorted(groups, key=lambda group: order_of(group, seed, repeat))
        deals.append(_dealt(shuffled, n_folds, kept[repeat] if repeat < len(kept) else {})[0])
    return {group: tuple(deal[group] for deal in deals) for group in first}, n_used


def _dealt(groups: Sequence[Group], n_folds: int, kept: Mapping[Group, int]) -> tuple[dict[Group, int], int]:
    """The fold of each group, and how many folds there are. `kept`: the folds that some of them have already.

    No fold is empty, and none holds all of a class that has two groups; only groups of several classes may leave no
    other way.
    """
    n_used = min(n_folds, len(groups))
    n_in_fold = [0] * n_used
    n_of_class: defaultdict[str, list[int]] = defaultdict(lambda: [0] * n_used)
    fold_of: dict[Group, int] = {}
    # Groups of several classes are the hardest to place, so they come first; then class by class, the large groups
    # first: the small ones then even the folds out.
    in_order = sorted(groups, key=lambda group: (len(group.labels) == 1, sorted(group.labels), -len(group.images)))
    for group in sorted(in_order, key=lambda group: group not in kept):
        of_classes = [n_of_class[label] for label in group.labels]
        fold_of_fewest = min(range(n_used), key=lambda f: (sum(n[f] for n in of_classes), n_in_fold[f]))
        fold = fold_of[group] = kept.get(group, fold_of_fewest)
        n_in_fold[fold] += len(group.images)
        for n in of_classes:
            n[fold] += len(group.images)
    return fold_of, n_used


def _own_validation(groups: Sequence[Group], n_pool: int) -> set[Group]:
    """The user's validation pictures; of a class that has no others, only a share, since it must be learned too."""
    learned = _labels([group for group in groups if not group.is_validation])
    own = {group for group in groups if group.is_validation and group.labels <= learned and not group.is_in_doubt}
    return own | held_out([group for group in groups if not group.labels <= learned], VALIDATION_SHARE, n_pool)


def _labels(groups: Sequence[Group]) -> set[str]:
    return {label for group in groups for label in group.labels}


def require_enough(is_enough: bool, manifest: DatasetManifest) -> None:
    """The check refuses such a data set before a run begins, but versions that were saved earlier may be such."""
    if not is_enough:
        raise BadDataset(problem_of(manifest.images) or dataset_messages.NOTHING_TO_TEST)
