"""Stories that once broke a law, told again: each found something that no other test had seen.

An order was refused by one who rested, so that nobody heard the refusal; a relay that was welded
while heating was blocked drew beside those that started without a meter; relays of owners who may
not write counted as on although their contacts were open, and others were shed for them; and a
judge accused a house of an excess that began while its meter was silent.
"""

import pytest

from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.witness import Witness

FOUND = (
    Tale(5150013, "heavy"),
    Tale(5150165, "heavy"),
    Tale(7100046, "house-silent@house:4025.3/1172.6", house="house17"),
    Tale(502645, "meter-nan@meter:3973/5540.8", 0.15416667),
)


@pytest.mark.slow
@pytest.mark.parametrize("tale", FOUND, ids=lambda tale: f"seed {tale.seed}")
def test_a_story_that_once_broke_a_law_breaks_none(tale: Tale) -> None:
    witness = Witness(plot_of(tale))
    witness.tell()
    assert witness.violations == ()
