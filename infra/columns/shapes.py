"""Streams by shape: those whose events, in order, are of the same kinds. Of one shape, all fields can be columns."""

from collections.abc import Iterator

import numpy as np

from replayhouse.infra.columns.values import Array

LONGEST_STREAM = 48
"""Streams with more events are of a shape of their own more often than not."""


def groups_of(kinds: Array, starts: Array, counts: Array) -> Iterator[Array]:
    """Streams of one shape, as their numbers, group by group.

    `kinds` has a number for each event: equal ones can be one column. The events of a stream stand there from its place
    in `starts` on, so many as `counts` says; those with more than LONGEST_STREAM are in no group.
    """
    by_count = np.argsort(counts, kind="stable")
    for streams in _parts(by_count, counts[by_count]):
        count = int(counts[streams[0]])
        if count <= LONGEST_STREAM:
            yield from _of_one_shape(kinds, streams, starts[streams], count)


def parts_by(labels: Array, streams: Array) -> Iterator[Array]:
    """Streams parted by their labels."""
    order = np.argsort(labels, kind="stable")
    return _parts(streams[order], labels[order])


def _of_one_shape(kinds: Array, streams: Array, starts: Array, count: int) -> Iterator[Array]:
    shapes = np.ascontiguousarray(kinds[starts[:, None] + np.arange(count)].astype(np.int32))
    as_bytes = shapes.view(np.dtype((np.void, shapes.itemsize * count))).ravel()
    return parts_by(np.unique(as_bytes, return_inverse=True)[1], streams)


def _parts(streams: Array, labels: Array) -> Iterator[Array]:
    """Streams whose equal labels stand side by side, cut where they change."""
    if len(streams):
        yield from np.split(streams, np.flatnonzero(labels[1:] != labels[:-1]) + 1)
