"""Computes the frozen features that stage 1 searches on, as far as there is time."""

import structlog

from automl.backbone_table import BACKBONES
from automl.errors import BadImage, DiskFull, RunFailed
from automl.search.block import Block
from automl.search.budget import SearchOver
from automl.search.context import SearchContext
from automl.search.frozen import FrozenFeatures
from automl.search.plan import block_seconds
from automl.search.space import MIRRORED_VIEW, Params, backbone_names
from automl.search.trials import Trials
from automl.text.messages import search as search_messages

_log = structlog.stdlib.get_logger(__name__)


class FeatureBlocks:
    """Computes one block after the other. What cannot be computed costs a note, and the search goes on without it."""

    def __init__(self, context: SearchContext, features: FrozenFeatures, trials: Trials) -> None:
        self._context, self._features, self._trials = context, features, trials

    def compute(self, block: Block) -> bool:
        """Whether trials may use the block now; False where there is no time for it, or it cannot be computed.

        As long as there is no model, time does not end the work.

        Raises:
            SearchOver: the time was up in the middle of it.
            DiskFull, BadImage, RunFailed: there is no model yet, and without this block there will be none.
        """
        if block in self._features.available():
            return True
        is_needed = self._trials.models.best is None
        if not is_needed and not self._has_time_for(block):
            title = BACKBONES[block.backbone].title
            self._context.observer.note(search_messages.NO_TIME_FOR_BLOCK.format(title=title, n=block.image_size_px))
            return False
        try:
            self._compute(block, is_needed=is_needed)
        except SearchOver:
            raise
        except (DiskFull, BadImage, RunFailed) as error:  # not the backbone's fault
            if is_needed:
                raise
            title = BACKBONES[block.backbone].title
            self._context.observer.note(search_messages.BACKBONE_LEFT_OUT.format(title=title, reason=error.message))
            return False
        except Exception as error:
            others = set(self._features.backbones) - self._trials.retired - {block.backbone}
            if is_needed and not others:
                raise
            _log.warning("backbone failed", backbone=block.backbone, exc_info=True)
            title, what = BACKBONES[block.backbone].title, f"{type(error).__name__}: {error}"
            self._trials.retire(block.backbone, search_messages.BACKBONE_CANNOT_LOOK.format(title=title, error=what))
            return False
        return True

    def compute_for(self, params: Params) -> None:
        """Computes whatever a trial with these parameters needs, however long that takes."""
        views = (False, True) if params.get("views") == MIRRORED_VIEW else (False,)
        for name in backbone_names(params):
            for mirrored in views:
                block = Block(name, int(params["image_size_px"]), mirrored)
                if block not in self._features.available():
                    self._compute(block, is_needed=True)

    def expected_s(self, block: Block) -> float:
        """Seconds that it will take to compute a block; 0 for one that an earlier run has left."""
        if self._features.is_computed(block):
            return 0.0
        seconds = self._features.seconds_per_image(block.backbone)
        return block_seconds(seconds, block.image_size_px, self._context.n_photos)

    def _has_time_for(self, block: Block) -> bool:
        if self._features.is_computed(block):
            return True
        self._context.budget.check()
        return self.expected_s(block) <= self._context.budget.search_left_s

    def _compute(self, block: Block, *, is_needed: bool) -> None:
        looking = search_messages.LOOKING_IN_MIRROR if block.mirrored else search_messages.LOOKING
        text = looking.format(title=BACKBONES[block.backbone].title, n=block.image_size_px)
        self._features.compute(block, self._context.progress(text, is_needed=is_needed))
