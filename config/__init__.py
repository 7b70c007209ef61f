"""The configuration of a house: one file, `.env` and the environment in, one checked value out.

The only reader of files and environment settings; it knows neither supervision nor the house's
code. `load()` is the door, `LiveConfig` keeps the last good state, `ConfigError` lists every
problem at once. Precedence: command line > environment > `.env` > JSON > defaults.

Decisions (2026-11):
- **Every value has a path, and every path a variable.** Rooms, relays, roofs and bands are
  mappings by key, so `PEMS_RELAYS__OBYVAK__PHASE=L1` stays right when somebody sorts the file.
  The original system's names work, and so do its addresses (`INFLUXDB_HOST`, `LATITUDE`, ...).
- **Two names, one figure.** The original's set-point table (`thermal_settings.room_setpoints`)
  and a room's own `comfort` are filled from each other; an override of one is an override of
  both. Two different figures in one file are a problem, not a riddle. `room_power_ratings_kw`
  replaces the effective power of relays.
- **An unknown key is an error with the nearest known one.** Only an unknown `PEMS_X` without `__`
  is a warning: it may belong to a script. Strict types: "10" is no number in a file, but is in a
  variable.
- **Effective and nameplate power side by side.** The published ratings of the reference house sum
  to 19.03 kW, its documents say 18.12 kW. Resistive heat goes with the square of the voltage, and
  224.4 V gives just that ratio; so plans and limits count 18.12 kW, breakers are checked with
  19.03.
- **Phases of the reference house are assumed, so check them.** Three times 25 A carry 17.25 kW:
  no spread lets all heating run at once, and the configuration warns of that. The small relays
  are spread so that the phases differ by 0.02 kW. `obyvak` (4.57 kW, two loops on one contactor)
  is taken as L123: on one phase it would be 20.9 of 25 A by its nameplate, and every oven would
  throw it off. If a real one sits on one phase, saying so is what keeps the breaker safe: the
  power budget then holds that phase; a wrong L123 would hide 13 A from it until the meter shows
  them.
- **A relay is where the power is, `actuator` how it is told.** A climate entity has a relay entry
  for its power and is sent set-points; `"actuator": "none"` is an unheated room.
- **Priors are beliefs.** `ua_kw_k` is 0.75 of the power over 36 K, `capacity_kwh_k` that times
  the published decay time where it deserved trust, else 80 h; `trust` says which. Storeys and
  neighbours are guessed from names.
- **Secrets live in `.env` or the environment only** and are masked in every output; an address
  with a password inside is refused, and no sentence quotes a secret.
"""

from config.files import PRESETS
from config.last_good import keep, load_or_last_good
from config.loading import LiveConfig, LoadedConfig, load
from config.problems import ConfigError, Problem
from config.settings import Settings
from config.system import SystemConfig

__all__ = [
    "PRESETS",
    "ConfigError",
    "LiveConfig",
    "LoadedConfig",
    "Problem",
    "Settings",
    "SystemConfig",
    "keep",
    "load",
    "load_or_last_good",
]
