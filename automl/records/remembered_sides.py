"""Which side of the split photos were on in the runs of a data set, so that later versions leave them there."""

from collections.abc import Mapping
from functools import cached_property

from pydantic import Field

from automl.records.dataset import DatasetManifest, SplitPlan
from automl.records.stored_record import StoredRecord


class RememberedSides(StoredRecord):
    """What the splits of earlier runs have decided, for one data set and one seed.

    Photos are known by their contents (SHA-256): so the name, the class and the version they are in do not matter, and
    a photo that is left out for a while comes back to its side.
    """

    test: tuple[str, ...] = ()
    """Photos that were kept for the test."""

    learned: tuple[str, ...] = ()
    """Photos that were learned from beside such a test."""

    folds: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    """Where every photo is tested: the folds that held a photo out, one for each repeat of the cross-validation."""

    n_folds: int = 0
    """Folds of one repeat; 0 where there was no cross-validation of every photo yet."""

    keeps_test: bool = False
    """Whether there were once so many photos that a part was kept for the test unasked."""

    @cached_property
    def tested(self) -> frozenset[str]:
        """The same as `test`, to look photos up."""
        return frozenset(self.test)

    @cached_property
    def taught(self) -> frozenset[str]:
        """The same as `learned`, to look photos up."""
        return frozenset(self.learned)

    def after(self, manifest: DatasetManifest, plan: SplitPlan, *, is_by_rule: bool) -> "RememberedSides":
        """What is remembered once a run uses this split; photos that it does not use keep what is known of them.

        Args:
            manifest: The photos.
            plan: Their split.
            is_by_rule: Whether the number of photos decided how the score is made, not the user.
        """
        pool = [manifest.images[i].sha256 for i in plan.pool]
        if plan.tests_every_photo:
            dealt = {sha256: folds for sha256, folds in zip(pool, plan.folds, strict=True) if folds[0] >= 0}
            return self.model_copy(update={"folds": {**self.folds, **dealt}, "n_folds": plan.n_folds})
        test = {manifest.images[i].sha256 for i in plan.test}
        return RememberedSides(
            test=tuple(sorted((self.tested - set(pool)) | test)),
            learned=tuple(sorted((self.taught - test) | set(pool))),
            folds=self.folds,
            n_folds=self.n_folds,
            keeps_test=self.keeps_test or is_by_rule,
        )
