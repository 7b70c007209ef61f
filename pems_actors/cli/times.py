"""Times to come, as people type them: 18:00, 2026-01-20, 2026-01-20T18:00, 3d."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from pems_actors.cli import house_line, run_file
from pems_actors.cli.output import BAD_USAGE, refuse
from pems_actors.cli.words import TIME_OF_DAY, instant, next_at, zone
from pems_actors.gateways.orders import duration_s

EXAMPLES = "18:00, 2026-01-20, 2026-01-20T18:00 or 3d"


def time_to_come(text: str, now: Callable[[], datetime], local: tzinfo) -> datetime:
    """Read a time to come, in UTC: a day or an instant by local time, a time of day, or a length.

    Args:
        now: asked only for what counts from now.
    Raises: Refusal with a sentence if it is none of them.
    """
    if TIME_OF_DAY.fullmatch(text):
        return next_at(text, now().astimezone(local)).astimezone(UTC)
    try:
        typed = datetime.fromisoformat(text)
        return (typed if typed.tzinfo else typed.replace(tzinfo=local)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        ahead = timedelta(seconds=duration_s(text))
    except ValueError:
        refuse(f"{text!r} is no time; write it like {EXAMPLES}", BAD_USAGE)
    return (now() + ahead).astimezone(UTC)


def house_zone(folder: Path) -> tzinfo:
    """Tell the time zone of the house that runs with a state directory; UTC if there is none."""
    facts = run_file.of_state(folder)
    return zone(facts.timezone if facts else None)


def house_now(folder: Path) -> datetime:
    """Ask a running house what time it is there. Raises: Refusal if nobody answers."""
    return instant(house_line.result(folder, "status")["time"])


def house_time(folder: Path, text: str) -> datetime:
    """Read a time to come by the clock of a running house.

    Raises: Refusal if it is none, or if nobody answers.
    """
    return time_to_come(text, lambda: house_now(folder), house_zone(folder))
