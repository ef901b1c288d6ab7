"""What came of the proof of one format of a model."""

from automl.records.stored_record import StoredRecord


class Proof(StoredRecord):
    """How a format did when it was loaded again and tested. Figures are None where it could not be loaded again."""

    format: str
    """Name of the format, such as "onnx"."""

    n_bytes: int
    """Size of the model."""

    is_true: bool
    """Whether it may be handed out as the same model."""

    words: str
    """A sentence for the tick box and the report."""

    accuracy: float | None = None
    """The share of the test photos that it classifies correctly, 0-1; None also where there was no test set."""

    agreement: float | None = None
    """The share of the photos that it was tried on to which it gives the same answer as the model itself, 0-1."""

    largest_difference: float | None = None
    """Of any probability from that of the model itself, 0-1."""

    latency_s: float | None = None
    """Seconds for one photo, decoded already, on the CPU of the machine that made it."""

    load_s: float | None = None
    """Seconds for loading the model."""
