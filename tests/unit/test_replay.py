"""What new events of a stream do to its rows: some are written, some are no more, table by table."""

from datetime import timedelta

from replayhouse.domain.customer.events import AliasLinked, CustomerRegistered
from replayhouse.domain.marketplace.events import ProductListed, ProductRecategorized
from replayhouse.projections.projection import Row, Stream
from replayhouse.projections.replay import Difference, difference, differences, refold
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.read_side import MONDAY, an_id

CUSTOMER, MARKETPLACE = PROJECTIONS["customer"], PROJECTIONS["marketplace"]
PERSON, FIRST, SECOND = an_id(1), an_id(2), an_id(3)
REGISTERED = CustomerRegistered(MONDAY, FIRST, "SP", MONDAY, "01001", "osasco")
LINKED = AliasLinked(MONDAY + timedelta(days=1), SECOND, "SP", MONDAY + timedelta(days=1), "01001", "osasco")


def test_a_stream_without_an_event_had_no_rows() -> None:
    listed = ProductListed("artes", None, None, None, None, None, None, None)
    after = Stream(PERSON, 4, [listed])
    before, now = refold(MARKETPLACE, None, after)
    assert (before, now) == ({}, MARKETPLACE.fold(after))
    assert refold(MARKETPLACE, after, Stream(PERSON, 5, [listed, ProductRecategorized(None)]))[0] == now


def test_rows_of_a_table_that_had_none_are_written_and_rows_of_one_that_has_none_now_are_gone() -> None:
    rows = CUSTOMER.fold(Stream(PERSON, 4, [REGISTERED]))
    [person], [alias] = rows["dim_customer"], rows["customer_alias"]
    appeared = differences(CUSTOMER, {}, {"dim_customer": [person]})
    assert appeared == {"dim_customer": Difference([person], [])}
    assert differences(CUSTOMER, {"customer_alias": [alias]}, {}) == {"customer_alias": Difference([], [alias])}
    both = differences(CUSTOMER, {"customer_alias": [alias]}, {"dim_customer": [person]})
    assert both == {"dim_customer": Difference([person], []), "customer_alias": Difference([], [alias])}


def test_only_rows_that_changed_are_written_and_known_by_the_key_of_their_table() -> None:
    before = CUSTOMER.fold(Stream(PERSON, 4, [REGISTERED]))
    after = CUSTOMER.fold(Stream(PERSON, 4, [REGISTERED, LINKED]))
    found = differences(CUSTOMER, before, after)
    assert found["customer_alias"] == Difference([(SECOND, PERSON, 4)], [])
    assert found["address_history"] == Difference([], [])
    assert found["dim_customer"] == Difference(after["dim_customer"], [])


def test_a_row_is_replaced_by_the_one_with_its_key_and_its_key_alone() -> None:
    known: list[Row] = [(1, 1, "a", 7), (1, 2, "b", 7)]
    assert difference(2, known, [(1, 1, "a", 7), (1, 2, "c", 8)]) == Difference([(1, 2, "c", 8)], [])
    assert difference(2, known, [(1, 3, "b", 8), (1, 1, "a", 7)]) == Difference([(1, 3, "b", 8)], [(1, 2, "b", 7)])
