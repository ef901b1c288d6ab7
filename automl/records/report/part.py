"""What all parts of a report have in common."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_ROUNDING = 1e-6


def _without_rounding(value: object) -> object:
    """A run must not fail at its very end because a sum of float32 probabilities came out as 1.0000001."""
    return 1.0 if isinstance(value, float) and 1 < value < 1 + _ROUNDING else value


Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_without_rounding)]
"""A score or a probability, 0-1."""

Count = Annotated[int, Field(ge=0)]


class ReportPart(BaseModel):
    """A frozen record that is written to JSON and read from it again; keys that it does not know are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        defer_build=True,
    )

    def to_json(self) -> dict[str, Any]:
        """The values of the JSON object, in the order of the fields."""
        return self.model_dump(mode="json")

    def json_text(self) -> str:
        """Indented JSON with a line break at its end, for a file that people may read."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
