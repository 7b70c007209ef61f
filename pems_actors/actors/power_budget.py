"""The power budget's post: requests and meter readings in, grants and sheddings out."""

from __future__ import annotations

from typing import Any, NamedTuple

from pems_actors.actors.base import BATTERY, INSPECTOR, HouseActor, load_address, room_address
from pems_actors.control.base_high import BaseHigh
from pems_actors.control.battery_leave import ENDS_WITHIN_S, BatteryLeave
from pems_actors.control.limits import Headroom
from pems_actors.control.load_budget import LoadBudget
from pems_actors.control.power_budget import METER_LOST_S, SPARE_KW, PowerBudget
from pems_actors.domain.events import (
    BatteryRequest,
    EnergyTick,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    Republish,
    Tick,
)
from pems_actors.domain.findings import ClockJumped, OutOfService
from pems_actors.domain.flexible_load import LoadRequest, LoadSwitched
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import MeterReading
from pems_actors.domain.states import DeviceState, Value
from pems_actors.durable.kept import BudgetKept
from pems_actors.estimation.base_split import (
    BaseSplit,
    base_by_phase,
    drawn_by_phase,
    phases_of,
)
from supervision import Context

PUBLISH_S = 300.0
LOOKS_S = 90.0  # who asks again is served with the next picture, if they still come
LATE_S = 5.0  # a picture that is due is waited for: nobody starts by the one before it


class BudgetMind(NamedTuple):
    """What relays, loads and battery have and want, and how the base load hangs on the phases."""

    relays: PowerBudget
    loads: LoadBudget
    split: BaseSplit = BaseSplit()
    battery: BatteryLeave = BatteryLeave()
    high: BaseHigh = BaseHigh()


