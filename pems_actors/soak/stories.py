"""The stories of a soak: which house, when, how long, with whom and with what broken, by seed.

A tale is a seed, the words for its faults, a length if it is not the seed's, and a house if it is
not a shipped one that the seed picks; from these everything else follows, so that a few words on a
command line tell the same story again.
"""

from __future__ import annotations

import json
import random
import shlex
from dataclasses import dataclass, replace
from functools import cache

import config
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.house import House, Native
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.economics.tariff import Tariff
from pems_actors.fault_table import draw_strikes
from pems_actors.simulate import FAULTS_PER_DAY, VIRTUAL_PUBLISH_S, Story, places_of
from pems_actors.soak.flexible import FLEXIBLE, with_loads
from pems_actors.surroundings import Pace

HEARTBEAT_S = 300.0
PLANNING_SHARE = 0.12
COARSE_HORIZON_S = 12 * HOUR_S
YEAR_START_S = seconds("2023-01-02T00:00:00Z")
CLOCK_CHANGES = (seconds("2023-03-25T16:00:00Z"), seconds("2023-10-28T16:00:00Z"))
_PRESETS = ("flat3", "house6-climate", "house17")
_PRESET_WEIGHTS = (50, 35, 15)
_LONGEST_H = ((4, 24.0), (9, 16.0), (1000, 6.0))  # up to so many rooms: the more, the shorter
_SHORT_BIAS = 2.5  # most stories are short, some last a day
_MARGIN_S = 300.0
Wish = tuple[str, str, dict[str, object]]  # address, verb, arguments


@dataclass(frozen=True, slots=True)
class Tale:
    """A story by its words: the seed, its faults, how long, and where.

    faults: none, light, heavy, or the faults themselves.
    days: None: as long as the seed says, 2 to 24 hours.
    house: a file or a preset; empty: a shipped house that the seed picks, and `flexible`: that
        house with a car and a boiler.
    """

    seed: int
    faults: str = "light"
    days: float | None = None
    house: str = ""

    @property
    def replay(self) -> str:
        """The command that tells this story again."""
        days = "" if self.days is None else f" --days {self.days:.8g}"
        house = f" --house {shlex.quote(self.house)}" if self.house else ""
        return f'pems soak --stories 1{days} --seed {self.seed}{house} --faults "{self.faults}"'


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for in a story, over MQTT; said twice where the network stammers."""

    after_s: float
    id: str
    path: str
    payload: bytes
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A story with its faults in full, and its orders."""

    story: Story
    orders: tuple[Order, ...]


@cache
def house_and_tariff(preset: str, nameplate: bool) -> tuple[House, Tariff]:
    """Build one of the shipped houses, or that of a file, whatever the environment says.

    Raises: config.ConfigError for a house that cannot be used.
    """
    loaded = config.load(preset, env={}).system
    return house_from(loaded, nameplate=nameplate), tariff_from(loaded)


def plot_of(tale: Tale) -> Plot:
    """Draw a story from its seed; the faults are drawn too, unless the tale names them.

    Raises: ValueError for faults that cannot be read, config.ConfigError for a house that cannot.
    """
    rng = random.Random(f"story {tale.seed}")
    planning = rng.random() < PLANNING_SHARE
    preset = "flat3" if planning else rng.choices(_PRESETS, _PRESET_WEIGHTS)[0]
    named = "" if tale.house == FLEXIBLE else tale.house
    house, tariff = house_and_tariff(named or preset, rng.random() < 0.3)
    house = with_loads(house, tale.seed) if tale.house == FLEXIBLE else house
    longest_h = 6.0 if planning else next(h for n, h in _LONGEST_H if len(house.rooms) <= n)
    hours = 2.0 * (longest_h / 2.0) ** (rng.random() ** _SHORT_BIAS)
    start_s, shift_k = _season(rng)
    story = Story(
        _with_natives(rng, house),
        tariff,
        start_s,
        round(hours, 1) / 24.0 if tale.days is None else round(tale.days * DAY_S) / DAY_S,
        tale.seed,
        shift_k,
        tale.faults,
        _pace(planning=planning),
        _armed(rng, house),
    )
    story = replace(story, faults=_faults(tale, story))
    return Plot(story, _orders(rng, story))


def _pace(*, planning: bool) -> Pace:
    """Live as the appliance does, but tell the world less often, and plan less far ahead."""
    return Pace(
        heartbeat_s=HEARTBEAT_S,
        publish_s=VIRTUAL_PUBLISH_S,
        demo=True,
        planning=planning,
        horizon_s=COARSE_HORIZON_S,
    )


