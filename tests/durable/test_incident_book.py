"""Incidents that are open when a process ends: taken over by their name, or ended by the next."""

from pems_actors.durable.incident_book import IncidentBook
from pems_actors.durable.memory import Memory
from supervision.events import IncidentClosed, IncidentOpened

T = 1_700_000_000.0
SILENT = "rooms/bath/sensor-silent"


def opened(path: str = SILENT, start_s: float = T) -> IncidentOpened:
    return IncidentOpened(start_s, path, f"{path}@{start_s:.0f}", "says nothing", start_s, None)


def closed(path: str = SILENT, start_s: float = T, end_s: float = T + 60.0) -> IncidentClosed:
    return IncidentClosed(
        end_s, path, f"{path}@{start_s:.0f}", "says nothing", start_s, end_s, None
    )


def next_book(memory: Memory, now_s: float = T + 100.0) -> IncidentBook:
    book = IncidentBook(memory)
    book.begin(now_s)
    return book


def test_what_was_left_open_is_ended_now_under_its_own_name():
    memory = Memory()
    next_book(memory).note(opened())
    assert next_book(memory).left_open(T + 100.0) == [closed(end_s=T + 100.0)]


def test_what_is_taken_over_or_had_its_end_is_left_alone():
    memory = Memory()
    before = next_book(memory)
    for path in ("a", "b", SILENT):
        before.note(opened(path))
    before.note(closed("a"))
    book = next_book(memory)
    book.note(opened())
    assert [end.path for end in book.left_open(T + 100.0)] == ["b"]


def test_a_new_incident_in_the_same_place_ends_the_old_one_first():
    memory = Memory()
    next_book(memory).note(opened())
    book = next_book(memory)
    assert book.replaced_by(opened()) is None
    assert book.replaced_by(opened(start_s=T + 50.0)) == closed(end_s=T + 50.0)


def test_an_actor_that_has_lost_its_memory_too_still_ends_what_it_began():
    book = next_book(Memory())
    book.note(opened())
    assert book.replaced_by(opened(start_s=T + 50.0)) == closed(end_s=T + 50.0)


def test_the_same_incident_told_twice_in_one_process_is_known():
    book = next_book(Memory())
    assert not book.knows(opened())
    book.note(opened())
    assert book.knows(opened())
    assert not book.knows(closed())


def test_an_incident_left_open_is_news_to_the_next_process_once():
    memory = Memory()
    next_book(memory).note(opened())
    book = next_book(memory)
    assert not book.knows(opened())
    book.note(opened())
    assert book.knows(opened())
