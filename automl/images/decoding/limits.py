"""What one picture may cost, and how many may be decoded at once."""

import math
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from automl.available_memory import available_bytes
from automl.processors import n_processors

WORKING_BYTES = 400_000_000
"""What a decoder may take beyond the pixels themselves: for the file and for copies of the pixels."""

SECONDS_A_PICTURE = 20.0
"""A picture that takes longer is refused. A photo takes some hundredths of a second."""

DEFAULT_IMAGE_BYTES = 400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingLimits:
    """The limits of a decoder.

    Attributes:
        max_image_bytes: Width x height x channels x bytes of a sample, at most.
        seconds: The time that one picture may take.
        working_bytes: The memory that the process may take beyond `max_image_bytes` and what it has at rest.
    """

    max_image_bytes: int = DEFAULT_IMAGE_BYTES
    seconds: float = SECONDS_A_PICTURE
    working_bytes: int = WORKING_BYTES

    @property
    def process_bytes(self) -> int:
        """The memory that a picture may take."""
        return self.max_image_bytes + self.working_bytes


def n_decoders(limits: DecodingLimits, *, available: int | None = None) -> int:
    """How many decoders may run at once: one for each processor, as far as all of them find memory; at least 1.

    available: bytes that are free; by default those of this machine or container.
    """
    free = available_bytes() if available is None else available
    by_memory = n_processors() if free is None else free // limits.process_bytes
    return max(1, min(n_processors(), by_memory))


def limit_memory(limits: DecodingLimits) -> None:
    """From here on, this process can take no more than the limits allow; more raises MemoryError.

    Where the system does not tell the memory of a process (macOS), nothing is limited.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if at_rest := _data_bytes():
        most = at_rest + limits.process_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def limit_cpu(limits: DecodingLimits) -> None:
    """The system ends this process with SIGXCPU if it computes for longer than a picture may take, from now on.

    It backs up the parent, which counts the time itself, but may be stopped or busy.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = math.ceil(time.process_time() + limits.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds if most < 0 else min(seconds, most), most))


def _data_bytes() -> int | None:
    """What counts towards RLIMIT_DATA."""
    if sys.platform != "linux":
        return None
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return None
