"""Lists of names as they stand in a sentence."""

from collections.abc import Sequence

from automl.text.messages import pieces


def names_in_words(names: Sequence[str], most: int = 10) -> str:
    """ "a", "a and b", "a, b and 3 more": of more than `most` names only so many are named."""
    if len(names) > most:
        return pieces.NAMES_AND_MORE.format(names=", ".join(names[:most]), n=len(names) - most)
    if len(names) < 2:
        return "".join(names)
    return pieces.NAMES_AND_LAST.format(all_but_last=", ".join(names[:-1]), last=names[-1])


def quoted(names: Sequence[str], most: int = 5) -> str:
    """The first names in quotation marks, such as "'ants', 'bees' and 3 more"."""
    return names_in_words([pieces.QUOTED_NAME.format(name=name) for name in names], most)
