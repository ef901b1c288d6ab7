"""The same class written twice: `Cat`, `cat ` and `CAT`, `leaf_spot` and `leaf spot`."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable


def joined_spellings(labels: Iterable[str]) -> dict[str, str]:
    """Each label that is another's spelling -> the spelling that most photos have. `labels`: one a photo."""
    counts = Counter(labels)
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[spelling_key(label)].append(label)
    joined: dict[str, str] = {}
    for group in groups.values():
        kept = min(group, key=lambda label: (-counts[label], label.isupper(), label))
        joined |= {label: kept for label in sorted(group) if label != kept}
    return joined


def spelling_key(label: str) -> str:
    """Equal for what differs only in capitals, or in `_`, `-` and blanks.

    A single letter keeps its case: `a` and `A` are two classes to whoever collects letters. A `-` at either end stays,
    for `-1` is not `1`, and the grade `A-` is not `A`.
    """
    key = re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", label).rstrip(" _")
    return (key.casefold() if len(key) > 1 else key) or label
