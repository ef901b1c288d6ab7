"""A few delivered models, opened and ready to answer. May be used from many threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from automl.errors import BadBundle, DarkroomError
from automl.serving.explained import ExplainedModel
from automl.serving.predict import Classifier
from automl.text.messages import server as server_messages

MAX_MODELS = 4
MAX_BYTES = 512 << 20
_N_THREADS = 1  # a photo takes 10 ms, and a second thread would only slow down a run

Read = Callable[[], bytes]
"""Returns the bytes of a `model.onnx`."""


class OpenModel:
    """A model that is open. The second, larger graph that heat maps need is opened for the first heat map.

    Args:
        model: the bytes of its `model.onnx`.

    Attributes:
        classifier: answers for photos.

    Raises:
        BadBundle: the file is damaged.
    """

    def __init__(self, model: bytes) -> None:
        try:
            self.classifier = Classifier(model, _N_THREADS)
        except Exception as error:  # ONNX Runtime raises types of its own for whatever is wrong with a file
            raise BadBundle(server_messages.MODEL_DAMAGED) from error
        self._n_bytes = len(model)
        self._lock = threading.Lock()
        self._explained: ExplainedModel | None = None
        self._refusal = ""

    @property
    def n_bytes(self) -> int:
        """The memory that its weights take."""
        return self._n_bytes * (1 if self._explained is None else 2)

    def explained(self, read: Read, prepare: Callable[[ExplainedModel], None]) -> ExplainedModel:
        """The model with heat maps.

        Args:
            read: returns the bytes of the model.
            prepare: is called once, with the model when it was just opened.

        Raises:
            BadBundle: heat maps cannot be drawn for this model; and what `read` and `prepare` raise.
        """
        with self._lock:
            if self._refusal:
                raise BadBundle(self._refusal)
            if self._explained is None:
                try:
                    opened = ExplainedModel(read(), _N_THREADS)
                except BadBundle as error:
                    # Not the error itself: its traceback would keep the photos of all callers in memory.
                    self._refusal = error.message
                    raise
                prepare(opened)
                self._explained = opened
            return self._explained


class ModelCache:
    """The models that were used last. The one that has not been used for the longest time is closed first.

    Args:
        max_models: the number of models that are kept.
        max_bytes: the memory that they may take together. The model that is used now is always opened.

    Attributes:
        n_hits: how often a model was asked for that was there, or was being opened.
        n_misses: how often one had to be opened for it.
    """

    def __init__(self, max_models: int = MAX_MODELS, max_bytes: int = MAX_BYTES) -> None:
        self._max_models, self._max_bytes = max_models, max_bytes
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self.n_hits = self.n_misses = 0

    def get(self, key: str, read: Read) -> OpenModel:
        """A model, which is opened if it is not open yet; other models can be used meanwhile.

        Args:
            key: identifies the model.
            read: returns its bytes.

        Raises:
            BadBundle: it cannot be opened; and what `read` raises.
        """
        with self._lock:
            if key in self._slots:
                self.n_hits += 1
            else:
                self.n_misses += 1
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
    """A place for a model. A caller that comes while the model is being opened waits for it."""

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
