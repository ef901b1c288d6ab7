"""Whether two people who did not know of each other have said contradictory things about a data set."""

from automl.datasets.edits import AssignPart, ChooseReading, Edit, JoinSpellings, MoveFiles, RenameClass, edit_values


def contradict(mine: Edit, theirs: Edit, *, is_undone: bool = False) -> bool:
    """Whether somebody who does not know of `theirs` yet may want to think again about `mine`.

    Changes of different photos never contradict each other, nor do two people who say the same. Names of classes do:
    after "rose" has become "roses", a photo that is put into "rose" would start a class of its own.

    Args:
        mine: What is to be done, or undone.
        theirs: What was done, or undone, meanwhile.
        is_undone: Whether either is being undone, so that saying the same does not agree.
    """
    if not is_undone and mine.kind == theirs.kind and _said(mine) == _said(theirs):
        return False
    if isinstance(mine, _READ_ANEW) or isinstance(theirs, _READ_ANEW):
        return True  # any photo may be of another class afterwards
    if isinstance(theirs, RenameClass) or (is_undone and isinstance(mine, RenameClass)):
        return not _names(mine).isdisjoint(_names(theirs))
    if mine.kind == theirs.kind and not _files(mine):
        return not isinstance(mine, RenameClass)  # one switch, the other way round
    if isinstance(mine, AssignPart) != isinstance(theirs, AssignPart):
        return False  # in which part a photo is has nothing to do with what it shows
    return not _files(mine).isdisjoint(_files(theirs))


_READ_ANEW = (ChooseReading, JoinSpellings)
"""Edits that may give any photo another class."""


def _said(edit: Edit) -> dict[str, object]:
    """What an edit says, whatever photos it says it of."""
    return {name: value for name, value in edit_values(edit).items() if name != "files"}


def _files(edit: Edit) -> frozenset[int]:
    return frozenset(getattr(edit, "files", ()))


def _names(edit: Edit) -> frozenset[str]:
    """The classes that an edit names."""
    if isinstance(edit, RenameClass):
        return frozenset({edit.old, edit.new})
    return frozenset({edit.to}) if isinstance(edit, MoveFiles) else frozenset()
