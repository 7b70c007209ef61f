"""All that the battery's successor must know, as one value, and what follows from it alone."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from pems_actors.control.battery import BatteryChoice, UserBattery
from pems_actors.control.command_path import CommandPath
from pems_actors.control.reconcile import LastOrder, Look
from pems_actors.domain.events import BatteryGrant, EnergyPlan, HouseMode
from pems_actors.domain.findings import Finding
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading
from pems_actors.durable.kept import BatteryKept

Order = tuple[BatteryMode, float | None, float | None]  # mode, rate [kW], SOC to stop at


class BatteryMind(NamedTuple):
    """What the battery actor remembers."""

    plan: EnergyPlan | None = None
    repriced: EnergyPlan | None = None  # its modes anew, while no newer plan comes
    user: UserBattery | None = None
    mode: HouseMode = HouseMode.NORMAL
    shed_until_s: float = -inf
    reading: BatteryReading | None = None
    meter_s: float = -inf
    choice: BatteryChoice | None = None
    since_s: float = -inf  # in this mode
    level_since_s: float = -inf
    changes_s: tuple[float, ...] = ()
    renew_at_s: float = -inf
    told: tuple[object, ...] = ()
    told_s: float = -inf
    lease_until_s: float = -inf
    look: Look = Look()  # how the device compares with our order
    kept: BatteryKept | None = None  # from before the restart, until the device is found
    remembered: BatteryKept | None = None
    path: CommandPath = CommandPath()
    ordered_s: float = -inf  # when the order last changed
    ignored: Finding | None = None  # the open incident of an inverter that does not obey
    ignored_s: float = -inf  # its last sign
    clock_trusted: bool = True
    car_until_s: float = -inf  # until when a car counts as being charged
    leave: BatteryGrant | None = None  # the power budget's, for an order that draws more

    @property
    def theirs(self) -> bool:
        """Whether a person has set the battery at the inverter, so that nothing is written."""
        return self.user is not None and self.user.by_hand

    def planned(self, plan: EnergyPlan) -> BatteryMind:
        """Take a plan; the one that is known already leaves what was made of it since."""
        same = self.plan is not None and plan.issued_at_s == self.plan.issued_at_s
        return self._replace(plan=plan, repriced=self.repriced if same else None)

    def left_to(self, user: UserBattery, now_s: float) -> BatteryMind:
        """Leave the battery to a person: nothing is written while that stands."""
        return self._replace(
            user=user,
            choice=as_found(user.mode),
            since_s=now_s,
            look=self.look._replace(seen_s=now_s, differs=0, tries=0),
            lease_until_s=user.until_s,
            renew_at_s=user.until_s,
        )

    def anew(self) -> BatteryMind:
        """Take the battery over as at a start: what was chosen while disarmed was never real."""
        return self._replace(
            choice=None, renew_at_s=-inf, lease_until_s=-inf, look=Look(), kept=self.remembered
        )

    def shifted(self, by_s: float) -> BatteryMind:
        """Move along with a clock that was set; the lease is renewed by the new time at once."""
        return self._replace(
            shed_until_s=self.shed_until_s + by_s,
            meter_s=self.meter_s + by_s,
            reading=self.reading and self.reading._replace(at_s=self.reading.at_s + by_s),
            since_s=self.since_s + by_s,
            changes_s=tuple(at_s + by_s for at_s in self.changes_s),
            renew_at_s=self.renew_at_s if self.theirs else -inf,
            path=self.path.shifted(by_s),
            ordered_s=self.ordered_s + by_s,
            ignored_s=self.ignored_s + by_s,
            car_until_s=self.car_until_s + by_s,
            leave=None,
            repriced=None,
        )


def order_of(choice: BatteryChoice) -> Order:
    """What a choice orders, without who chose it and why."""
    return choice.mode, choice.rate_kw, choice.stop_soc_frac


def as_found(mode: BatteryMode) -> BatteryChoice:
    """The choice that a device shows without our doing."""
    return BatteryChoice(mode, None, None, Level.RULES, "as found", None, "")


def last_choice(kept: BatteryKept, last: LastOrder) -> BatteryChoice:
    """The choice behind the last order; its rate is known if the memory of it was saved."""
    if kept.mode.value != last.order:
        return as_found(BatteryMode(last.order))
    choice = as_found(kept.mode)
    return choice._replace(rate_kw=kept.rate_kw, stop_soc_frac=kept.stop_soc_frac)
