"""What requests bring: a JSON object or the fields of a form, each kind of request as one Pydantic model."""

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, TypeVar

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StrictInt, StrictStr, ValidationError

from automl.errors import BadSetting, BadUpload, NotAllowedNow, UserError
from automl.options import RUN_OPTIONS
from automl.store.database import find_dataset
from automl.text.messages import server as server_messages
from server.live.requests import MORE_TIME_S
from server.services import services
from server.template_filters import clean_name
from server.uploads.multipart import kept_name, read_parts
from server.uploads.receive import Upload, remove_dataset, take_upload

MAX_FILES_A_QUESTION = 5000
_MAX_QUESTION_BYTES = 16 << 20

_FORM_WITH_FILES = "multipart/form-data"
_YES = frozenset({"1", "yes", "true"})

Values = Mapping[str, JsonValue]
"""Fields by name, as JSON or a form has them."""


def _text_of(value: object) -> str:
    return str(value or "")


def _is_yes(value: object) -> bool:
    return value in _YES


Text = Annotated[str, BeforeValidator(_text_of)]
"""Any value as text, nothing as an empty text."""

Yes = Annotated[bool, BeforeValidator(_is_yes)]
"""True for "1", "yes" and "true"."""


class RequestBody(BaseModel):
    """The fields of one kind of request."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    error: ClassVar[type[UserError]] = BadSetting
    """What is raised where a field cannot be used."""

    refusals: ClassVar[Mapping[str, str]] = {}
    """By the name of a field: what is said where its value cannot be used."""

    @classmethod
    def refusal(cls, place: tuple[int | str, ...], kind: str) -> str:  # noqa: ARG003 - some kinds of requests need it
        """What is said of a value. `place`: where in the request it is; `kind`: what Pydantic calls the mistake."""
        return cls.refusals[str(place[0])]


class DatasetBody(RequestBody):
    """A new data set."""

    name: Text = ""
    """What to call it; empty for the name of the folder or archive that the files are in."""


class NameBody(RequestBody):
    """Another name of a data set or a run."""

    refusals = {"name": server_messages.NAME_MISSING}

    name: StrictStr
    """What to call it from now on; a run with an empty name is called after its time."""


class DeletionQuery(RequestBody):
    """How a data set or a run is deleted."""

    now: Yes = False
    """Whether it is removed for good, instead of being put into the bin."""


class EditBody(RequestBody):
    """One edit of a data set."""

    refusals = {"values": server_messages.VALUES_NO_OBJECT}

    kind: Text = ""
    """What kind of edit it is."""

    values: dict[str, JsonValue] = Field(default_factory=dict)
    """The fields of an edit of this kind."""


class FixBody(RequestBody):
    """Which finding is to be fixed."""

    finding: Text = ""
    """Its `kind`, or its `key` where there are several of a kind; its `key` with `-keep` behind it says that nothing is
    wrong. `harmless` does what is proposed for exact copies and for photos that show nothing, as one edit."""


class ExtensionBody(RequestBody):
    """How much more time a run gets."""

    refusals = {"minutes": server_messages.MINUTES_NO_NUMBER}

    minutes: float = MORE_TIME_S / 60
    """Minutes more."""


class RunBody(RequestBody):
    """A new run. The fields of `automl.options.RUN_OPTIONS` are beside these."""

    refusals = {
        "dataset": server_messages.PHOTOS_MISSING,
        "parent": server_messages.PARENT_NO_ID,
    }

    dataset: Annotated[StrictStr, Field(min_length=1)]
    """Id of a data set; left out where files are sent along."""

    name: Text = ""
    """Name of the data set that the files make."""

    run_name: Text = ""
    """What to call the run."""

    parent: Annotated[StrictStr | None, BeforeValidator(lambda value: value or None)] = None
    """Id of the run of the same data set that this one follows with a change."""


RUN_FIELDS = frozenset({*RunBody.model_fields, "minutes", *RUN_OPTIONS})
"""All fields of a request that starts a run. `minutes` is the free entry of the web form."""


class AskedFile(BaseModel):
    """A file that the sender has."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: StrictStr
    """Its path in the folder."""

    n_bytes: StrictInt
    """Its size."""

    sha256: Annotated[StrictStr, BeforeValidator(lambda value: value or "")] = ""
    """Of its bytes; empty where the sender does not know."""

    @property
    def kept_name(self) -> str:
        """The name under which it is stored."""
        return kept_name(self.name)

    def is_in(self, here: Mapping[tuple[str, int], Set[str]]) -> bool:
        """Whether it is here, by its name and size, and by its SHA-256 where the sender knows it."""
        hashes = here.get((self.kept_name, self.n_bytes), set())
        return self.sha256.lower() in hashes if self.sha256 else bool(hashes)


