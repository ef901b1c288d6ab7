"""Stand-ins for what the end of a run is foreseen with."""


class SteadyPace:
    """A machine that takes `times` as long as in its quickest moments."""

    def __init__(self, times: float = 1.0) -> None:
        self.times = times

    def slowness(self) -> float:
        return self.times
