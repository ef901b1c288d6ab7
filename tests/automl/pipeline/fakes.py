"""Stand-ins for what the end of a run is foreseen with."""


class SteadyPace:
    """A machine that takes `times` as long as in its quickest moments; `is_known`: earlier runs have seen these."""

    def __init__(self, times: float = 1.0, *, is_known: bool = True) -> None:
        self.times, self.is_known = times, is_known

    def slowness(self) -> float:
        return self.times
