"""The same class written twice: `Cat`, `cat ` and `CAT`, `leaf_spot` and `leaf spot`, `cat` and `cat - Copy`."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

_COPY = re.compile(r"( - (copy|kopie|copie|copia|kopia))?( ?\(\d+\))?$", re.IGNORECASE)
"""What Windows and others put behind the name of a folder that is copied or unpacked again: `cat - Copy`, `cat (2)`."""


def joined_spellings(labels: Iterable[str]) -> dict[str, str]:
    """For each label that is only another spelling of a class, the spelling that most photos have.

    Args:
        labels: One for each photo.
    """
    counts = Counter(labels)
    keys = {label: spelling_key(label) for label in counts}
    known = frozenset(keys.values())
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label, key in keys.items():
        original = spelling_key(_COPY.sub("", label))
        groups[original if original in known else key].append(label)
    joined: dict[str, str] = {}
    for group in groups.values():
        # Among equally common spellings, one that is not all capitals reads best.
        kept = min(group, key=lambda label: (_is_copy(label), -counts[label], label.isupper(), label))
        joined |= {label: kept for label in sorted(group) if label != kept}
    return joined


def _is_copy(label: str) -> bool:
    return _COPY.sub("", label) != label


def spelling_key(label: str) -> str:
    """A text that is equal for labels that differ only in capitals, or in `_`, `-` and blanks.

    A single letter keeps its case: in a collection of letters, `a` and `A` are two classes. A `-` at either end stays,
    for `-1` is not `1`, and the grade `A-` is not `A`.
    """
    key = re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", label).rstrip(" _")
    return (key.casefold() if len(key) > 1 else key) or label