class PowerBudgetActor(HouseActor):
    """Serves the waiting relays one by one, never two within the start gap."""

    state: BudgetMind

    def __init__(self, context: Context, house: House) -> None:
        super().__init__(context)
        self.house = house
        longest_s = max((relay.min_on_s for relay in house.relays), default=0.0)
        self.runs_s = longest_s + ENDS_WITHIN_S  # what starts, until it may be shed
        self.published_s = self.looked_s = float("-inf")
        self.every_s = 0.0  # between the last two pictures
        self.since_s = self.now_s()

    def first_state(self) -> BudgetMind:
        """Begin with nobody running, and ask the owners which of their relays are on."""
        for relay in self.house.relays:
            self.tell(room_address(relay.name), Republish())
        for load in self.house.loads:
            self.tell(load_address(load.name), Republish())
        self.tell(INSPECTOR, Republish())
        relays = {relay.name: relay for relay in self.house.relays}
        budget, kept = PowerBudget(self.house.limits, relays), self.recall()
        if kept is not None:
            budget = budget._replace(last_start_s=kept.last_start_s)
        return BudgetMind(budget, LoadBudget({load.name: load for load in self.house.loads}))

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case RelayRequest():
                again = message.relay in self.state.relays.waiting and not message.urgent
                self._mind(relays=self.state.relays.asked(message))
                if not again or self.now_s() - self.looked_s > LOOKS_S:
                    self._serve()
            case RelaySwitched():
                self._on_switched(message)
            case EnergyTick():
                self._on_tick(message)
            case LoadRequest() | LoadSwitched() | BatteryRequest():
                self._on_other(message)
            case OutOfService() | ClockJumped():
                self._on_news(message)
            case Tick():
                if self.every_s <= self.now_s() - self.looked_s < self.every_s + LATE_S:
                    self.after(LATE_S, Tick())
                else:
                    self._serve()
            case _:
                return super().on_receive(message)
        return None

    def _mind(self, **changes: Any) -> None:
        self.state = self.state._replace(**changes)

    def _on_switched(self, said: RelaySwitched) -> None:
        """Hear what a relay is; whoever had been granted makes way for the next."""
        relays = self.state.relays.obeying(said.relay, ours=said.ours)
        answered = said.relay == relays.pledged
        self._mind(
            relays=relays.switched(said.relay, said.on, said.at_s, said.slack_k, self.now_s())
        )
        if answered:
            self._serve()

    def _on_other(self, said: LoadRequest | LoadSwitched | BatteryRequest) -> None:
        """Hear what is no relay: a flexible load, or the battery."""
        match said:
            case LoadSwitched():
                self._mind(loads=self.state.loads.switched(said))
            case LoadRequest():
                self._mind(loads=self.state.loads.asked(said))
                self._serve_loads(self.now_s())
            case BatteryRequest():
                self._mind(battery=self.state.battery.asking(said))
                self._serve_battery(self.now_s())

    def _on_news(self, news: OutOfService | ClockJumped) -> None:
        """Take in relays that do not obey, and a clock that was set."""
        match news:
            case OutOfService(dead=dead, welded=welded):
                self._mind(relays=self.state.relays.out_of_service(dead, welded))
            case ClockJumped(by_s=by_s):
                self._mind(relays=self.state.relays.shifted(by_s))
                self._mind(loads=self.state.loads.shifted(by_s))
                self._mind(battery=self.state.battery.shifted(by_s), high=BaseHigh())

    def _on_tick(self, tick: EnergyTick) -> None:
        self._hear(tick)
        spare = self._spare(tick.at_s)
        if self._tells(tick):
            self._answer_excess(spare, tick.at_s)
        self.every_s, self.looked_s = tick.at_s - self.looked_s, tick.at_s
        if self.state.relays.waiting:
            self._serve()
        else:
            self._serve_battery(tick.at_s)
        if tick.at_s - self.published_s >= PUBLISH_S:
            self.published_s = tick.at_s
            self._publish(tick.at_s)

    def _hear(self, tick: EnergyTick) -> None:
        """Take in what a tick says of the meter, the contacts, the battery and the loads."""
        battery = tick.battery
        charging = (
            battery is not None
            and battery.mode is BatteryMode.CHARGE_GRID
            and (battery.power_kw or 0.0) < 0.0
        )
        fed_kw = _fed_kw(tick)
        meter = self._by_phase(tick, fed_kw) if self.house.limits.phases == 3 else tick.meter
        relays = self.state.relays.heard(meter, fed_kw, grid_charging=charging)
        metered = meter is not None and meter.grid_kw is not None
        self._mind(relays=relays.looked(tick.rooms, metered=metered))
        self._mind(battery=self.state.battery.heard(battery, self.house.battery))
        if self.house.loads:
            loads = self.state.loads.heard(tick.loads, metered=metered)
            self._mind(loads=loads.lent(battery and battery.power_kw))

    def _tells(self, tick: EnergyTick) -> bool:
        """Tell if a tick says anything, or comes so late that the meter is lost.

        What the last picture asked for was ordered then; nobody goes off for it twice.
        """
        meter = self.state.relays.meter
        if meter is None or tick.at_s - meter.at_s > METER_LOST_S:
            return True
        return tick.meter is not None or tick.battery is not None or bool(tick.rooms)

    def _answer_excess(self, spare: Headroom, now_s: float) -> None:
        """Order off what is too much, and what must make room for a needy relay."""
        after = self._hold_loads_back(spare, now_s) if self.house.loads else spare
        relays, battery = self.state.relays, self.state.battery
        room, more_kw = relays.relieved(after, now_s), battery.more_kw(now_s)
        orders = (
            *relays.excess(now_s, room, battery.charge_kw, more_kw),
            *relays.yields(now_s, self._to_start(now_s)),
        )
        self._mind(relays=relays.shed(orders, now_s))
        for order in orders:
            address = room_address(order.relay) if isinstance(order, RelayShed) else BATTERY
            self.tell(address, order)

    def _by_phase(self, tick: EnergyTick, inverter_kw: float | None) -> MeterReading | None:
        """Learn how the base load hangs on the phases; where they are silent, reckon by that."""
        meter, relays = tick.meter, self.state.relays.closed()
        loads = self.state.loads.loads
        if meter is None or meter.grid_kw is None or inverter_kw is None:
            return meter
        if meter.phase_kw is not None:
            base = base_by_phase(meter, inverter_kw, relays, loads, tick.loads)
            high = self.state.high.heard(base, tick.at_s)
            self._mind(split=self.state.split.heard(base, tick.at_s), high=high)
            return meter
        shares = self.state.split.shares
        if shares is None:
            return meter  # taken as balanced
        ours = drawn_by_phase(relays, loads, tick.loads)
        base_kw = max(meter.grid_kw + inverter_kw - sum(ours), 0.0)
        return meter._replace(phase_kw=phases_of(meter.grid_kw, base_kw, ours, shares))

    def _spare(self, now_s: float) -> Headroom:
        """Room under every limit, beside what was let and is not drawn yet."""
        room = self.state.loads.reserved(self.state.relays.headroom(now_s), now_s)
        return self.state.battery.reserved(room, now_s)

    def _to_start(self, now_s: float) -> Headroom:
        """Room for whoever starts: the base load may rise again, and the battery be empty.

        What starts now has to run for its dwell, so it counts on a battery that lasts as long.
        """
        room = self._spare(now_s).beside(self.state.high.rise_kw(now_s))
        return room.beside_inverter(self.state.battery.more_kw(now_s, self.runs_s))

    def _hold_loads_back(self, spare: Headroom, now_s: float) -> Headroom:
        """Hold flexible loads back before anything else, but for a charge from the grid.

        Returns: the headroom once they obey; nobody starts on that before it is seen.
        """
        meter = self.state.relays.meter
        blind = meter is None or now_s - meter.at_s > METER_LOST_S
        charge_first = self.state.relays.grid_charging and self.state.relays.charge_shed_s is None
        if charge_first and spare.exceeded is not None:
            return spare
        orders, room = self.state.loads.excess(spare, now_s, blind=blind)
        cold = self.state.relays.neediest(now_s)
        if not orders and cold is not None and (cold.urgent or cold.slack_k < 0.0):
            orders = self.state.loads.yields(
                spare.less(SPARE_KW), self.state.relays.relays[cold.relay], now_s
            )
        lost = [each.load for each in orders if not self.tell(load_address(each.load), each)]
        self._mind(loads=self.state.loads.told(orders, now_s))
        if lost:  # nobody there to hold them back: others have to make up for them
            self._mind(loads=self.state.loads.unheard(lost))
            _, room = self.state.loads.excess(spare, now_s, blind=blind)
        for shed in self.state.loads.claims(spare.less(SPARE_KW), self.state.relays, now_s):
            self.tell(room_address(shed.relay), shed)
        self._serve_loads(now_s)
        return room

    def _serve_loads(self, now_s: float) -> None:
        """Let a load go if no relay waits that could start, and the last start is long enough ago.

        Without a meter nobody is let go.
        """
        meter = self.state.relays.meter
        if not self.state.loads.waiting or meter is None or now_s - meter.at_s > METER_LOST_S:
            return
        room = self._to_start(now_s).less(SPARE_KW)
        first = self.state.relays.neediest(now_s)
        before = first is not None and room.carries(self.state.relays.relays[first.relay])
        if before or now_s < self.state.relays.next_start_s:
            return
        loads, grant = self.state.loads.next_grant(room, now_s)
        self._mind(loads=loads)
        if grant is not None:
            self._mind(relays=self.state.relays._replace(last_start_s=now_s))
            self.tell(load_address(grant.load), grant)

    def _serve_battery(self, now_s: float) -> None:
        """Let the battery give less, or charge if no relay waits; without a meter neither."""
        asked, meter = self.state.battery.waiting(now_s), self.state.relays.meter
        blind = meter is None or now_s - meter.at_s > METER_LOST_S
        if asked is None or blind or (asked.charge and self.state.relays.neediest(now_s)):
            return
        before = self.state.battery
        ending_kw = before.ending_kw(self.runs_s)
        battery, grant = before.next_grant(self._to_start(now_s), now_s, ending_kw)
        self._mind(battery=battery)
        if grant is not None:
            self.tell(BATTERY, grant)

    def _serve(self) -> None:
        now_s = self.now_s()
        relays, grant = self.state.relays.next_grant(now_s, self._to_start(now_s))
        self._mind(relays=relays)
        if grant is not None:
            self.tell(room_address(grant.relay), grant)
            self.remember(BudgetKept(grant.at_s))
        wait_s = self.state.relays.due(now_s)
        if wait_s is not None and wait_s > 0.0:
            self.after(wait_s, Tick())
        self._serve_battery(now_s)

    def _publish(self, now_s: float) -> None:
        room = self.state.relays.headroom(now_s)
        values = (
            ("import_headroom_kw", Value(round(room.import_kw, 2), "kW")),
            ("heating_headroom_kw", Value(round(room.heating_kw, 2), "kW")),
            ("phase_headroom_kw", Value(round(min(room.phase_kw), 2), "kW")),
            ("running", Value(len(self.state.relays.running), "")),
            ("waiting", Value(len(self.state.relays.waiting), "")),
            ("refusals", Value(self.state.relays.refusals, "")),
        )
        state = DeviceState(self.path, now_s, Level.PLAN, "limits kept", values, self.since_s)
        self.publish(state)


def _fed_kw(tick: EnergyTick) -> float | None:
    """Add up what battery and sun feed; None if one of them says nothing."""
    battery_kw = tick.battery and tick.battery.power_kw
    pv_kw = tick.inverter and tick.inverter.pv_kw
    return None if battery_kw is None or pv_kw is None else battery_kw + pv_kw
