"""The battery as the inverter shows it: taken over at the start, and watched from then on.

Tells whether a difference is a person's doing, an order that got lost, or an inverter that answers
and does not obey; the planner hears of the last.
"""

from __future__ import annotations

from math import inf

from pems_actors.actors.base import PLANNER, HouseActor
from pems_actors.actors.battery_mind import BatteryMind, as_found, last_choice
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.incidents import close_incident, open_incident
from pems_actors.control.battery import UserBattery
from pems_actors.control.command_path import CommandPath
from pems_actors.control.order import BY_HAND_S
from pems_actors.control.reconcile import Finding, found_at_start
from pems_actors.domain.findings import BatteryObeys, FindingKind
from pems_actors.domain.findings import Finding as Found
from pems_actors.domain.house import BatteryMode
from pems_actors.durable.kept import BatteryKept

RENEW_S = 300.0
QUIET_S = 300.0  # without a sign, and an incident is over
BY_PERSON = "changed at the inverter by a person"


class BatteryReconciler:
    """Compares the mode shown with our order; `actor` is the battery's."""

    def __init__(self, actor: HouseActor, writer: DeviceWriter) -> None:
        self.actor, self.writer = actor, writer

    def found(
        self, mind: BatteryMind, kept: BatteryKept, shown: BatteryMode | None, now_s: float
    ) -> BatteryMind:
        """Take the battery over after a restart: by the journal, then by what it shows."""
        last, user = self.actor.last_order("battery"), kept.user
        mind = mind._replace(kept=None)
        if last is None:
            return mind
        if user is not None and user.by_hand and shown in {None, user.mode}:
            return mind.left_to(user, now_s)  # still theirs
        ours = last_choice(kept, last)
        leased = last.at_s <= now_s < last.lease_until_s
        finding = None
        if shown is not None:
            alone = BatteryMode.SELF_USE.value
            finding = found_at_start(last, shown.value, now_s, alone)
            self.actor.keep("reconciled", {"device": "battery", "mode": shown, "how": finding})
        if finding is Finding.PERSON and shown is not None:
            return self._by_hand(mind, shown, now_s)
        if finding is Finding.CORRECT and shown is not None and shown is not ours.mode:
            return mind._replace(choice=as_found(shown), since_s=-inf)
        renew_at_s = last.at_s + RENEW_S if leased else -inf
        return mind._replace(choice=ours, renew_at_s=renew_at_s, lease_until_s=last.lease_until_s)

    def looked(self, mind: BatteryMind, shown: BatteryMode | None, now_s: float) -> BatteryMind:
        """Compare the mode shown with our order; a person's change is respected for a while."""
        if not self.writer.is_armed("battery"):
            return self._rested(mind, now_s)
        if mind.choice is None or shown is None:
            return mind
        ordered = mind.choice.mode
        look = mind.look.after(shown is ordered, now_s)
        link = self.actor.watched("battery", ordered.value, mind.look, look)
        mind = mind._replace(look=look)
        if look.by_person(now_s, mind.lease_until_s):
            lapsed = shown is BatteryMode.SELF_USE and not link.arrives(now_s)
            if not lapsed:
                return self._by_hand(mind, shown, now_s)
        return self._followed(mind, ordered, shown, now_s)

    def tell_obeys(self, path: CommandPath, now_s: float) -> None:
        """Tell the planner whether the inverter does what it is told."""
        why = "obeys" if path.usable else f"stays in {path.stands} whatever is ordered"
        self.actor.tell(PLANNER, BatteryObeys(now_s, path.usable, why))

    def _followed(
        self, mind: BatteryMind, ordered: BatteryMode, shown: BatteryMode, now_s: float
    ) -> BatteryMind:
        """Note if the inverter answers and does not obey, and when it does again."""
        before = mind.path
        path = before.after(ordered.value, mind.ordered_s, shown.value, now_s)
        if path is not before:
            mind = mind._replace(path=path)
        if path.usable is not before.usable or path.obeys is not before.obeys:
            self.tell_obeys(path, now_s)
            mind = mind._replace(told=())
        if path.ignores:
            return self._ignored(mind, now_s)
        proved = path.obeys and not before.obeys
        return self._over(mind) if proved else self._rested(mind, now_s)

    def _ignored(self, mind: BatteryMind, now_s: float) -> BatteryMind:
        """Take a sign that the inverter does not obey; the first one opens the incident."""
        finding = mind.ignored
        if finding is None:
            why = f"the inverter answers {mind.path.stands} and does not obey"
            finding = Found("battery", FindingKind.IGNORES, why, now_s)
            open_incident(self.actor, finding)
            self._keep(finding, obeys=False)
        return mind._replace(ignored=finding, ignored_s=now_s)

    def _rested(self, mind: BatteryMind, now_s: float) -> BatteryMind:
        """End the incident once no sign has been seen for a while.

        Who is asked for nothing but what it does anyway suffers nothing, but has proved nothing
        either: the planner waits on.
        """
        return self._over(mind) if now_s - mind.ignored_s >= QUIET_S else mind

    def _over(self, mind: BatteryMind) -> BatteryMind:
        finding = mind.ignored
        if finding is None:
            return mind
        close_incident(self.actor, finding)
        self._keep(finding, obeys=mind.path.obeys)
        return mind._replace(ignored=None)

    def _keep(self, finding: Found, *, obeys: bool) -> None:
        self.actor.keep("finding", {"device": "battery", "kind": finding.what, "obeys": obeys})

    def _by_hand(self, mind: BatteryMind, mode: BatteryMode, now_s: float) -> BatteryMind:
        """Believe that a person has set the mode."""
        self.actor.keep("by_hand", {"device": "battery", "mode": mode})
        until_s = now_s + BY_HAND_S
        return mind.left_to(UserBattery(mode, until_s, None, None, BY_PERSON, by_hand=True), now_s)
