"""A few delivered models, opened and ready to answer. May be used from many threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from automl.errors import BadBundle, DarkroomError
from automl.serving.explained import ExplainedModel
from automl.serving.predict import Classifier

MAX_MODELS = 4
MAX_BYTES = 512 << 20
_N_THREADS = 1  # a photo takes 10 ms, and a second thread would only get into the way of a run

Read = Callable[[], bytes]
"""Gets the bytes of a `model.onnx`."""


class OpenModel:
    """One model. The second, larger graph that heat maps need is opened when one is asked for first."""

    def __init__(self, model: bytes) -> None:
        try:
            self.classifier = Classifier(model, _N_THREADS)
        except Exception as error:  # ONNX Runtime raises types of its own for whatever is wrong with a file
            raise BadBundle("The model of this run cannot be opened; its file is damaged.") from error
        self._n_bytes = len(model)
        self._lock = threading.Lock()
        self._explained: ExplainedModel | None = None
        self._refusal = ""

    @property
    def n_bytes(self) -> int:
        """What its weights take in memory."""
        return self._n_bytes * (1 if self._explained is None else 2)

    def explained(self, read: Read, prepare: Callable[[ExplainedModel], None]) -> ExplainedModel:
        """With heat maps; `prepare` is called once, with the model that was just opened.

        Raises:
            BadBundle: this model does not tell what it looks at; and what `read` and `prepare` raise.
        """
        with self._lock:
            if self._refusal:
                raise BadBundle(self._refusal)
            if self._explained is None:
                try:
                    opened = ExplainedModel(read(), _N_THREADS)
                except BadBundle as error:
                    # Not the error itself: whatever is raised again keeps the photos of all its callers alive.
                    self._refusal = error.message
                    raise
                prepare(opened)
                self._explained = opened
            return self._explained


class ModelCache:
    """The models that were asked last. What has to go is the one that nobody has asked for the longest time.

    `max_models`, `max_bytes`: of those that are kept; the one that is asked now is always opened.
    """

    def __init__(self, max_models: int = MAX_MODELS, max_bytes: int = MAX_BYTES) -> None:
        self._max_models, self._max_bytes = max_models, max_bytes
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()

    def get(self, key: str, read: Read) -> OpenModel:
        """The model `key`, opened from what `read` returns if it is not open yet; others can be asked meanwhile.

        Raises:
            BadBundle: it cannot be opened; and what `read` raises.
        """
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
        try:
            model = slot.model(read)
        except DarkroomError:
            with self._lock:
                self._slots.pop(key, None)
            raise
        with self._lock:
            self._evict()
        return model

    def __len__(self) -> int:
        return len(self._slots)

    def _evict(self) -> None:
        while len(self._slots) > 1 and not self._fits():
            self._slots.popitem(last=False)

    def _fits(self) -> bool:
        n_bytes = sum(slot.n_bytes for slot in self._slots.values())
        return len(self._slots) <= self._max_models and n_bytes <= self._max_bytes


class _Slot:
    """A place for a model; whoever comes while it is being opened waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: OpenModel | None = None

    def model(self, read: Read) -> OpenModel:
        with self._lock:
            if self._model is None:
                self._model = OpenModel(read())
            return self._model

    @property
    def n_bytes(self) -> int:
        return self._model.n_bytes if self._model else 0
