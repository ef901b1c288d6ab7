"""The one rule by which all photos of a data set become pixels, chosen from what was found out about each of them."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from automl.records import GrayFacts, GrayRange, GrayRules, PixelFacts, ServingContract, TransparencyFacts
from automl.records.serving_contract import Background
from automl.serving.predict import PhotoRules, range_holding
from automl.text.messages import pixels as pixel_messages

BLANK_SPREAD = 4.0
"""A photo whose gray values, 0-255, have no larger standard deviation shows nothing."""

_MAY_VANISH_SHARE = 0.02
"""So few photos may be invisible before white, which is what people expect."""

_LEAST_BRIGHT_SHARE = 1 / 15
"""Photos whose bright parts are darker than this share of their range are scaled by what they hold. Twelve bits whose
file has letters of full 16-bit white in it are such ones, and so are twelve bits among files of sixteen."""

_FEW_PHOTOS = (5, 95)
"""Percentiles: a window that all but a few photos fit into."""


def contract_for(facts: Sequence[PixelFacts]) -> ServingContract:
    """The contract for photos with these facts; ordinary photos, which have none, do not matter for it."""
    gray = [one.gray for one in facts if one.gray is not None]
    integers = _ranges([one for one in gray if not one.is_float])
    floats = _ranges([one for one in gray if one.is_float])
    return ServingContract(
        background=_background([one.transparency for one in facts if one.transparency is not None]),
        gray=GrayRules(
            integers=integers[0] if integers else None,
            floats=floats[0] if floats else None,
            darker_integers=tuple(reversed(integers[1:])),
            darker_floats=tuple(reversed(floats[1:])),
        ),
    )


@lru_cache(maxsize=64)
def rules_of(contract: ServingContract | None) -> PhotoRules:
    """The contract as the delivered program reads it. None is for data sets that are older than it."""
    return PhotoRules.read(contract.json_text() if contract else "")


def visible_spread(facts: PixelFacts, contract: ServingContract) -> float:
    """How much the brightness of such a photo varies once it is decoded by the contract, as a standard deviation.

    A photo that is dark beside the others is no blank one, so where it shows more when its own largest value is white,
    that counts.
    """
    if facts.transparency is not None:
        return _SPREADS[contract.background](facts.transparency)
    assert facts.gray is not None
    return max(_spread_by(facts.gray, rules_of(contract)), _own_spread(facts.gray))


def _spread_by(facts: GrayFacts, rules: PhotoRules) -> float:
    black, white = rules.range_for(facts.lowest, facts.highest, is_float=facts.is_float)
    return 255 * facts.deviation / (white - black) if white > black else 0.0


def _own_spread(facts: GrayFacts) -> float:
    """Where its largest value is white. It is 0 of values below 0, since a window is always full of what is in it."""
    white = max(facts.highest, 1.0 if facts.is_float else 255.0)
    return 255 * facts.deviation / white if facts.lowest >= 0 else 0.0


def described(contract: ServingContract) -> list[str]:
    """A sentence for each part of the contract that is not what everybody expects."""
    sentences = []
    gray = contract.gray
    for words, ranges in (
        (pixel_messages.GRAY_INTEGERS, [gray.integers]),
        (pixel_messages.DARKER_INTEGERS, gray.darker_integers),
        (pixel_messages.GRAY_FLOATS, [gray.floats]),
        (pixel_messages.DARKER_FLOATS, gray.darker_floats),
    ):
        sentences += [_in_words(words, one) for one in ranges if one is not None]
    if contract.background == "black":
        sentences.append(pixel_messages.BLACK_BACKGROUND)
    if contract.background == "gray":
        sentences.append(pixel_messages.GRAY_BACKGROUND)
    return sentences


def _in_words(sentence: str, of: GrayRange) -> str:
    return sentence.format(black=f"{of.black:.6g}", white=f"{of.white:.6g}")


def _ranges(facts: Sequence[GrayFacts]) -> list[GrayRange]:
    """The range of the values of all photos, then smaller and smaller ones of those that would be almost black in it.

    Files of 12 bits among others of 16 are such photos. A blank photo never has a range made for it.
    """
    found: list[GrayRange] = []
    rest = facts
    while rest:
        known = _range(rest)
        if found and known.white >= found[-1].white:
            break
        found.append(known)
        dark = _LEAST_BRIGHT_SHARE * known.white if known.black == 0 else 0.0
        rest = [one for one in rest if one.lowest >= 0 and one.highest < dark and _own_spread(one) >= BLANK_SPREAD]
    return found


def _range(facts: Sequence[GrayFacts]) -> GrayRange:
    """The range of the values of all photos; a window of their usual values where no range fits them."""
    is_float = facts[0].is_float
    lowest, highest = min(one.lowest for one in facts), max(one.highest for one in facts)
    dark = float(np.percentile([one.dark for one in facts], _FEW_PHOTOS[0], method="lower"))
    bright = float(np.percentile([one.bright for one in facts], _FEW_PHOTOS[1], method="higher"))
    for top in (highest, bright):
        held = range_holding(lowest, top, is_float=is_float)
        if held is not None and bright >= _LEAST_BRIGHT_SHARE * held[1]:
            return GrayRange(black=held[0], white=held[1])
    black = dark if lowest < 0 else 0.0
    return GrayRange(black=black, white=bright if bright > black else max(highest, black + 1))


def _background(facts: Sequence[TransparencyFacts]) -> Background:
    """White, unless many drawings would vanish before it: then that before which the fewest do."""
    n_hidden = {name: sum(spread(one) < BLANK_SPREAD for one in facts) for name, spread in _SPREADS.items()}
    if n_hidden["white"] <= _MAY_VANISH_SHARE * len(facts):
        return "white"
    return min(n_hidden, key=lambda name: n_hidden[name])


_SPREADS: dict[Background, Callable[[TransparencyFacts], float]] = {
    "white": lambda facts: facts.on_white,
    "black": lambda facts: facts.on_black,
    "gray": lambda facts: facts.on_gray,
}
"""How much is to be seen before each background, the preferred one first."""