def _season(rng: random.Random) -> tuple[float, float]:
    """Draw a beginning and how much colder or warmer than usual it is: mostly winter."""
    if rng.random() < 0.05:
        return rng.choice(CLOCK_CHANGES) + 60.0 * rng.randrange(600), 0.0
    winter = rng.random() < 0.6
    day = rng.randrange(70) if winter else rng.randrange(330)
    start_s = YEAR_START_S + day * DAY_S + 60.0 * rng.randrange(1440)
    return start_s, round(rng.uniform(-12.0, 4.0) if winter else rng.uniform(-4.0, 4.0), 1)


def _with_natives(rng: random.Random, house: House) -> House:
    """Let a house's devices do something else by themselves, in some stories."""
    if rng.random() > 0.2:
        return house
    native = rng.choice((Native.KEEP, Native.OFF))
    return replace(house, relays=tuple(replace(relay, native=native) for relay in house.relays))


def _armed(rng: random.Random, house: House) -> frozenset[str] | None:
    chance = rng.random()
    if chance < 0.9:
        return None
    devices = [*(f"relay/{relay.name}" for relay in house.relays), "battery", "inverter"]
    devices += [f"load/{load.name}" for load in house.loads]
    return frozenset() if chance < 0.95 else frozenset(rng.sample(devices, len(devices) // 2))


def _faults(tale: Tale, story: Story) -> str:
    """Draw the faults and write them out; those in full are kept."""
    if tale.faults not in FAULTS_PER_DAY or tale.faults == "none":
        return tale.faults
    rng = random.Random(f"faults {tale.seed}")
    count = max(1, round(FAULTS_PER_DAY[tale.faults] * story.days))
    span_s = story.days * DAY_S - _MARGIN_S
    return ",".join(str(s) for s in draw_strikes(rng, count, span_s, places_of(story)))


# --- people


def _orders(rng: random.Random, story: Story) -> tuple[Order, ...]:
    """Draw what people ask for: about one order in two hours, sensible or not."""
    span_s = story.days * DAY_S
    count = rng.randrange(round(span_s / HOUR_S / 2.0) + 2)
    times = sorted(rng.uniform(120.0, max(180.0, span_s - _MARGIN_S)) for _ in range(count))
    return tuple(_order(rng, k, at_s, story) for k, at_s in enumerate(times))


def _order(rng: random.Random, number: int, after_s: float, story: Story) -> Order:
    path, verb, args = _wish(rng, story.house)
    order_id = f"person-{number}"
    body = {"id": order_id, "verb": verb, "args": args, "reason": "a person's wish"}
    return Order(after_s, order_id, path, json.dumps(body).encode(), rng.random() < 0.1)


def _wish(rng: random.Random, house: House) -> Wish:
    """Draw an address, a verb and its arguments; one wish is nonsense."""
    room = f"rooms/{rng.choice(house.rooms).name}"
    duration = rng.choice(("20m", "1h", "3h"))
    mode = rng.choice(("normal", "economy", "comfort", "away", "emergency"))
    wishes: tuple[Wish, ...] = (
        (room, "override", {"temp_c": rng.choice((12, 18, 23, 26, 30)), "for": duration}),
        (room, "boost", {"for": duration}),
        (room, "release", {}),
        ("devices/battery", "mode", {**_battery_wish(rng), "for": duration}),
        ("devices/inverter", "export", {"allowed": rng.random() < 0.5, "for": duration}),
        ("house", "mode", {"mode": mode}),
        (rng.choice((room, "safety/guard", "infrastructure/metrics")), "restart", {}),
        (room, "dance", {"wild": True}),
    )
    for load in house.loads:
        place = f"loads/{load.name}"
        wishes += ((place, "boost", {"for": duration}), (place, "release", {}))
    return rng.choice(wishes)


def _battery_wish(rng: random.Random) -> dict[str, object]:
    """Draw a mode, with a rate and a stop where wanted, within what the battery can or not."""
    wish: dict[str, object] = {"mode": rng.choice(("self_use", "hold", "charge_grid", "sell"))}
    if rng.random() < 0.5:
        wish["rate_kw"] = rng.choice((1, 4, 8, 20))
    if rng.random() < 0.5:
        wish["stop_soc_frac"] = rng.choice((0.0, 0.3, 0.8, 1.0))
    return wish
