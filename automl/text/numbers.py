"""Numbers as people read them: the same on the pages, in the report and in the model card."""

from automl.text.messages import pieces


def percent(share: float | None, n_digits: int = 1) -> str:
    """ "93.0 %" for 0.93; a dash for nothing. Never rounded up to 100 or down to 0."""
    if share is None:
        return "–"
    lowest = 10**-n_digits
    shown = round(share * 100, n_digits)
    if share < 1:
        shown = min(shown, 100 - lowest)
    if share > 0:
        shown = max(shown, lowest)
    return f"{shown:.{n_digits}f} %"


def validated(score: float) -> str:
    """ "93.0 % on photos it had not learned from" for 0.93: what is said of a model that has not been tested."""
    return pieces.ON_PHOTOS_NOT_LEARNED_FROM.format(share=percent(score))


def size_in_words(n_bytes: float) -> str:
    """ "12.3 MB"; decimal units, as file managers show them."""
    if n_bytes < 1000:
        return pieces.BYTES.format(n=round(n_bytes))
    amount = float(n_bytes)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5 or unit == "GB":
            break
    return f"{amount:.0f} {unit}" if amount >= 99.5 else f"{amount:.1f} {unit}"


def latency_in_words(seconds: float) -> str:
    """ "8 ms" for 0.008, "0.4 ms", "1.2 s"."""
    ms = seconds * 1000
    return f"{ms / 1000:.1f} s" if ms >= 999.5 else f"{ms:.0f} ms" if ms >= 9.95 else f"{ms:.1f} ms"
