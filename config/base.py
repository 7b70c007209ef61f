"""The stuff the models of the house are made of: frozen parts and values with a good example.

`Good` stands beside a value's bounds and says in words what to write instead; `problems.py` puts it
at the end of its sentence. Knows nothing of files, environment or of what the values mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Good:
    """What a good value looks like, to follow the word "give"."""

    says: str


class Part(BaseModel):
    """A frozen part of the configuration that refuses keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


Key = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$", max_length=40),
    Good("a short name of letters, digits and single underscores, like obyvak or pokoj_1"),
]
Text = Annotated[str, Field(min_length=1, max_length=200), Good("a short text")]
Share = Annotated[float, Field(ge=0, le=1), Good("a share from 0 to 1")]
PartShare = Annotated[float, Field(gt=0, le=1), Good("a share above 0 and up to 1")]
PowerKw = Annotated[float, Field(ge=0, le=200), Good("a power from 0 to 200 kW")]
HeaterKw = Annotated[float, Field(gt=0, le=50), Good("a power above 0 kW, usually 0.3 to 2.5")]
Hours = Annotated[float, Field(gt=0, le=168), Good("hours above 0, at most 168")]
HourOfDay = Annotated[float, Field(ge=0, le=24), Good("a local hour from 0 to 24, like 6.5")]
Span = Annotated[
    tuple[HourOfDay, HourOfDay], Good("two local hours, the earlier first, like [10, 11]")
]
PricePerKwh = Annotated[
    float, Field(ge=-100, le=100), Good("a price per kWh in the tariff's currency, like 0.35")
]
Count = Annotated[int, Field(ge=1, le=10000), Good("a whole number from 1")]
Weight = Annotated[float, Field(ge=0, le=1000), Good("a number from 0, usually 0 to 1")]
