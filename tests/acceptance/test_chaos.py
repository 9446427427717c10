"""All commands in any order, killed at random: the warehouse comes to the same end as one that nobody disturbs.

One seed and a few steps, another one each time; `make soak` goes on for long.
"""

from pathlib import Path

from tests.support.chaos import chaos
from tests.support.crashes import a_seed

ORDERS = 100
STEPS = 5


def test_whatever_is_done_and_killed_the_end_is_that_of_an_undisturbed_warehouse(prepared: Path) -> None:
    with chaos(prepared, ORDERS, a_seed(), print) as played:
        played.play(STEPS, most_kills=1)
