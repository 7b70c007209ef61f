"""The places of the tree: makes slots, begins and ends lives in them, hands over what is left.

Here epoch, mailbox and state of a slot change together. Supervisors decide when; this is how.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from supervision.child_spec import AnySpec, ChildSpec, MailboxSpec, Policy
from supervision.directory import Slot
from supervision.heartbeat import Health
from supervision.life import Life, Report
from supervision.mailbox import lanes_for
from supervision.messages import SUPERVISOR_MESSAGES

if TYPE_CHECKING:
    from supervision.system import ActorSystem


def _mailbox_of(spec: AnySpec) -> tuple[Mapping[type, Policy], int]:
    """Lanes and bound of the mailbox of a child."""
    if isinstance(spec, ChildSpec):
        return lanes_for(spec.mailbox), spec.mailbox.bound
    usual = MailboxSpec()
    return lanes_for(usual, SUPERVISOR_MESSAGES), usual.bound


class Places:
    """All slots of a system and the lives in them."""

    def __init__(
        self, system: ActorSystem, zombie_budget: int, give_up: Callable[[str], None]
    ) -> None:
        self._system = system
        self._runtime = system.runtime
        self._directory = system.directory
        self._gate = system.gate
        self._journal = system.journal
        self._zombie_budget = zombie_budget
        self._give_up = give_up
        self._counting = threading.Lock()

    # Slots.

    def slot_for(self, path: str, spec: AnySpec) -> Slot:
        """Find or make the lasting place of a child, open for messages."""
        slot = self._directory.find(path)
        if slot is None:
            lanes, bound = _mailbox_of(spec)
            fresh = self._runtime.mailbox(lanes, bound)
            slot = Slot(path, spec, fresh, lanes, self._runtime.now_s())
            self._directory.add(slot)
        self.respecify(slot, spec)
        self.reopen(slot)
        return slot

    def respecify(self, slot: Slot, spec: AnySpec) -> None:
        """Let this spec count from the next life; a mailbox in use stays as it is."""
        slot.spec = spec
        slot.lanes, slot.bound = _mailbox_of(spec)

    def reopen(self, slot: Slot) -> None:
        """Let messages wait for a life that is to come."""
        if slot.mailbox.closed:
            slot.mailbox = self._runtime.mailbox(slot.lanes, slot.bound)

    def close_mailbox(self, slot: Slot) -> None:
        """Let nobody wait for this slot any more."""
        if not slot.mailbox.closed:
            lost = slot.mailbox.close(f"{slot.path} does not run")
            self._journal.count("dead_letters", lost)

    def remove(self, slot: Slot) -> None:
        """Forget a slot and everything under it."""
        for gone in list(self._directory.subtree(slot.path)):
            self.close_mailbox(gone)
            self._directory.remove(gone.path)
            self._gate.forget([gone.path])

    # Lives.

    def prepare(self, slot: Slot, author: tuple[str, int] | None, report: Report) -> Life:
        """Make the next life of a slot under a new epoch; the runtime launches it.

        Raises: Superseded if the supervisor that wants it was itself replaced.
        """
        slot.epoch = self._gate.admit(slot.path, author)
        slot.health, slot.health_reason, slot.slow_streak = Health.RUNNING, "", 0
        self.reopen(slot)
        slot.life = Life(self._system, slot, slot.epoch, report)
        return slot.life

    def bury(self, life: Life) -> None:
        """Note the end of a life; what it did not handle waits for a successor.

        If it was a supervisor that crashed, whatever still lives under it is cut off.
        """
        slot = life.slot
        self._gate.fence(slot.path, life.epoch)
        life.fenced = True
        slot.life = None
        slot.snapshot = life.kept
        heir = self._runtime.mailbox(slot.lanes, slot.bound)
        old, slot.mailbox = slot.mailbox, heir  # first the new one, so that no tell finds none
        self._journal.count("dropped", old.hand_over_to(heir))
        for orphan in self._directory.subtree(slot.path):
            if orphan.life is not None:
                self.cut_off(orphan.life)

    def cut_off(self, life: Life) -> None:
        """End a life that cannot be asked to end: from now on it has no effect."""
        self._gate.fence(life.slot.path, life.epoch)
        life.cut_off()
        if self._runtime.is_zombie(life):
            self._new_zombie(life)
        self.bury(life)
        life.close_workers()

    def cut_off_all(self) -> None:
        """Cut off whatever still lives, and let nobody wait."""
        for slot in list(self._directory.slots.values()):
            if slot.life is not None:
                self.cut_off(slot.life)
            self.close_mailbox(slot)

    # Zombies.

    def _new_zombie(self, life: Life) -> None:
        with self._counting:
            life.zombie = True
            life.slot.zombies += 1
            self._journal.count("zombies_total")
            alive = self._journal.count("zombies")
        self._runtime.mind_zombie(life)
        if not self._runtime.is_zombie(life):  # it ended between the lines above
            self.zombie_gone(life)
        elif alive > self._zombie_budget:
            self._give_up(f"{alive} hung actors were left behind, {self._zombie_budget} allowed")

    def zombie_gone(self, life: Life) -> None:
        """Note that a life that was cut off has come to its end."""
        with self._counting:
            if life.zombie:
                life.zombie = False
                life.slot.zombies -= 1
                self._journal.count("zombies", -1)
