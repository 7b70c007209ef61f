"""The devices into their safe state once the core is gone: `python -m pems_actors.safe_state`.

Run by the guardian when the core will not come up, and by a core at its orderly end. It decides
nothing about heat: a plan on disk says what each device needs (`gateways/safe_plan.py`), a journal
what the inverter still holds of our orders. It holds `devices.lock` meanwhile, has a deadline of
its own, and says one sentence per device. Advisory or unarmed: not a byte.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from pems_actors.domain.commands import SetHeating
from pems_actors.domain.house import Native
from pems_actors.domain.levels import Level
from pems_actors.domain.units import MINUTE_S
from pems_actors.durable.order_journal import OrderJournal
from pems_actors.gateways import safe_plan
from pems_actors.gateways.brief_link import BriefLink
from pems_actors.gateways.devices_lock import DevicesLock
from pems_actors.gateways.growatt import cleanup_of_unknown
from pems_actors.gateways.growatt_journal import GrowattJournal
from pems_actors.gateways.growatt_registers import Write
from pems_actors.gateways.loxone import heating_message
from pems_actors.gateways.mqtt_client import MqttSettings
from pems_actors.gateways.safe_conversation import TOPICS, Conversation
from pems_actors.gateways.safe_plan import RelayFallback, SafePlan
from pems_actors.gateways.topics import Topics

DEADLINE_S = 10.0
LOCK_WAIT_S = 2.0
STATUS_WAIT_S = 2.5
CONFIRM_WAIT_S = 2.0
CLONE = Path(__file__).resolve().parents[1]

Say = Callable[[str], None]


# -- what is due (pure) ------------------------------------------------------------------------


def writes_due(
    plan: SafePlan | None, noted: tuple[Write, ...] | None, *, ever: bool
) -> tuple[Write, ...]:
    """List the register writes that give the inverter back.

    Args:
        plan: what may be written to; None if it cannot be read.
        noted: the clean-up that the core noted; None if the note cannot be read.
        ever: whether there is a note at all. Without a plan only a note shows that we wrote.
    """
    if plan is None:
        return noted or ()
    cleanup = cleanup_of_unknown() if noted is None and ever else noted or ()
    return tuple(write for write in cleanup if plan.allows(write))


def relay_order(fallback: RelayFallback, found: bool | None, now_s: float) -> SetHeating | None:
    """Make the last order to a relay; None where its lease is best left to its end."""
    on = False if fallback.state == "off" else found
    if fallback.state is None or on is None or (fallback.state == "off" and found is False):
        return None
    reason = "the core is gone: the device decides by itself"
    until_s = now_s + fallback.lease_s
    return SetHeating(fallback.relay, on, reason, Level.NATIVE, now_s, until_s)


def relay_words(fallback: RelayFallback, order: SetHeating | None, found: bool | None) -> str:
    """Say what becomes of a relay."""
    match fallback.native, order:
        case Native.THERMOSTAT, SetHeating(on=on):
            minutes = max(1.0, fallback.lease_s / MINUTE_S)
            state = "on" if on else "off"
            return f"stays {state} for {minutes:.0f} min, then its thermostat decides"
        case Native.THERMOSTAT, None:
            return "its state is unknown; its lease runs out, then its thermostat decides"
        case Native.OFF, _:
            return "keeps its lease and goes off by itself at its end"
        case _, None if found is False:
            return "is off and stays so, as it never forgets an order"
        case _:
            return "is switched off, as it never forgets an order"


# -- doing it ----------------------------------------------------------------------------------


def bring(
    state: Path,
    settings: MqttSettings,
    now_s: Callable[[], float],
    say: Say,
    deadline_s: float = DEADLINE_S,
) -> bool:
    """Bring all devices that may be written to into their safe state, within `deadline_s`.

    `now_s` is house time. Returns: whether every device that needed something has confirmed it.
    """
    due_s = time.monotonic() + deadline_s
    try:
        lock = DevicesLock.take(state, "safe_state", LOCK_WAIT_S)
    except OSError as problem:
        say(str(problem))
        return False
    try:
        return _bring(state, settings, now_s, say, due_s)
    except TimeoutError as problem:
        say(
            f"{problem}; leases run out by themselves, the inverter's note stays for the next start"
        )
        return False
    finally:
        lock.release()


def _bring(
    state: Path, settings: MqttSettings, now_s: Callable[[], float], say: Say, due_s: float
) -> bool:
    plan, journal = safe_plan.read(state), GrowattJournal(state)
    noted = journal.read()
    cleanup = writes_due(plan, noted, ever=journal.exists)
    relays = () if plan is None else plan.relays
    _explain(plan, noted, say)
    if not cleanup and all(relay.state is None for relay in relays):
        for relay in relays:
            say(f"relay {relay.relay}: {relay_words(relay, None, None)}")
        return True
    with BriefLink(settings, TOPICS, due_s) as link:
        talk = Conversation(link, due_s, ZoneInfo(plan.timezone if plan else "UTC"))
        orders = _orders(state, say)
        safe = _release_relays(talk, plan or SafePlan(), now_s, say, orders) if relays else True
        if cleanup:
            left = talk.clean_up(cleanup)
            for device in ("battery", "inverter"):
                orders.release(device, now_s())
            _note(journal, (*left, *(w for w in noted or () if w not in cleanup)), say)
            say(f"inverter: {_inverter_words(cleanup, left, talk.problem)}")
            safe = safe and not left
    return safe


def _explain(plan: SafePlan | None, noted: tuple[Write, ...] | None, say: Say) -> None:
    """Say why something is not touched."""
    if plan is None:
        say("there is no plan of the core; relays keep their leases and fall back by themselves")
    elif plan.empty:
        say("advisory: nothing is written to any device")
    held = "" if plan is None else safe_plan.held_words(plan, noted or ())
    if held:
        say(f"inverter: {held}")


def _orders(state: Path, say: Say) -> OrderJournal:
    """Open the journal of orders: the next core must not take ours for a person's."""
    try:
        return OrderJournal.open(state, ())
    except OSError as problem:
        say(f"the orders cannot be noted ({problem.strerror})")
        return OrderJournal()


