"""The inspection of one picture: sensors, windows and relays against a model of the house.

`Inspector` knows the house, `Inspection` is all that it remembers: a value that each picture turns
into its successor. It has a thermal belief of its own, so that rooms can live on estimates while
nobody plans. Nothing is converted or repaired here; `wording.py` says what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from pems_actors.control.outdoor import OutdoorBelief
from pems_actors.control.reconcile import LastOrder
from pems_actors.domain.findings import Finding
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import HOUR_S
from pems_actors.estimation import heat_runs, relay_watch, window_watch
from pems_actors.estimation.freshness import IRRADIANCE_W_M2, FreshValue
from pems_actors.estimation.heard import Heard
from pems_actors.estimation.heat_runs import HeatRuns
from pems_actors.estimation.house_state import sun_heard, sun_now
from pems_actors.estimation.model_fit import ModelFit
from pems_actors.estimation.picture import Array, Mask, Picture, PictureReader
from pems_actors.estimation.relay_watch import Felt, Kinds, RelayWatch
from pems_actors.estimation.sensor_watch import Judgement, SensorWatch, Thermometers, judge
from pems_actors.estimation.thermal_filter import FORGETS_S, GRAIN_S, ThermalFilter
from pems_actors.estimation.window_watch import WindowWatch
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw

CALM_S = 100.0  # while all is well, every second minute is looked at closely
NEAR_K = 0.25  # a reading so near the last one believed is nothing new
SETTLING_S = 12 * HOUR_S  # until the model has found the screeds that nobody measures
WINDOWS_SETTLE_S = HOUR_S
MOVED_WITHIN_S = relay_watch.LOOKS * heat_runs.STRIDE_S  # else it may be stuck: no witness


class Open(NamedTuple):
    """A finding that stands, and when it was last found."""

    finding: Finding
    seen_s: float


class Inspection(NamedTuple):
    """What has been seen up to `at_s`; arrays in it are changed by nobody.

    beliefs: the model's belief as columns, shape (4R, 2): corrected by every believed reading, and
    left alone since each reading last moved.    heard: who else was heard when.
    open: the findings that stand, by path.
    """

    at_s: float
    born_s: float
    beliefs: Array
    runs: HeatRuns
    sensors: SensorWatch
    windows: WindowWatch
    relays: RelayWatch
    fit: ModelFit
    sun: FreshValue
    outdoor: OutdoorBelief = OutdoorBelief()
    outdoor_c: float = 5.0
    heard: Heard = Heard()
    open: Mapping[str, Open] = MappingProxyType({})
    glanced_s: float = -inf  # when a picture last showed nothing new

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings that stand."""
        return tuple(each.finding for each in self.open.values())

    def air_c(self, column: int = 0) -> Array:
        """Air temperatures by the model, shape (R,)."""
        rooms = len(self.beliefs) // 4
        return self.beliefs[rooms : 2 * rooms, column]

    def glanced(self, picture: Picture, reading: HouseReading) -> Inspection:
        """Note of a picture only who was heard in it."""
        stamps = picture.said_at_s
        return self._replace(
            sensors=self.sensors._replace(said_at_s=stamps, believed_at_s=stamps),
            heard=self.heard.by(reading),
            glanced_s=picture.at_s,
        )

    def with_forecast(self, forecast: WeatherForecast) -> Inspection:
        """Know what is forecast, for when the sensors outdoors say nothing."""
        return self._replace(outdoor=self.outdoor._replace(forecast=forecast))

    def shifted(self, by_s: float) -> Inspection:
        """Move along with a clock that was set, so that nothing seems to have lasted."""
        return self._replace(
            at_s=self.at_s + by_s,
            born_s=self.born_s + by_s,
            runs=self.runs.shifted(by_s),
            sensors=self.sensors.shifted(by_s),
            windows=self.windows.shifted(by_s),
            relays=self.relays.shifted(by_s),
            sun=self.sun.shifted(by_s),
            glanced_s=self.glanced_s + by_s,
            heard=self.heard.shifted(by_s),
            open={p: each._replace(seen_s=each.seen_s + by_s) for p, each in self.open.items()},
        )


