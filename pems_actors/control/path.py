"""Heat on the last plan's path: as much as planned, led by the room's error and the price of heat.

Each plan leaves a room its path and, slot by slot, by how much heat is worth more than it costs. A
room off its path is led back while heat is worth its price, and left alone while it is dear; only
what its band will need soon is bought at any price. So heat stays where the plan had put it, and a
room that the sun has warmed above its path, or that cools in summer, asks for nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from math import inf

from pems_actors.control.comfort import is_day, ramped_setpoint_c
from pems_actors.control.duty import share
from pems_actors.domain.events import RoomPlan
from pems_actors.domain.house import Comfort, Emitter
from pems_actors.domain.units import HOUR_S
from pems_actors.economics.local_hours import local_hour

GAIN_PER_K = {Emitter.FLOOR: 1.0, Emitter.PANEL: 2.5}
SHORT_GAIN_PER_K = {Emitter.FLOOR: 2.4, Emitter.PANEL: 6.0}
RISE_K_PER_H = {Emitter.FLOOR: 0.4, Emitter.PANEL: 1.6}  # with no losses at all
LITTLE_K = 0.2  # a smaller shortfall counts for less: heat that is on its way makes up for some
LEAST_K = 0.05  # over the band's floor, come what may
NEAR_K = 0.3  # a path so close over the floor is to be kept in full


def slot_at(plan: RoomPlan, now_s: float) -> int:
    """Find the slot of an instant; beyond the ends of a plan they hold."""
    return min(max(bisect_right(plan.start_s, now_s) - 1, 0), len(plan.start_s) - 1)


def path_duty(plan: RoomPlan, slot: int, error_k: float, emitter: Emitter) -> float:
    """Lean the planned share of time on the error, and on what heat is worth beside its cost.

    Args:
        error_k: path minus measured.
    """
    worth = plan.worth_frac[slot] if slot < len(plan.worth_frac) else 0.0
    return share(plan.duty[slot] + GAIN_PER_K[emitter] * error_k + worth)


def short_duty(plan: RoomPlan, slot: int, short_k: float, emitter: Emitter) -> float:
    """Heat, at any price, what the band will be short of."""
    gain = SHORT_GAIN_PER_K[emitter] * min(short_k / LITTLE_K, 1.0)
    return share(plan.duty[slot] + gain * short_k)


def coming_short_k(
    plan: RoomPlan,
    slot: int,
    error_k: float,
    comfort: Comfort,
    lead_h: float,
    rise_k_per_h: float,
    timezone: str,
) -> float:
    """Tell how far the room will be under its band, if it goes on beside its path as it is now.

    Args:
        lead_h: how far to look ahead: as long as heat takes to arrive.
        rise_k_per_h: how fast the rules could warm the room, once the path has ended.
    Returns: the largest shortfall, negative where there is room to spare [K].
    """
    ahead_s = plan.start_s[slot] + lead_h * HOUR_S
    short_k = -inf
    for k in range(slot, max(bisect_right(plan.start_s, ahead_s), slot + 1)):
        end_s = plan.start_s[k + 1] if k + 1 < len(plan.start_s) else plan.end_s
        hour, path_c = local_hour(end_s, timezone), plan.path_c[k]
        least_c = _least_c(comfort, hour, path_c)
        if end_s >= plan.path_until_s:
            least_c = max(least_c, _in_time_c(comfort, hour, rise_k_per_h))
        short_k = max(short_k, least_c - (path_c - error_k))
    return short_k


def _least_c(comfort: Comfort, hour: float, path_c: float) -> float:
    """Give what a room must not fall under at a local hour, where its path is there."""
    floor_c = ramped_setpoint_c(comfort, hour) - comfort.band_k
    return max(min(floor_c + NEAR_K, path_c), floor_c + LEAST_K)


def _in_time_c(comfort: Comfort, hour: float, rise_k_per_h: float) -> float:
    """Give the least from which the rules can have a room warm when its day begins."""
    left_h = 0.0 if is_day(comfort, hour) else (comfort.day_from_h - hour) % 24.0
    return comfort.day_c - comfort.band_k - rise_k_per_h * left_h


def rise_k_per_h(steady: float, emitter: Emitter) -> float:
    """Tell how fast a room warms with all its power, where `steady` of it holds it warm."""
    return RISE_K_PER_H[emitter] * (1.0 - steady)