def _release_relays(
    talk: Conversation,
    plan: SafePlan,
    now_s: Callable[[], float],
    say: Say,
    orders: OrderJournal,
) -> bool:
    """Send each relay its last order; whether all that must be off are known to be."""
    must_be_off: list[str] = []
    talk.wait_for_relays({r.relay for r in plan.relays if r.state is not None}, STATUS_WAIT_S)
    safe = True
    for fallback in plan.relays:
        found = talk.relay_state(fallback.relay, now_s())
        order = relay_order(fallback, found, now_s())
        if order is not None:
            orders.note(order)
        arrived = order is None or talk.order_relay(heating_message(order, Topics(plan.prefix)))
        missing = "" if arrived else "; the broker did not take the order"
        say(f"relay {fallback.relay}: {relay_words(fallback, order, found)}{missing}")
        safe = safe and arrived
        if order is not None and not order.on and fallback.native is Native.KEEP:
            must_be_off.append(fallback.relay)
    for relay in sorted(talk.not_off(must_be_off, CONFIRM_WAIT_S)):
        say(f"relay {relay}: it does not confirm that it is off; see to it by hand")
        safe = False
    return safe


def _note(journal: GrowattJournal, left: tuple[Write, ...], say: Say) -> None:
    try:
        journal.note(left)
    except OSError as problem:
        say(f"inverter: what is left to undo cannot be noted ({problem.strerror})")


def _inverter_words(cleanup: tuple[Write, ...], left: tuple[Write, ...], problem: str) -> str:
    if not left:
        return f"it is on its own again ({', '.join(write.register for write in cleanup)})"
    names = ", ".join(write.register for write in left)
    return f"it still holds {names} of ours: {problem or 'no time was left'}"


# -- the program -------------------------------------------------------------------------------


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line that the guardian gives."""
    parser = argparse.ArgumentParser(prog="python -m pems_actors.safe_state", description=__doc__)
    parser.add_argument("--state", type=_folder, required=True)
    parser.add_argument("--broker", type=_address, default="127.0.0.1:1883", help="host:port")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--origin-wall", type=float, default=0.0, help="wall time of the origin")
    parser.add_argument("--origin-house", type=float, help="house time of the origin")
    return parser.parse_args(argv)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {text}; give that of `pems run`")
    return Path(text)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no broker; give it like 127.0.0.1:1883")
    return host or "127.0.0.1", int(port)


def house_clock(given: argparse.Namespace) -> Callable[[], float]:
    """House time: the wall's, or a simulated house's."""
    if given.origin_house is None:
        return time.time
    begin_s, origin_s, speed = given.origin_wall, given.origin_house, given.speed
    return lambda: float(origin_s + (time.time() - begin_s) * speed)


def credentials(env: Mapping[str, str], clone: Path) -> tuple[str | None, str | None]:
    """Find who we are at the broker: in the environment, else in `.env`, as the core does."""
    from dotenv import dotenv_values  # noqa: PLC0415 - nothing else needs it

    files = (Path.cwd() / ".env", clone / ".env")
    file = next((each for each in files if each.is_file()), None)
    known = {**({} if file is None else dotenv_values(file)), **env}
    return known.get("MQTT_USERNAME") or None, known.get("MQTT_PASSWORD") or None


def main(argv: Sequence[str] | None = None) -> int:
    """Bring the devices into their safe state.

    Returns: 0 if all is safe, 1 if something could not be done or confirmed.
    """
    given = parse(sys.argv[1:] if argv is None else argv)
    host, port = given.broker
    user, password = credentials(os.environ, CLONE)
    settings = MqttSettings(
        host,
        port,
        client_id=f"pems-safe-{os.getpid()}",
        username=user,
        password=password,
    )
    return 0 if bring(given.state, settings, house_clock(given), _print) else 1


def _print(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody may read it; the devices come first
        print(f"pems: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
