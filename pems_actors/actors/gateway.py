"""The gateway: takes each picture of the house apart and sends every part to whom it concerns.

It also keeps the beat: if the house stays silent, rooms and devices still get their ticks, with
nothing read in them, so that each can fall back by its own rules. What no sensor of its kind can
say (no number, 85 °C in a room) is taken out here, and so is what the inspector does not believe,
so that everybody else may trust a number. As it sees every picture first, it also looks at the
clock: who remembers instants hears of a jump before the picture that shows it.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

from pems_actors.actors.base import (
    BATTERY,
    ESTIMATOR,
    GUARD,
    HISTORY,
    INSPECTOR,
    INVERTER,
    LOAD,
    METER,
    PLAN_KEEPER,
    PLANNER,
    POWER_BUDGET,
    PV,
    WEATHER,
    HouseActor,
    Samples,
    load_address,
    room_address,
)
from pems_actors.actors.incidents import begin_with, close_incident, open_incident, still_open
from pems_actors.control.clock_trust import NOTED_S, REPLAN_S, ClockTrust
from pems_actors.control.outdoor import OutdoorBelief
from pems_actors.domain.events import (
    EnergyTick,
    LoadSample,
    Outdoor,
    PvSample,
    RoomTick,
    Tick,
)
from pems_actors.domain.findings import (
    OF_THE_CLOCK,
    ClockJumped,
    Finding,
    FindingKind,
    Inspected,
    ToInspect,
)
from pems_actors.domain.flexible_load import LoadReading, LoadTick
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.economics.tariff import Tariff
from pems_actors.economics.timetable import UNREAD, Timetable, timetable_of
from pems_actors.estimation.recorder import Recorder
from pems_actors.estimation.striking import restamped, sound_reading, struck
from supervision import Context, Health
from supervision.clock import ClockLook, jump_between

INSPECTED_LIFE_TICKS = 3.0
SILENT_TICKS = 2.5  # without a picture, and the beat goes on without the house
BLOCK_S = 2 * HOUR_S  # then the timetable counts again, by whatever clock it is read
NOTHING_FOUND = Inspected(0.0)


class GatewayMind(NamedTuple):
    """What the gateway remembers.

    The outdoor belief, when it last heard anything, the inspector's last word, and the clocks as
    it last saw them.
    """

    clock: ClockTrust
    clocks: ClockLook
    outdoor: OutdoorBelief = OutdoorBelief()
    heard_s: float = float("-inf")
    silent: bool = False
    inspected: Inspected | None = None
    doubted: Finding | None = None  # the clock, as told
    blocked_until_steady_s: float = -inf  # how long the contact's last word may stand


class GatewayActor(HouseActor):
    """Fans the pictures of the house out; whoever owns the port tells them to this address."""

    state: GatewayMind

    def __init__(
        self,
        context: Context,
        house: House,
        tariff: Tariff,
        tick_s: float,
        known_s: tuple[float, float] = (-inf, -inf),
        *,
        planning: bool = True,
    ) -> None:
        """Begin to serve a house.

        known_s: instants that house time cannot precede, should not.    planning: there is an
        estimator that wants whole pictures, as the guard does.
        """
        super().__init__(context)
        self.known_s = known_s
        self.observers = (GUARD, ESTIMATOR) if planning else (GUARD,)
        self.silence_s = SILENT_TICKS * tick_s
        self.house, self.tariff, self.tick_s = house, tariff, tick_s
        self.timetable = UNREAD
        self.offsets_k = {r.name: r.sensor_offset_k for r in house.rooms if r.sensor_offset_k}
        self.recorder = Recorder(house)
        self.rooms = [(room.name, room_address(room.name)) for room in house.rooms]
        self.loads = tuple(load.name for load in house.loads)

    def on_start(self) -> None:
        """Begin to listen; the clock of a silent house runs from now on."""
        begins = self.state is None
        super().on_start()
        if begins:
            doubted = self.state.doubted
            begin_with(self, OF_THE_CLOCK, () if doubted is None else (doubted,))
        self.after(self.silence_s, Tick())

    def first_state(self) -> GatewayMind:
        """Begin with nothing known but the clock, which may not be behind the newest record.

        One that was doubted is doubted on, in the same incident.
        """
        clocks = self.context.system.runtime.clocks()
        kept: ClockTrust | None = self.recall()
        if kept is None or kept.trusted:
            clock = ClockTrust.at_boot(clocks.house_s, clocks.steady_s, *self.known_s)
        else:
            clock = kept.resumed(clocks.house_s, clocks.steady_s)
        doubted = still_open(self, "clock", FindingKind.CLOCK_UNTRUSTED)
        return GatewayMind(clock, clocks, doubted=doubted)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case HouseReading():
                self._on_reading(message)
            case WeatherForecast():
                outdoor = self.state.outdoor._replace(forecast=message)
                self.state = self.state._replace(outdoor=outdoor)
                self.tell(INSPECTOR, message)
            case Inspected():
                self.state = self.state._replace(inspected=message)
            case Tick():
                self._on_silence()
            case _:
                return super().on_receive(message)
        return None

    def _on_reading(self, raw: HouseReading) -> None:
        set_s = self._look_at_clock()
        if set_s and abs(raw.at_s + set_s - self.now_s()) < abs(raw.at_s - self.now_s()):
            raw = restamped(raw, set_s)
        sound, odd = sound_reading(raw)
        seen = self._corrected(sound)
        self._hear_contact(seen.heating_blocked)
        reading = self._believed(seen)
        belief = self.state.outdoor.heard(reading.outdoor)
        if odd:
            self.health(Health.DEGRADED, f"not believed: {', '.join(odd)}")
        else:
            self.health(Health.RUNNING, "the house speaks")
        self.state = self.state._replace(outdoor=belief, heard_s=reading.at_s, silent=False)
        outdoor = belief.at(reading.at_s, self.house.site.timezone)
        self._fan_out(reading, outdoor)
        as_read = seen if sound is raw else self._corrected(raw)
        self.tell(INSPECTOR, ToInspect(as_read, self._blocks(reading)[0]))
        self.tell(WEATHER, outdoor)
        for address in self.observers:
            self.tell(address, reading)
        self._tell_samples(reading)

    def _corrected(self, reading: HouseReading) -> HouseReading:
        """Add each thermometer's known offset, here and nowhere else."""
        if not self.offsets_k:
            return reading
        rooms = tuple(
            room
            if room.temp_c is None or room.room not in self.offsets_k
            else room._replace(temp_c=room.temp_c + self.offsets_k[room.room])
            for room in reading.rooms
        )
        return replace(reading, rooms=rooms)

    def _believed(self, reading: HouseReading) -> HouseReading:
        """Strike out what the inspector does not believe, while its word is fresh."""
        inspected = self.state.inspected
        if inspected is not None:
            if abs(reading.at_s - inspected.at_s) > INSPECTED_LIFE_TICKS * self.tick_s:
                self.state = self.state._replace(inspected=None)
            else:
                reading = struck(reading, inspected)
        return reading if self.state.clock.trusted else self._by_doubted_clock(reading)

    def _by_doubted_clock(self, reading: HouseReading) -> HouseReading:
        """Say that the clock is not trusted; a block goes on where the contact is silent too."""
        mind, blocked = self.state, reading.heating_blocked
        if blocked is None and mind.clocks.steady_s < mind.blocked_until_steady_s:
            blocked = True  # a clock that may be wrong cannot tell that the block is over
        return replace(reading, clock_trusted=False, heating_blocked=blocked)

    def _hear_contact(self, blocked: bool | None) -> None:
        """Note a block for times when neither the contact nor the clock can tell."""
        if blocked:
            until_s = self.state.clocks.steady_s + BLOCK_S
            self.state = self.state._replace(blocked_until_steady_s=until_s)
        elif blocked is False and self.state.blocked_until_steady_s != -inf:
            self.state = self.state._replace(blocked_until_steady_s=-inf)

    def _look_at_clock(self) -> float:
        """Compare the clocks; tell of a jump, and of a clock that is not to be trusted.

        Returns: by how much the clock was set since the last look [s].
        """
        mind, clocks = self.state, self.context.system.runtime.clocks()
        jump = jump_between(mind.clocks, clocks, NOTED_S)
        clock = mind.clock.looked(clocks.house_s, clocks.steady_s)
        if jump is not None:
            clock = mind.clock.jumped(jump.set_s, clocks.house_s, clocks.steady_s)
            self._on_jump(jump.set_s, jump.slept_s, clocks.house_s)
        self.state = self.state._replace(clock=clock, clocks=clocks)
        if clock is not mind.clock and not (clock.trusted and mind.clock.trusted):
            self.remember(clock)
        if clock.trusted == (self.state.doubted is not None):
            self._tell_trust(clock, clocks.house_s)
        return 0.0 if jump is None else jump.set_s

    def _on_jump(self, set_s: float, slept_s: float, now_s: float) -> None:
        """Tell everybody who remembers instants, mark the history, and have all planned anew."""
        told = f"set by {set_s:.0f} s" if set_s else f"slept for {slept_s:.0f} s"
        self.keep("clock", {"reason": told, "set_s": set_s, "slept_s": slept_s})
        jumped = Finding("clock", FindingKind.CLOCK_JUMP, f"the clock was {told}", now_s)
        open_incident(self, jumped)
        close_incident(self, jumped)
        if max(abs(set_s), slept_s) <= REPLAN_S:
            return
        mind, inspected = self.state, self.state.inspected
        heard_s = mind.heard_s + set_s + slept_s  # who slept could hear nothing
        if inspected is not None:  # whom it doubted is not believed until it has looked again
            inspected = inspected._replace(at_s=inspected.at_s + set_s + slept_s)
        self.state = mind._replace(heard_s=heard_s, inspected=inspected)
        news = ClockJumped(now_s, set_s)
        rooms = [address for _, address in self.rooms]
        rooms += [load_address(name) for name in self.loads]
        for address in (GUARD, POWER_BUDGET, *rooms, BATTERY, INVERTER, METER, INSPECTOR):
            self.tell(address, news)
        for address in (PLAN_KEEPER, ESTIMATOR, PLANNER):
            self.tell(address, news)

    def _tell_trust(self, clock: ClockTrust, now_s: float) -> None:
        """Open the incident of a clock that is not trusted, or close it."""
        before = self.state.doubted
        if before is not None:
            close_incident(self, before)
            self.state = self.state._replace(doubted=None)
            return
        doubted = Finding("clock", FindingKind.CLOCK_UNTRUSTED, clock.reason, now_s)
        open_incident(self, doubted)
        self.state = self.state._replace(doubted=doubted)

    def _on_silence(self) -> None:
        """Beat in place of a house that has said nothing for two and a half ticks."""
        self._look_at_clock()
        now_s = self.now_s()
        left_s = self.silence_s - (now_s - self.state.heard_s)
        self.after(min(max(left_s, self.tick_s), self.silence_s), Tick())
        if left_s > 0.0:
            return
        if not self.state.silent:
            self.health(Health.DEGRADED, "the house says nothing")
        self.state = self.state._replace(silent=True)
        reading = self._believed(HouseReading(now_s))
        self._fan_out(reading, self.state.outdoor.at(now_s, self.house.site.timezone))
        self.tell(INSPECTOR, ToInspect(reading, self._blocks(reading)[0]))

    def _fan_out(self, reading: HouseReading, outdoor: Outdoor) -> None:
        now_s = reading.at_s
        blocked, timetable = self._blocks(reading)
        available, blocks = timetable.available_frac, timetable.blocks
        by_room = {room.room: room for room in reading.rooms}
        inspected, trusted = self.state.inspected or NOTHING_FOUND, reading.clock_trusted
        estimates_c, refused = inspected.estimates_c, inspected.refused
        for name, address in self.rooms:
            seen, estimate_c, doubt = by_room.get(name), None, ""
            if estimates_c or refused:
                estimate_c, doubt = estimates_c.get(name), refused.get(name, "")
            self.tell(
                address,
                RoomTick(
                    now_s, seen, outdoor, blocked, available, blocks, estimate_c, doubt, trusted
                ),
            )
        loads = self._loads(reading) if self.loads else ()
        energy = EnergyTick(
            now_s, reading.battery, reading.inverter, reading.meter, trusted, loads, reading.rooms
        )
        for address in (BATTERY, INVERTER, METER, POWER_BUDGET):
            self.tell(address, energy)

    def _loads(self, reading: HouseReading) -> tuple[LoadReading, ...]:
        """Give each flexible load its tick. Returns: what they say, as far as it can be."""
        seen = self.recorder.sound_loads(reading)
        by_name, (blocked, _) = {each.load: each for each in seen}, self._blocks(reading)
        for name in self.loads:
            tick = LoadTick(reading.at_s, by_name.get(name), blocked, reading.clock_trusted)
            self.tell(load_address(name), tick)
        return seen

    def _blocks(self, reading: HouseReading) -> tuple[bool, Timetable]:
        """The live contact is the truth; the timetable is the forecast."""
        quarter = reading.at_s // QUARTER_S
        if quarter != self.timetable.quarter:
            self.timetable = timetable_of(self.tariff, quarter)
        live = reading.heating_blocked
        return self.timetable.blocked if live is None else live, self.timetable

    def _tell_samples(self, reading: HouseReading) -> None:
        """Tell what can be learned from, and what goes into the history."""
        inverter, recorder = reading.inverter, self.recorder
        if inverter is not None and inverter.pv_kw is not None:
            curtailed = recorder.is_curtailed(reading)
            self.tell(PV, PvSample(inverter.at_s, inverter.pv_kw, curtailed))
        self.tell(LOAD, LoadSample(reading.at_s, recorder.base_load_kw(reading)))
        self.tell(HISTORY, Samples(recorder.rows(reading)))
