"""Who or what was photographed again and again, by the names of files: `s01` of `s01_happy_1.jpg`."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from automl.labelling.neutral_names import is_origin
from automl.labelling.split_words import words_of

_SUBJECT = re.compile(r"(?<![^\W_])([^\W\d_]+)[_ -]?(\d{1,4})(?![^\W_])")
"""A word with a number, alone between blanks, hyphens and the like: `s01`, `patient_7`."""

_SHORT = words_of("subj sub pat pt ppl usr vol id cam vid clip seq sess")
_FEWEST_OF_LETTERS, _FEWEST_OF_WORDS = 3, 2
"""So many subjects there must be where a single letter stands for them, and where a word does: `t1` and `t2` are kinds
of pictures of a scanner."""

_NEARLY_ALL = 0.9
_PHOTOS_FOR_EACH = 2
"""Subjects have so many photos of each class, on average. What has but one is a counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSubject:
    """A subject in a name.

    Attributes:
        name: What it is called: `s01`.
        rest: The name of the file without it.
    """

    name: str
    rest: str


def subjects_in(stems: Sequence[str]) -> Mapping[str, NameSubject]:
    """The subject in each name, by the name; empty where nearly all names do not have one.

    Args:
        stems: The names of photos, without endings, each once.
    """
    of_word: defaultdict[str, dict[str, NameSubject]] = defaultdict(dict)
    for stem in stems:
        for word, subject in _candidates(stem):
            of_word[word].setdefault(stem, subject)
    for word, found in of_word.items():
        n_subjects = len({one.name for one in found.values()})
        fewest = _FEWEST_OF_LETTERS if len(word) == 1 else _FEWEST_OF_WORDS
        if n_subjects >= fewest and len(found) >= _NEARLY_ALL * len(stems):
            return found
    return {}


def are_subjects(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether what was found are subjects, given each photo's subject and class: most of them are seen in several
    classes."""
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for subject, label in pairs:
        classes[subject].add(label)
    return 2 * sum(len(labels) > 1 for labels in classes.values()) > len(classes)


def are_groups(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether subjects, given with the class of each photo, have several photos of a class, and so are no counters."""
    return len(pairs) >= _PHOTOS_FOR_EACH * len(set(pairs))


def _candidates(stem: str) -> Iterator[tuple[str, NameSubject]]:
    for found in _SUBJECT.finditer(stem):
        word = found[1].lower()
        if len(word) == 1 or word in _SHORT or is_origin(f"{word} {found[2]}"):
            rest = stem[: found.start()] + stem[found.end() :]
            yield word, NameSubject(name=found[0], rest=rest)