class Inspector:
    """The inspector of one house; inspections are values that it turns into their successors."""

    def __init__(self, house: House, tick_s: float = 60.0) -> None:
        self.house = house
        self.model = ThermalFilter(HouseDynamics(house.model))
        self.names = self.model.names
        self.relays = tuple(relay.name for relay in house.relays)
        by_name = {room.name: room for room in house.rooms}
        rooms = [by_name[name] for name in self.names]
        self.thermometers = Thermometers(rooms, tick_s)
        steps_k = np.array([room.sensor_resolution_k for room in rooms])
        self.fall_limits_k = window_watch.fall_limits_k(steps_k)
        self._reader = PictureReader(self.names, self.relays)
        self._row = {name: k for k, name in enumerate(self.relays)}
        self._shares_kw = heat_shares_kw(house.model, house.relays)
        self._heats: _Heats | None = None  # the last, for reuse
        count = len(self.names)
        heat_and_weather = np.r_[0:count, 3 * count : 3 * count + 3]  # of all that acts
        self._inputs = np.stack([heat_and_weather] * 2, axis=1)  # for both beliefs
        index = {name: k for k, name in enumerate(self.names)}
        # the room that feels a relay best bears witness for it
        main = [max(relay.members, key=lambda member: member[1])[0] for relay in house.relays]
        self._witness = np.array([index[name] for name in main], dtype=np.intp)
        self._enough_k = relay_watch.enough_heat_k(steps_k[self._witness])

    def first(self, now_s: float, held_c: Mapping[str, float] | None = None) -> Inspection:
        """Begin with nothing heard: the clocks of all sensors run from now on.

        held_c: what a predecessor has just believed of rooms whose sensors it refused [°C].
        """
        belief, rooms = self._belief({}, 5.0, now_s), len(self.names)
        held = np.array([(held_c or {}).get(name, np.nan) for name in self.names])
        known_s = np.where(np.isnan(held), -inf, now_s - GRAIN_S)
        return Inspection(
            at_s=now_s,
            born_s=now_s,
            beliefs=np.stack([belief, belief], axis=1),
            runs=HeatRuns.begun(belief, now_s),
            sensors=SensorWatch.from_boot(rooms, now_s)._replace(
                believed_c=held, believed_at_s=known_s
            ),
            windows=WindowWatch.from_boot(rooms),
            relays=RelayWatch.from_boot(len(self.relays)),
            fit=ModelFit.unknown(rooms),
            sun=FreshValue(IRRADIANCE_W_M2, now_s),
        )

    def commanded(self, before: Inspection, orders: Mapping[str, LastOrder]) -> Inspection:
        """Note orders that went out since the last picture, by relay."""
        rows = [(self._row[relay], order) for relay, order in orders.items() if relay in self._row]
        return before._replace(relays=before.relays.commanded(rows)) if rows else before

    def look(self, before: Inspection, reading: HouseReading, *, blocked: bool) -> Inspection:
        """Inspect one picture.

        Args:
            before: all that was seen so far.    reading: the picture, offsets already added.
            blocked: the tariff blocks heating now.
        Returns: the inspection; `before` itself if hardly any time has passed. Of two pictures
        that show nothing new only one is looked at closely.
        """
        passed_s = reading.at_s - before.at_s
        if 0.0 <= passed_s < GRAIN_S and before.sensors.calm:
            return before
        picture = self._reader.read(reading, blocked=blocked)
        if 0.0 <= passed_s < CALM_S and _shows_nothing_new(before, picture):
            return before.glanced(picture, reading)
        here = self._outdoors(before, reading)
        if not 0.0 <= passed_s <= FORGETS_S or (
            not before.sensors.calm and (before.sensors.believed_at_s < before.born_s).all()
        ):
            here, passed_s = self._begun(here, picture), 0.0
        return self._inspected(here, picture, passed_s // GRAIN_S * GRAIN_S)

    def _outdoors(self, before: Inspection, reading: HouseReading) -> Inspection:
        """Take in what is read outdoors, and who else is there."""
        now_s, outdoors = reading.at_s, reading.outdoor
        outdoor = before.outdoor.heard(outdoors)
        return before._replace(
            outdoor=outdoor,
            sun=sun_heard(before.sun, outdoors, now_s),
            outdoor_c=outdoor.at(now_s, self.house.site.timezone).temp_c,
            heard=before.heard.by(reading),
        )

    def _begun(self, before: Inspection, picture: Picture) -> Inspection:
        """Begin the model with the rooms as they are first heard, or were believed just before."""
        sensors, ago_s = before.sensors, picture.at_s - before.sensors.believed_at_s
        known = (ago_s >= 0.0) & (ago_s <= FORGETS_S)
        air_c = np.where(known, sensors.believed_c, picture.said_c)
        said = dict(zip(self.names, air_c.tolist(), strict=True))
        belief, now_s = self._belief(said, before.outdoor_c, picture.at_s), picture.at_s
        return before._replace(
            at_s=now_s,
            born_s=now_s,
            beliefs=np.stack([belief, belief], axis=1),
            runs=HeatRuns.begun(belief, now_s),
            windows=WindowWatch.from_boot(len(self.names)),
        )

    def _belief(self, said_c: Mapping[str, float | None], outdoor_c: float, now_s: float) -> Array:
        state = self.model.initial(said_c, outdoor_c, now_s)
        return np.concatenate([state.temps_c, state.disturbance_kw])

    def _inspected(self, before: Inspection, picture: Picture, passed_s: float) -> Inspection:
        now_s, model, rooms = picture.at_s, self.model, len(self.names)
        acting = self._what_acts(before, picture)
        beliefs = model.carried(before.beliefs, acting[self._inputs], passed_s)
        expected_c = beliefs[rooms : 2 * rooms]
        verdict = judge(
            self.thermometers,
            before.sensors,
            picture,
            expected_c[:, 0],
            expected_c[:, 1],
            before.fit,
        )
        if verdict.newly_stuck is not None and np.count_nonzero(verdict.newly_stuck):
            beliefs = _taken_back(beliefs, verdict.newly_stuck)
        if verdict.leapt is not None and np.count_nonzero(verdict.leapt):
            beliefs = _followed(beliefs, verdict.leapt, picture.said_c - expected_c[:, 0])
        windows = window_watch.watched(
            before.windows,
            now_s,
            verdict.air_c,
            expected_c[:, 0] - before.air_c(),
            picture.window,
            self.fall_limits_k if now_s - before.born_s >= WINDOWS_SETTLE_S else _NO_FALL,
        )
        is_open = None if windows.calm else windows.is_open(now_s)
        learning = None if is_open is None else np.where(is_open, 0.0, 1.0)
        belief, _ = model.corrected(beliefs[:, 0], verdict.air_c, passed_s or GRAIN_S, learning)
        unseen_s = now_s - max(before.at_s, before.glanced_s)  # before that all was as ordered
        relays = relay_watch.watched(before.relays, picture, min(passed_s, unseen_s))
        runs = before.runs.lived(acting, passed_s)
        if not verdict.watch.calm or is_open is not None:
            alone = np.isnan(verdict.air_c)
            runs = runs.troubled(alone if is_open is None else alone | is_open)
        after = Inspection(
            at_s=before.at_s + passed_s,
            born_s=before.born_s,
            beliefs=_corrected(beliefs, belief, verdict),
            runs=runs,
            sensors=verdict.watch,
            windows=windows,
            relays=relays,
            fit=before.fit,
            sun=before.sun,
            outdoor=before.outdoor,
            outdoor_c=before.outdoor_c,
            heard=before.heard,
            open=before.open,
        )
        if runs.acted_s < heat_runs.STRIDE_S:
            return after
        return self._witnessed(after, picture, verdict.air_c)

    def _what_acts(self, before: Inspection, picture: Picture) -> Array:
        """Tell what acts on the rooms: heat believed, claimed, idle, and the weather, (3R + 3,)."""
        relays, last = before.relays, self._heats
        if last is None or not last.holds(picture, relays):
            claimed = relays.claimed(picture)
            heats = relays.believed(claimed, blocked=picture.blocked)
            idle = np.zeros_like(claimed) if picture.blocked else 1.0 - claimed
            heat_kw = (self._shares_kw @ np.stack([heats, claimed, idle], axis=1)).T.ravel()
            last = self._heats = _Heats(
                picture.contact, picture.blocked, relays.ordered, relays.by_room, heat_kw
            )
        ghi = sun_now(before.sun, before.outdoor.forecast, picture.at_s) or 0.0
        return np.concatenate([last.heat_kw, (before.outdoor_c, ghi, 1.0)])

    def _witnessed(self, here: Inspection, picture: Picture, air_c: Array) -> Inspection:
        """Let the rooms bear witness for their relays, by the run that has gone on for longer."""
        belief, now_s, passed_s = here.beliefs[:, 0], picture.at_s, here.runs.acted_s
        runs = heat_runs.stridden(here.runs, self.model, belief, now_s)
        here = here._replace(runs=runs)
        if picture.blocked or not self.relays:
            return here
        tells_k, fit = here.fit.tells_k[self._witness], _fit(here.fit, runs, air_c, passed_s)
        here = here._replace(fit=fit)
        if now_s - here.born_s < SETTLING_S:
            return here
        witness_c = np.where(now_s - here.sensors.anchor_at_s <= MOVED_WITHIN_S, air_c, np.nan)
        relays = relay_watch.felt(
            here.relays,
            self._felt(runs, 1, witness_c, tells_k),
            self._felt(runs, 2, witness_c, tells_k),
        )
        turned = relays.by_room != here.relays.by_room
        if np.count_nonzero(turned):
            members = self._shares_kw[:, turned].sum(axis=1) > 0.0
            runs = heat_runs.begun_anew(runs, belief, members)
        return here._replace(relays=relays, runs=runs)

    def _felt(self, runs: HeatRuns, kind: int, air_c: Array, tells_k: Array) -> Felt:
        """Tell what the rooms felt of heat (1) or idle heat (2), by the shortest run that can."""
        rows, longer = self._witness, runs.longer
        short_k, long_k = runs.air_c(1 - longer, kind)[rows], runs.air_c(longer, kind)[rows]
        short = short_k >= self._enough_k
        alone_c = np.where(short, runs.air_c(1 - longer, 0)[rows], runs.air_c(longer, 0)[rows])
        one, other = runs.disturbed[1 - longer][rows], runs.disturbed[longer][rows]
        here_c, heat_k = air_c[rows], np.where(short, short_k, long_k)
        clear = ~(np.where(short, one, other) | np.isnan(here_c))
        return Felt(
            share=(here_c - alone_c) / np.maximum(heat_k, self._enough_k),
            enough=clear & (heat_k >= self._enough_k),
            tells=np.abs(here_c - alone_c) >= tells_k,
        )


class _Heats(NamedTuple):
    """What the relays give while nothing about them changes (by identity): (3R,) [kW]."""

    contact: Array
    blocked: bool
    ordered: Array
    by_room: Kinds
    heat_kw: Array

    def holds(self, picture: Picture, relays: RelayWatch) -> bool:
        """Tell if it is still so; without contacts it hangs on leases that run out."""
        return (
            self.contact is picture.contact
            and self.blocked == picture.blocked
            and self.ordered is relays.ordered
            and self.by_room is relays.by_room
            and picture.all_contacts
        )


def _shows_nothing_new(before: Inspection, picture: Picture) -> bool:
    """Tell if all is well and as it was: rooms near their last readings, relays as ordered."""
    calm = before.sensors.calm and before.windows.calm and not before.open
    calm = calm and not before.relays.astray
    if not (calm and picture.whole and picture.all_contacts) or picture.blocked:
        return False
    if picture.window is not None or not (picture.contact == before.relays.ordered).all():
        return False
    return bool(np.abs(picture.said_c - before.sensors.believed_c).max() <= NEAR_K)


def _fit(fit: ModelFit, runs: HeatRuns, air_c: Array, passed_s: float) -> ModelFit:
    """Learn how far rooms are off the run that has gone on for longer; a window excuses them."""
    off_k = air_c - runs.air_c(runs.longer, 0)
    counts = ~(np.isnan(off_k) | runs.disturbed[runs.longer])
    return fit.seen(off_k, counts, passed_s)


_NO_FALL = np.array(inf)


def _taken_back(beliefs: Array, rooms: Mask) -> Array:
    """Forget what sensors that proved to be stuck have taught: believe what was left alone."""
    after = beliefs.copy()
    by_room = after.reshape(4, -1, 2)
    by_room[:, rooms, 0] = by_room[:, rooms, 1]
    return after


def _followed(beliefs: Array, rooms: Mask, by_k: Array) -> Array:
    """Follow a reading that is believed though far off: the room is not what was thought."""
    after = beliefs.copy()
    by_room = after.reshape(4, -1, 2)
    by_room[:3, rooms] += by_k[rooms, None]
    by_room[3, rooms] = 0.0
    return after


def _corrected(beliefs: Array, belief: Array, verdict: Judgement) -> Array:
    """Take the corrected belief; rooms whose reading moved are no longer left alone."""
    after = beliefs.copy()
    after[:, 0] = belief
    if verdict.moved is not None and np.count_nonzero(verdict.moved):
        by_room = after.reshape(4, -1, 2)
        by_room[:, verdict.moved, 1] = by_room[:, verdict.moved, 0]
    return after
