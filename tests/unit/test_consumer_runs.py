"""What one batch brought of a stream is kept in one row, and comes back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from replayhouse_consumer.received import Received
from replayhouse_consumer.runs import packed, unpacked

printable = st.text().filter(str.isprintable)
events = st.lists(
    st.tuples(printable, st.integers(1, 2**63 - 1), printable, st.binary(), st.booleans()), min_size=1, max_size=5
)


@given(first=st.integers(1, 2**62), parts=events)
def test_whatever_events_say_they_come_back_as_they_were(
    first: int, parts: list[tuple[str, int, str, bytes, bool]]
) -> None:
    stream = bytes(16)
    run = [Received("sales", stream, version, *part) for version, part in enumerate(parts, first)]
    assert unpacked("sales", stream, run[-1].version, packed(run)) == run
