"""What the doctor says of the classes as a whole."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from automl.datasets.findings.finding import Finding, Fix, Photos, Severity, grouped, ids, is_or_are, leave_out, singles
from automl.datasets.manifest import FEW_IMAGES, quoted
from automl.records import Split
from automl.text.names import counted

MAX_IMBALANCE = 10
_EVENED_IMBALANCE, _MIN_EVENED_PHOTOS = 5, 50
_GRAY_SHARE_GAP = 0.3
_MAX_PAIRS = 20
_SHORTEST_PLURAL = 5
_FIRST_ACCENT = 200
"""Of the canonical combining classes of Unicode."""


def tiny_classes(photos: Photos) -> list[Finding]:
    classes = {group[0].label: group for group in grouped(photos, lambda photo: photo.label)}
    tiny = [label for label in sorted(classes) if len({p.near for p in classes[label]}) < FEW_IMAGES]
    if not tiny:
        return []
    found = [photo for label in tiny for photo in classes[label]]
    # A data set of one class is of no use.
    fix = leave_out(f"Leave {quoted(tiny)} out", found, "photo") if len(classes) - len(tiny) >= 2 else None
    if fix:
        fix = Fix(fix.title, f"Left out {quoted(tiny)}", fix.kind, fix.values)
    return [
        Finding(
            "tiny-class",
            f"{counted(len(tiny), 'class has', 'classes have')} too few different photos: {quoted(tiny)}",
            f"Fewer than {FEW_IMAGES} different photos teach the model little, and its score for them is a guess. Add "
            "photos; near copies count as one.",
            Severity.WARNING,
            tuple(ids(classes[label]) for label in tiny),
            fix,
        )
    ]


def unbalanced(photos: Photos) -> list[Finding]:
    classes = sorted(grouped(photos, lambda photo: photo.label), key=lambda group: (len(group), group[0].label))
    if len(classes) < 2 or len(classes[-1]) < MAX_IMBALANCE * len(classes[0]):
        return []
    smallest, largest = classes[0], classes[-1]
    at_most = max(_EVENED_IMBALANCE * len(smallest), _MIN_EVENED_PHOTOS)
    # By contents, so that the same photos stay whenever it is asked. The test is the user's.
    learned = [[photo for photo in group if photo.split is not Split.TEST] for group in classes]
    order = [sorted(group, key=lambda p: (p.sha256, p.file_id)) for group in learned]
    extra = [photo for group in order for photo in group[at_most:]]
    title = f"Keep at most {at_most:,} photos of a class"
    return [
        Finding(
            "unbalanced",
            f"'{largest[0].label}' has {len(largest):,} photos, '{smallest[0].label}' only {len(smallest):,}",
            "A model gets a good score by giving nearly every photo the larger class. So balanced accuracy, "
            "in which every class counts the same, is the better measure here; more photos of the small class help.",
            Severity.INFO,
            (ids(largest), ids(smallest)),
            Fix(
                title,
                f"Left out {counted(len(extra), 'photo')} of large classes",
                "exclude",
                {"files": list(ids(extra))},
            )
            if extra
            else None,
        )
    ]


def gray_mixed(photos: Photos) -> list[Finding]:
    gray = [photo for photo in photos if photo.is_gray]
    coloured = [photo for photo in photos if not photo.is_gray]
    if not gray or not coloured:
        return []
    n_of, n_gray_of = Counter(photo.label for photo in photos), Counter(photo.label for photo in gray)
    shares = {label: n_gray_of[label] / n for label, n in n_of.items()}
    most, least = (choose(sorted(shares), key=lambda label: shares[label]) for choose in (max, min))
    is_uneven = shares[most] - shares[least] >= _GRAY_SHARE_GAP
    fewer, word = (gray, "gray") if len(gray) <= len(coloured) else (coloured, "coloured")
    n_fewer_of = Counter(photo.label for photo in fewer)
    is_spared = all(2 * n_fewer_of[label] <= n for label, n in n_of.items())
    return [
        Finding(
            "gray",
            f"{counted(len(gray), 'photo')} {is_or_are(len(gray))} gray, {len(coloured):,} in colour",
            f"In '{most}' {100 * shares[most]:.0f} % are gray, in '{least}' {100 * shares[least]:.0f} %. The model may "
            "learn the colour instead of the thing, and then be wrong on new photos. Have both kinds in every class."
            if is_uneven
            else "The model sees both kinds in every class, so this does little harm. If your new photos will all be "
            "of one kind, leave out the other.",
            Severity.WARNING if is_uneven else Severity.INFO,
            singles(fewer),
            leave_out(f"Leave out the {word} ones", fewer, f"{word} photo") if is_spared else None,
        )
    ]


def spellings(photos: Photos) -> list[Finding]:
    n_of = Counter(photo.label for photo in photos)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(n_of, key=lambda label: (-n_of[label], label)):
        alike[_spelling_key(label)].append(label)
    pairs = [(main, other) for main, *others in alike.values() for other in others]
    of_label = {group[0].label: ids(group) for group in grouped(photos, lambda photo: photo.label)}
    return [
        Finding(
            "spelling",
            f"'{other}' and '{main}' are two classes",
            "Their names are nearly the same. If they mean the same thing, the model tries to tell apart what is the "
            "same, and the score suffers.",
            Severity.WARNING,
            (of_label[main], of_label[other]),
            Fix(f"Make them one: '{main}'", f"Joined '{other}' with '{main}'", "rename", {"from": other, "to": main}),
        )
        for main, other in pairs[:_MAX_PAIRS]
    ]


def _spelling_key(label: str) -> str:
    """The same for 'Roses', 'rose ' and 'ROSE', 'Café-au-lait' and 'cafe_au_lait'; 'c' and 'c++' differ."""
    letters = unicodedata.normalize("NFKD", label.casefold())
    # Accents only: what is added to Japanese, Hindi or Arabic letters makes other words.
    letters = "".join(letter for letter in letters if unicodedata.combining(letter) < _FIRST_ACCENT)
    plain = re.sub(r"(?<!\d)[\s_.\-]+(?!\d|$)", "", letters)
    is_plural = len(plain) >= _SHORTEST_PLURAL and plain.isalpha() and plain.endswith("s") and not plain.endswith("ss")
    return plain[:-1] if is_plural else plain


def joined(sentences: Sequence[str]) -> list[Finding]:
    if not sentences:
        return []
    n = len(sentences)
    title = f"{counted(n, 'class name was', 'class names were')} joined with another spelling of the same"
    return [Finding("joined", title, " ".join(sentences), Severity.INFO, (), None)]
