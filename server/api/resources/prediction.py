"""What a model says of photos, as the API shows it."""

from pydantic import RootModel

from server.api.resources.resource import Resource


class PredictionResource(Resource):
    """What the model says of one photo."""

    name: str
    """Name of the photo in the form; empty where the photo was the body of the request."""

    label: str
    """The likeliest class."""

    confidence: float
    """Its probability."""

    sure: bool | None
    """Whether the confidence reaches the threshold of the run; null where it has none."""

    foreign: bool | None
    """Whether the photo looks like nothing that the model has learned, so that its answer says little; null where the
    model cannot tell."""

    probabilities: dict[str, float]
    """Of every class."""

    latency_ms: float
    """Milliseconds from the bytes of the photo to the answer."""

    heat: str = ""
    """A small JPEG as a `data:` address, if asked for: the photo in gray, bright where it speaks for the answer."""

    row: str = ""
    """The line of the table, if it was asked for."""


class UnreadPhotoResource(Resource):
    """A file that is no photo that can be read."""

    name: str
    """Name of the file in the form."""

    error: str
    """Why, in words."""

    row: str = ""
    """The line of the table, if it was asked for."""


class PredictionListResource(RootModel[list[PredictionResource | UnreadPhotoResource]]):
    """What the model says of the photos of a request, in their order."""


class FeedbackResource(Resource):
    """What became of photos that were added to the data set of a run."""

    received: int
    """Photos that were stored, or are there already."""

    label: str | None
    """The class that they were added to."""

    dataset: str
    """Id of the data set."""

    url: str
    """Address of its page."""

    checking: bool
    """Whether the data set is being checked; false where the queue does not answer."""
