"""The worker's side of the pipe: how it finds its target, and how it reads its orders."""

import pytest

from supervision.worker_channel import Frame, encode, read_frame
from supervision.worker_child import load_target, sentence


class Drip:
    """A stream that gives one byte at a time, and then ends."""

    def __init__(self, data):
        self.rest = data

    def recv(self, _size):
        part, self.rest = self.rest[:1], self.rest[1:]
        return part


def test_an_order_is_read_whole_though_it_comes_byte_by_byte():
    order = Frame("job", 7, {"horizon_h": 48})
    assert read_frame(Drip(encode(order))) == order


@pytest.mark.parametrize("missing", [1, 20])
def test_a_stream_that_ends_within_an_order_is_an_end_and_no_order(missing):
    with pytest.raises(EOFError):
        read_frame(Drip(encode(Frame("job", 7, "data"))[:-missing]))


def test_a_target_is_made_once_after_what_it_builds_on_was_imported():
    handle = load_target("worker_jobs:calculator", preload=["json"])
    assert handle(("double", 4)) == 8


def test_a_target_without_a_factory_is_told_the_form():
    with pytest.raises(ValueError, match=r"package\.module:factory"):
        load_target("worker_jobs")


def test_a_target_that_nobody_knows_names_what_is_missing():
    with pytest.raises(AttributeError, match="nobody"):
        load_target("worker_jobs:nobody")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_an_error_is_told_in_one_line(error, told):
    assert sentence(error) == told
