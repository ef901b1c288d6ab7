"""A message that is said in other words of one thing than of several."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOrMany:
    """Two whole sentences, of which the number `n` chooses one. It is filled as a text is, with `format`.

    Attributes:
        one: Said of one thing.
        many: Said of none and of several.
    """

    one: str
    many: str

    def format(self, *, n: int, **values: object) -> str:
        """The sentence for `n` things; both sentences know `n` and the other values by name."""
        return (self.one if n == 1 else self.many).format(n=n, **values)
