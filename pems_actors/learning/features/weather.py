"""Features of the weather of the target day, as it was forecast at the issue."""

from __future__ import annotations

from functools import partial

import numpy as np

from pems_actors.learning.days.averages import faded_mean, least_of, mean_of, most_of
from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.feature import Family, Feature

WEATHER = {
    "temp_c": "outdoor temperature [°C]",
    "ghi_w_m2": "global irradiance [W/m²]",
    "dni_w_m2": "beam irradiance [W/m²]",
    "dhi_w_m2": "diffuse irradiance [W/m²]",
    "wind_m_s": "wind speed [m/s]",
}
_HEATING_BELOW_C, _COOLING_ABOVE_C = 16.0, 22.0


def _slot(scene: Scene, *, name: str) -> Array:
    return scene.weather(name)


def _day(scene: Scene, *, name: str, days_before: int = 0) -> Array:
    return mean_of(scene.weather(name, days_before), 1, keepdims=True)


def _least(scene: Scene, *, name: str) -> Array:
    return least_of(scene.weather(name), 1, keepdims=True)


def _most(scene: Scene, *, name: str) -> Array:
    return most_of(scene.weather(name), 1, keepdims=True)


def _change(scene: Scene) -> Array:
    return _day(scene, name="temp_c") - _day(scene, name="temp_c", days_before=1)


def _heating_degrees(scene: Scene) -> Array:
    return np.asarray(np.maximum(0.0, _HEATING_BELOW_C - _day(scene, name="temp_c")))


def _cooling_degrees(scene: Scene) -> Array:
    return np.asarray(np.maximum(0.0, _day(scene, name="temp_c") - _COOLING_ABOVE_C))


def _slow_temp(scene: Scene) -> Array:
    days = [_day(scene, name="temp_c", days_before=k) for k in range(3)]
    return faded_mean(np.concatenate(days, axis=1).T, 1.0)[:, None]


def _listed() -> tuple[Feature, ...]:
    family = Family("weather", "as forecast")
    add = family.add
    for name, about in WEATHER.items():
        add(name, f"Forecast {about} of the slot.", partial(_slot, name=name))
        add(f"{name}_day", f"Forecast {about}, mean of the day.", partial(_day, name=name))
    for name in ("temp_c", "ghi_w_m2"):
        about = f"Forecast {WEATHER[name]}"
        add(f"{name}_least", f"{about}, least of the day.", partial(_least, name=name))
        add(f"{name}_most", f"{about}, highest of the day.", partial(_most, name=name))
    add("temp_c_change", "Mean outdoor temperature against the day before.", _change)
    add("heating_degrees", "Kelvins below 16 °C in the mean of the day.", _heating_degrees)
    add("cooling_degrees", "Kelvins above 22 °C in the mean of the day.", _cooling_degrees)
    add("temp_c_slow", "Outdoor temperature as walls feel it, over three days.", _slow_temp)
    return tuple(family.features)


FEATURES = _listed()
