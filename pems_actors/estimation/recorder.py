"""What a picture of the house is worth as a record: rows of the history, samples to learn from."""

from __future__ import annotations

from functools import lru_cache

from pems_actors.domain.flexible_load import LoadReading
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading

OVER_POWER = 1.5  # a load that says it draws more than so many times its power is not believed
_FULL_SOC_FRAC = 0.02
_NEAR_LIMIT_FRAC = 0.97

Row = tuple[str, float, float]  # of the history: series, instant, value


class Recorder:
    """Reads pictures of one house. What a picture does not say is not recorded, and never 0."""

    def __init__(self, house: House) -> None:
        """Learn the powers of relays and flexible loads."""
        self.house = house
        self.power_kw = {relay.name: relay.power_kw for relay in house.relays}
        self.loads = {load.name: load for load in house.loads}

    def rows(self, reading: HouseReading) -> tuple[Row, ...]:
        """Lay out what was said as rows of the history."""
        rows = _room_rows(reading)
        meter, battery, inverter = reading.meter, reading.battery, reading.inverter
        if reading.outdoor is not None and reading.outdoor.temp_c is not None:
            rows.append(("outdoor_c", reading.at_s, reading.outdoor.temp_c))
        if meter is not None and meter.grid_kw is not None:
            rows.append(("grid_kw", meter.at_s, meter.grid_kw))
        if meter is not None and meter.load_kw is not None:
            rows.append(("load_kw", meter.at_s, meter.load_kw))
        if inverter is not None and inverter.pv_kw is not None:
            rows.append(("pv_kw", inverter.at_s, inverter.pv_kw))
        if battery is not None and battery.soc_frac is not None:
            rows.append(("soc_frac", battery.at_s, battery.soc_frac))
        if battery is not None and battery.power_kw is not None:
            rows.append(("battery_kw", battery.at_s, battery.power_kw))
        rows += [(f"flexible_kw.{r.load}", r.at_s, r.power_kw)
                 for r in self.sound_loads(reading) if r.power_kw is not None]  # fmt: skip
        return tuple(rows)

    def sound_loads(self, reading: HouseReading) -> tuple[LoadReading, ...]:
        """Give the readings of known flexible loads, without powers that they cannot have."""
        if not self.loads:
            return ()
        return tuple(self._sound(said) for said in reading.loads if said.load in self.loads)

    def base_load_kw(self, reading: HouseReading) -> float | None:
        """House load without our own relays and flexible loads; unknown if any of them is."""
        if reading.meter is None or reading.meter.load_kw is None:
            return None
        heating_kw, power_kw = 0.0, self.power_kw
        for name, _, _, relay_on, _, _ in reading.rooms:
            if relay_on:
                heating_kw += power_kw.get(name, 0.0)
            elif relay_on is None and name in power_kw:
                return None
        flexible_kw = self._flexible_kw(reading)
        if flexible_kw is None:
            return None
        return max(0.0, reading.meter.load_kw - heating_kw - flexible_kw)

    def is_curtailed(self, reading: HouseReading) -> bool:
        """Tell if less sun was used than there was: at the limit, or nowhere to go with it."""
        battery, inverter = reading.battery, reading.inverter
        if inverter is None:
            return False
        limit_kw, full_frac = self.house.inverter.ac_limit_kw, self.house.battery.max_soc_frac
        at_limit = (inverter.pv_kw or 0.0) > _NEAR_LIMIT_FRAC * limit_kw
        full = battery is not None and (battery.soc_frac or 0.0) > full_frac - _FULL_SOC_FRAC
        return at_limit or (full and inverter.export_allowed is False)

    def _sound(self, said: LoadReading) -> LoadReading:
        most_kw = OVER_POWER * self.loads[said.load].power_kw
        sound = said.power_kw is not None and 0.0 <= said.power_kw <= most_kw
        return said if sound else said._replace(power_kw=None)

    def _flexible_kw(self, reading: HouseReading) -> float | None:
        """Power of all flexible loads; None if one of them says nothing."""
        said = {each.load: each.power_kw for each in self.sound_loads(reading)}
        known = [kw for kw in said.values() if kw is not None]
        return sum(known) if len(known) == len(self.loads) else None


def _room_rows(reading: HouseReading) -> list[Row]:
    """Lay out what the rooms say of their air and their relays."""
    rows = []
    for room, at_s, temp_c, relay_on, _, _ in reading.rooms:
        air, relay = _series(room)
        if temp_c is not None:
            rows.append((air, at_s, temp_c))
        if relay_on is not None:
            rows.append((relay, at_s, 1.0 if relay_on else 0.0))
    return rows


@lru_cache(maxsize=256)
def _series(room: str) -> tuple[str, str]:
    """Name the series of a room in the history: its air, its relay."""
    return f"temp_c.{room}", f"relay.{room}"
