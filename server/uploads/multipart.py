"""Reads a form with files part by part as it arrives, so that nothing is kept in memory or in temporary files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from flask import Request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from automl.errors import BadUpload
from automl.text.messages import server as server_messages

_CHUNK_BYTES = 1 << 17  # smaller ones are slower: gunicorn reads ahead, and copies what is left at every read
_MAX_FIELD_BYTES = 1 << 16
_MAX_HEADER_BYTES = 1 << 18
_MAX_FIELDS = 200
_BROKEN_OFF = (ValueError, OSError, ClientDisconnected)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a form.

    Attributes:
        name: What the sender calls it, for people only.
        body: Its bytes; ends where the file ends.
    """

    name: str
    body: IO[bytes]


@dataclass(frozen=True, slots=True)
class FieldPart:
    """A plain field of a form.

    Attributes:
        name: Name of the field.
        value: What was entered.
    """

    name: str
    value: str


def read_parts(request: Request) -> Iterator[FilePart | FieldPart]:
    """Yields the parts of a multipart form in the order in which they were sent.

    A file's body must be read before the next part is asked for; what is left of it is skipped. File inputs that were
    left empty are not parts.

    Raises:
        BadUpload: This is no multipart form, or it is damaged or broken off.
        RequestEntityTooLarge: It is larger than `request.max_content_length`.
    """
    mimetype, options = parse_options_header(request.headers.get("Content-Type"))
    if mimetype != "multipart/form-data" or not options.get("boundary"):
        raise BadUpload(server_messages.NO_FORM)
    source = _Events(request.stream, options["boundary"].encode("latin-1", "replace"))
    n_fields = 0
    while not isinstance(event := source.next(), Epilogue):
        if isinstance(event, Field):
            n_fields += 1
            if n_fields > _MAX_FIELDS:
                raise BadUpload(server_messages.TOO_MANY_FIELDS.format(most=_MAX_FIELDS))
            yield FieldPart(event.name or "", _read_field(source))
        elif isinstance(event, File):
            body = _Body(source)
            if event.filename:
                yield FilePart(kept_name(event.filename), cast(IO[bytes], body))
            _skip_rest(body)


def read_photos(request: Request) -> Iterator[FilePart | FieldPart]:
    """As `read_parts`, or the one photo that the body is, where its type says so (`image/jpeg`); it has no name."""
    if (request.mimetype or "").startswith("image/"):
        body = _WholeBody(request.stream)
        yield FilePart("", cast(IO[bytes], body))
        _skip_rest(body)  # a client that is still sending would not receive the answer
    else:
        yield from read_parts(request)


def kept_name(name: str) -> str:
    """A file's name as it is kept: browsers write `%22` for a quotation mark, and no control characters are taken."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", name.replace("%22", '"'))


def _read_field(source: "_Events") -> str:
    body, value = _Body(source), bytearray()
    while chunk := body.read():
        value += chunk
        if len(value) > _MAX_FIELD_BYTES:
            raise BadUpload(server_messages.FIELD_TOO_LONG)
    return value.decode("utf-8", "replace")


class _Events:
    """Feeds the decoder from a stream as far as its next event needs."""

    def __init__(self, stream: IO[bytes], boundary: bytes) -> None:
        self._stream = stream
        self._decoder = MultipartDecoder(boundary, max_form_memory_size=_MAX_HEADER_BYTES)

    def next(self) -> Event:
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                self._decoder.receive_data(self._stream.read(_CHUNK_BYTES) or None)
        except _BROKEN_OFF as error:
            raise BadUpload(server_messages.BROKEN_OFF) from error
        return event


class _Body:
    """The bytes of one part, as a readable stream."""

    def __init__(self, source: _Events) -> None:
        self._source = source
        self._left = b""
        self._more = True

    def read(self, n_bytes: int = -1) -> bytes:
        """Up to `n_bytes`, or whatever comes next; empty at the end of the part."""
        while not self._left and self._more:
            event = self._source.next()
            assert isinstance(event, Data)
            self._left, self._more = event.data, event.more_data
        if n_bytes < 0 or n_bytes >= len(self._left):
            data, self._left = self._left, b""
        else:
            data, self._left = self._left[:n_bytes], self._left[n_bytes:]
        return data


class _WholeBody:
    """A request's body, read as `_Body` is: never all of it at once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, n_bytes: int = -1) -> bytes:
        try:
            return self._stream.read(_CHUNK_BYTES if n_bytes < 0 else min(n_bytes, _CHUNK_BYTES))
        except _BROKEN_OFF as error:
            raise BadUpload(server_messages.BROKEN_OFF) from error


def _skip_rest(body: _Body | _WholeBody) -> None:
    while body.read():
        pass