class MissingFilesBody(RequestBody):
    """Which files are to be looked for."""

    error = BadUpload

    files: Annotated[list[AskedFile], Field(max_length=MAX_FILES_A_QUESTION)]
    """The files, at most so many at once."""

    label: StrictStr | None = None
    """The class that they are to be sent to, if any."""

    def missing_in(self, here: Mapping[tuple[str, int], Set[str]]) -> list[int]:
        """The places of the files that are not here. here: the SHA-256 of what is stored, by name and size."""
        return [place for place, file in enumerate(self.files) if not file.is_in(here)]

    @classmethod
    def refusal(cls, place: tuple[int | str, ...], kind: str) -> str:
        if place[:1] == ("label",):
            return server_messages.LABEL_NO_NAME
        if kind == "too_long":
            return server_messages.TOO_MANY_FILES_ASKED.format(most=MAX_FILES_A_QUESTION)
        if len(place) > 1:
            return server_messages.FILE_INCOMPLETE
        return server_messages.NO_LIST_OF_FILES.format(example=_LIST_OF_FILES)


class PredictionQuery(RequestBody):
    """In what form the answers about photos are wanted."""

    form: Annotated[str, Field(alias="as")] = ""
    """`csv` for the table of `automl predict --csv`."""

    heat: Yes = False
    """With a picture of what the model looked at."""

    row: Yes = False
    """With the line of the table, too."""


_LIST_OF_FILES = '{"files": [{"name": "rose/1.jpg", "n_bytes": 20000}]}'

_Body = TypeVar("_Body", bound=RequestBody)


def read_body(kind: type[_Body]) -> _Body:
    """The body of the present request.

    Raises:
        BadUpload: It is neither a JSON object nor a form without files.
        UserError: A field that does not exist, or that cannot be used.
    """
    return checked(kind, read_values(frozenset(kind.model_fields)))


def checked(kind: type[_Body], values: Mapping[str, object] | None) -> _Body:
    """`values` as this kind of body; fields that it does not have are ignored.

    Raises:
        UserError: Values that cannot be used, with what is wrong.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise kind.error(kind.refusal(first["loc"], first["type"])) from None


def read_values(known: frozenset[str]) -> Values:
    """The request's JSON object or form fields. Raises as `read_body`."""
    if request.is_json:
        values = read_json()
        if not isinstance(values, dict):
            raise BadUpload(server_messages.NO_OBJECT)
        return _known(values, known)
    if any(file.filename for file in request.files.values()):
        raise BadUpload(server_messages.NO_FILES_HERE)
    return _known(request.form.to_dict(), known)


def read_missing_files() -> MissingFilesBody:
    """The request's question for what is missing. Raises as `read_body`."""
    request.max_content_length = _MAX_QUESTION_BYTES
    return checked(MissingFilesBody, read_json())


def read_json() -> Any:
    """The JSON of the present request; None where it is none, or nested too deep to be read."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def brings_files() -> bool:
    """Whether the present request is a form that may have files."""
    return request.mimetype == _FORM_WITH_FILES


@contextmanager
def uploaded(known: frozenset[str]) -> Iterator[tuple[Upload, Values]]:
    """What a form with files has brought: its files as a data set, and its other fields.

    Where the block fails, nothing is left of it.
    """
    request.max_content_length = services().settings.max_request_bytes
    upload = take_upload(services(), read_parts(request))
    try:
        values = _known(upload.fields, known)
        if upload.dataset_id is not None:
            if values.get("dataset"):
                raise NotAllowedNow(server_messages.FILES_OR_DATASET)
            with services().database.session() as session:
                dataset = find_dataset(session, upload.dataset_id)
                dataset.name = clean_name(str(values.get("name") or upload.suggested_name()))
        yield upload, values
    except Exception:
        if upload.dataset_id is not None:
            remove_dataset(services(), upload.dataset_id)
        raise


def _known(values: Mapping[str, JsonValue] | Mapping[str, str], known: frozenset[str]) -> Values:
    if unknown := sorted(set(values) - known):
        raise BadSetting(server_messages.NO_SUCH_FIELD.format(name=unknown[0], known=", ".join(sorted(known))))
    return dict(values)
