"""How much an archive may hold, and the count of what it has given so far."""

from dataclasses import dataclass

from automl.errors import UploadTooLarge
from automl.text.messages import archives as archive_messages

MAX_RATIO = 200
"""An archive that unpacks to more than this many times its own size is not photographs."""

_RATIO_FREE_BYTES = 64 * 1024**2
"""A small archive may unpack to this much, whatever its ratio: a few flat drawings compress very well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What is taken from one archive at most.

    Attributes:
        max_files: Pictures and other files; folders and leftovers of the system do not count.
        max_bytes: All of these files together, unpacked.
    """

    max_files: int
    max_bytes: int

    @property
    def max_entries(self) -> int:
        """Entries of any kind, so with folders and leftovers: a Mac adds a file of its own to each photo."""
        return 4 * self.max_files + 1000


class ArchiveMeter:
    """Counts what an archive gives while it is read, and stops the reading once that is too much.

    Args:
        kind: The suffix of such archives, for messages: ".zip".
        limits: How much may come out.
        n_archive_bytes: The size of the archive itself.
        extra_bytes: Allowed beyond `limits.max_bytes`, for bytes that belong to no file, such as headers.
    """

    def __init__(self, *, kind: str, limits: ArchiveLimits, n_archive_bytes: int, extra_bytes: int = 0) -> None:
        self.kind, self.limits = kind, limits
        self._max_bytes = limits.max_bytes + extra_bytes
        self._suspicious_bytes = max(_RATIO_FREE_BYTES, MAX_RATIO * n_archive_bytes)
        self._n_bytes = self._n_entries = self._n_files = 0

    def add_bytes(self, n_bytes: int) -> None:
        """Counts unpacked bytes.

        Raises:
            UploadTooLarge: There are more of them than the limits allow, or than photographs could give.
        """
        self._n_bytes += n_bytes
        if self._n_bytes > self._max_bytes:
            limit = self.limits.max_bytes
            raise UploadTooLarge(archive_messages.TOO_LARGE_UNPACKED.format(kind=self.kind, limit=limit))
        if self._n_bytes > self._suspicious_bytes:
            raise UploadTooLarge(archive_messages.SWELLS.format(kind=self.kind, ratio=MAX_RATIO))

    def add_entry(self) -> None:
        """Counts a file, a folder or anything else that the archive lists.

        Raises:
            UploadTooLarge: The archive lists more than the limits allow.
        """
        self._n_entries += 1
        if self._n_entries > self.limits.max_entries:
            raise UploadTooLarge(archive_messages.LISTS_TOO_MANY.format(kind=self.kind))

    def add_file(self) -> None:
        """Counts a file that is no leftover of the system.

        Raises:
            UploadTooLarge: The archive holds more files than the limits allow.
        """
        self._n_files += 1
        if self._n_files > self.limits.max_files:
            limit = self.limits.max_files
            raise UploadTooLarge(archive_messages.TOO_MANY_FILES.format(kind=self.kind, limit=limit))
