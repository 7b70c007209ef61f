"""What must hold across the parts of a house is checked, and told with the place to mend."""

from __future__ import annotations

import pytest


def climate(raw, *rooms):
    for room in rooms:
        raw["rooms"][room]["actuator"] = "climate"


def set_in(path, value):
    """Make a change that sets one value."""

    def change(raw):
        *parents, key = path.split(".")
        part = raw
        for step in parents:
            part = part.setdefault(step, {})
        part[key] = value

    return change


def unheated(raw):
    """Declare the pantry unheated, whole."""
    raw["rooms"]["spajz"] |= {"actuator": "none", "relay": None}
    del raw["relays"]["spajz"]


BROKEN = {
    "control slower than planning": (
        set_in("system.control_interval_seconds", 901),
        "system: control_interval_seconds is 901, above optimization_interval_seconds 900",
    ),
    "unknown time zone": (
        set_in("system.site.timezone", "Europe/Prag"),
        'system.site: timezone is "Europe/Prag", which is not known; did you mean Europe/Prague?',
    ),
    "a path as time zone": (
        set_in("system.site.timezone", "../etc/passwd"),
        'timezone is "../etc/passwd", which is not known',
    ),
    "unknown member": (
        set_in("relays.obyvak.members", {"obyvak": 0.625, "kuchyn": 0.375}),
        "relays.obyvak.members: kuchyn is not known; did you mean kuchyne?",
    ),
    "shares": (
        set_in("relays.obyvak.members", {"obyvak": 0.625, "kuchyne": 0.3}),
        "relays.obyvak: members have shares that sum to 0.925; give shares that sum to 1",
    ),
    "a relay of another name": (
        set_in("relays.hosti.members", {"zachod": 1.0}),
        "relays.hosti: members do not name hosti; name the relay after one of the rooms it heats",
    ),
    "unheated by mistake": (
        lambda raw: raw["relays"].pop("hosti"),
        'rooms.hosti: relay is "hosti", which is not known',
    ),
    "relay forgotten": (
        lambda raw: (raw["rooms"]["hosti"].pop("relay"), raw["relays"].pop("hosti")),
        'rooms.hosti: relay is missing; name the relay that heats it, or give "actuator": "none"',
    ),
    "not a member": (
        set_in("rooms.hosti.relay", "zachod"),
        'rooms.hosti: relay is "zachod", whose members do not name it; add "hosti" to them',
    ),
    "heated twice": (
        set_in("relays.hosti.members", {"hosti": 0.5, "zachod": 0.5}),
        "rooms.zachod: relay is not the only one: hosti and zachod heat it; keep one",
    ),
    "unheated but heated": (
        set_in("rooms.hosti.actuator", "none"),
        'rooms.hosti: actuator is "none" but relay hosti heats it; drop one of both',
    ),
    "two ways to tell one relay": (
        lambda raw: climate(raw, "kuchyne"),
        "relays.obyvak: members mix relay and climate rooms; give all members the same actuator",
    ),
    "neighbour of itself": (
        set_in("rooms.hosti.neighbours", {"hosti": "wall"}),
        "rooms.hosti.neighbours: hosti is not known",
    ),
    "unknown neighbour": (
        set_in("rooms.hosti.neighbours", {"loznica": "wall"}),
        "rooms.hosti.neighbours: loznica is not known; did you mean loznice?",
    ),
    "neighbours disagree": (
        set_in("rooms.hosti.neighbours", {"chodba_dole": "wall"}),
        'rooms.hosti.neighbours: chodba_dole is "wall" but chodba_dole says "door"',
    ),
    "kitchen counted twice": (
        set_in("room_power_ratings_kw", {"obyvak": 4.8, "kuchyne": 1.8}),
        "kuchyne has no relay of its own; it is inside relay obyvak, give the sum there",
    ),
    "rating of nothing": (
        set_in("room_power_ratings_kw", {"hostt": 4.8}),
        "room_power_ratings_kw: hostt is not known; did you mean hosti?",
    ),
    "a relay over a phase": (
        lambda raw: raw["relays"]["obyvak"].update(
            phase="L1", power={"effective_kw": 5.0, "nameplate_kw": 5.8}
        ),
        "relays.obyvak: phase puts 5.8 kW on one phase of 5.75 kW (25 A)",
    ),
    "a phase that is not there": (
        set_in("grid.phases", 1),
        'relays.obyvak: phase is "L123" in a house of one phase; give L1',
    ),
    "a relay over the cap": (
        set_in("limits.heating_kw", 4.5),
        "relays.obyvak.power: effective_kw is 4.57, above the limit of 4.5 kW; correct one of both",
    ),
    "night above day": (
        set_in("thermal_settings.room_setpoints.obyvak", {"day": 20.0, "night": 20.5}),
        "thermal_settings.room_setpoints.obyvak: night is 20.5, above the day's 20",
    ),
    "default night above day": (
        set_in("thermal_settings.room_setpoints.default", {"day": 20.0, "night": 20.5}),
        "thermal_settings.room_setpoints.default: night is 20.5, above the day's 20",
    ),
    "day above the ceiling": (
        set_in("thermal_settings.room_setpoints.obyvak.day", 28.0),
        "thermal_settings.room_setpoints.obyvak: day is 28, above ceiling_c 27; give less",
    ),
    "night below the floor": (
        set_in("thermal_settings.room_setpoints.hosti.night", 11.0),
        "thermal_settings.room_setpoints.hosti: night is 11, below building_floor_c 12; give more",
    ),
    "day that ends before it starts": (
        set_in("rooms.hosti.comfort", {"day_from_h": 22, "day_until_h": 6}),
        "rooms.hosti.comfort: day_from_h is 22, not before day_until_h 6; give less",
    ),
    "an hour of day beyond 24": (
        set_in("rooms.hosti.comfort", {"day_until_h": 25}),
        "rooms.hosti.comfort: day_until_h is 25; give a local hour from 0 to 24, like 6.5",
    ),
    "no default set-point": (
        lambda raw: raw["thermal_settings"]["room_setpoints"].pop("default"),
        'thermal_settings.room_setpoints: default is missing; give {"day": 21.0, "night": 19.0}',
    ),
    "half a default set-point": (
        set_in("thermal_settings.room_setpoints.default", {"day": 21.0}),
        "thermal_settings.room_setpoints: default is missing",
    ),
    "set-point of no room": (
        set_in("thermal_settings.room_setpoints.obyvk", {"day": 21.0}),
        "thermal_settings.room_setpoints: obyvk is not known; did you mean obyvak?",
    ),
    "two set-points for one room": (
        set_in("rooms.obyvak.comfort", {"day_c": 23.0}),
        "rooms.obyvak.comfort: day_c is 23.0 but thermal_settings.room_setpoints.obyvak says 22.5",
    ),
    "closed SOC window": (
        set_in("battery.min_soc_frac", 0.9),
        "battery: min_soc_frac is 0.9, not below max_soc_frac 0.9; give less, usually 0.1",
    ),
    "reserve outside the window": (
        set_in("battery.reserve_soc_frac", 0.95),
        "battery: reserve_soc_frac is 0.95, outside the SOC window; give 0.1 to 0.9",
    ),
    "battery above 5 C": (
        set_in("battery.max_discharge_kw", 50.1),
        "battery: max_discharge_kw is 50.1, above 5 C of 10 kWh; give up to 50, usually 0.5 C",
    ),
    "hole in the tariff": (
        set_in("tariff.bands.VT.hours", [[10, 11], [12, 13], [17, 18]]),
        "tariff: bands leave 14 to 15 h without a price; add these hours to VT or NT",
    ),
    "hole at midnight": (
        set_in("tariff.bands.NT.hours", [[0, 10], [11, 12], [13, 14], [15, 17], [18, 23.5]]),
        "tariff: bands leave 23.5 to 24 h without a price",
    ),
    "two prices": (
        set_in("tariff.bands.VT.hours", [[10, 11.5], [12, 13], [14, 15], [17, 18]]),
        "tariff: bands VT and NT both hold 11 to 11.5 h; take it from one",
    ),
    "span over midnight": (
        set_in("tariff.blocks", [[22, 6]]),
        "tariff: blocks hold [22, 6]; give the earlier hour first, like [10, 11], and split",
    ),
    "blocked in an unknown band": (
        set_in("tariff.heating_blocked_in", ["VTT"]),
        "tariff: heating_blocked_in names VTT, which is not known; did you mean VT?",
    ),
    "blocked all day": (
        set_in("tariff.heating_blocked_in", ["VT", "NT"]),
        "tariff: heating_blocked_in names every band, so nothing could ever heat",
    ),
    "guards out of order": (
        set_in("limits.frost_c", 9.0),
        "limits: frost_c is 9, above frost_predicted_c 8; give at most that",
    ),
    "control beyond the horizon": (
        set_in("optimization.control_hours", 49),
        "optimization: control_hours is 49, above horizon_hours 48; give up to that",
    ),
    "no weight": (
        set_in(
            "optimization.weights",
            {"cost": 0, "self_consumption": 0, "peak_shaving": 0, "comfort": 0},
        ),
        "optimization: weights are all 0; give one above 0, usually cost 1.0",
    ),
    "falling quantiles": (
        set_in("models.pv.confidence_levels", [0.5, 0.1]),
        "models.pv: confidence_levels is [0.5, 0.1]; give rising levels, like [0.1, 0.5, 0.9]",
    ),
    "rooms that differ by case": (
        lambda raw: raw["rooms"].update(Hosti=raw["rooms"]["hosti"]),
        "rooms: Hosti differs from another room only by case; rename one",
    ),
    "a room called default": (
        lambda raw: raw["rooms"].update(default={"actuator": "none"}),
        "rooms: default is the name of the default set-points; rename the room",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_house_that_does_not_fit_together_is_refused(change, sentence, refused):
    told = refused(change)
    assert any(sentence in each for each in told), told
    assert all(each.startswith("house.json: ") for each in told)


@pytest.mark.parametrize(
    "change",
    [
        unheated,
        lambda raw: climate(raw, "obyvak", "kuchyne"),
        set_in("system.control_interval_seconds", 900),
        set_in("thermal_settings.room_setpoints.obyvak", {"day": 20.0, "night": 20.0}),
        set_in("rooms.obyvak.comfort", {"day_c": 22.5}),
        set_in("battery.max_power_kw", 50.0),
        set_in("optimization.control_hours", 48),
        set_in("optimization", {"horizon_hours": 6}),
        set_in("tariff.blocks", [[6, 7]]),
        set_in("relays.obyvak.phase", "L1"),
        set_in("rooms.hosti.neighbours", {}),
        lambda raw: raw["thermal_settings"]["room_setpoints"]["obyvak"].pop("night"),
        lambda raw: raw["rooms"]["hosti"].pop("relay"),
        lambda raw: raw["relays"]["hosti"].pop("members"),
    ],
)
def test_a_house_at_the_edge_of_the_rules_is_accepted(change, loaded):
    loaded(change)


def test_a_setpoint_written_in_the_room_reaches_the_table(loaded):
    def change(raw):
        del raw["thermal_settings"]["room_setpoints"]["hosti"]
        raw["rooms"]["hosti"]["comfort"] = {"day_c": 20.0}

    system = loaded(change).system
    pair = system.thermal_settings.room_setpoints["hosti"]
    assert (pair.day, pair.night) == (20.0, 19.0)
    assert system.rooms["hosti"].comfort.night_c == 19.0


def test_the_reserve_follows_the_lowest_soc_where_nobody_asked_for_more(loaded):
    assert loaded(set_in("battery.min_soc_frac", 0.2)).system.battery.reserve_soc_frac == 0.2


def test_a_relay_that_falls_to_off_by_itself_is_a_standing_warning(loaded):
    told = [str(w) for w in loaded(set_in("relays.hosti.native", "off")).warnings]
    assert any(
        'relays have native "off" at hosti: without this system those rooms' in t for t in told
    )


def test_an_inverter_that_takes_powers_is_warned_of_wear(loaded):
    told = [str(w) for w in loaded(set_in("inverter.capability", "power")).warnings]
    assert any('inverter: capability is "power"' in t and '"modes"' in t for t in told)
    assert not any(
        "capability" in str(w) for w in loaded(set_in("battery.max_soc_frac", 0.9)).warnings
    )


def test_an_effective_power_far_above_the_plate_is_a_warning(loaded):
    told = [str(w) for w in loaded(set_in("relays.hosti.power.effective_kw", 2.4)).warnings]
    assert any("effective_kw is 2.4, above nameplate_kw 2.02; check both" in t for t in told)


def test_phases_that_carry_everything_at_once_need_no_warning(loaded):
    assert loaded(set_in("grid.breaker_a", 32.0)).warnings == ()


def test_a_broken_section_does_not_hide_the_problems_of_the_others(refused):
    def change(raw):
        raw["battery"] = "none"
        raw["system"]["control_interval_seconds"] = 901
        del raw["limits"]

    told = refused(change)
    assert len(told) == 2
    assert any("battery is" in each for each in told)
    assert any("control_interval_seconds is 901" in each for each in told)
