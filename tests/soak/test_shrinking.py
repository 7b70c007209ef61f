"""A failing list shrinks to one from which nothing can be left out."""

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.soak.shrinking import shrink

NUMBERS = st.lists(st.integers(0, 40), min_size=1, max_size=30, unique=True)


@given(faults=NUMBERS, data=st.data())
def test_exactly_the_guilty_are_left_in_their_order(faults, data):
    guilty = data.draw(st.sets(st.sampled_from(faults), max_size=4))
    least = shrink(faults, lambda part: guilty <= set(part))
    assert least == tuple(each for each in faults if each in guilty)


@given(faults=NUMBERS, data=st.data())
def test_of_several_reasons_one_is_enough(faults, data):
    one, other = (data.draw(st.sets(st.sampled_from(faults), min_size=1)) for _ in range(2))
    least = set(shrink(faults, lambda part: one <= set(part) or other <= set(part)))
    assert least in (one, other) or least in (one & other, one | other)
    assert one <= least or other <= least


def test_what_fails_without_any_fault_shrinks_to_nothing():
    assert shrink([1, 2, 3], lambda _: True) == ()


def test_few_tries_are_enough_for_one_guilty_among_many():
    tries = []

    def fails(part: tuple[int, ...]) -> bool:
        tries.append(part)
        return 77 in part

    assert shrink(range(100), fails) == (77,)
    assert len(tries) < 60
