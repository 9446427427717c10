"""The key of a row in an answer, where a thing in it is called by the key that it has in its source."""

from collections.abc import Sequence

from replayhouse.infra.application.ask import question_of
from replayhouse.infra.application.id_of import found_by_key, id_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.kinds import OF_COLUMN, HistoryKind
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.short_ids import id_start


def figure_key(site: Site, number: int, key: Sequence[str], source: str | None = None) -> list[str]:
    """The same values, with ids in the place of keys that a source has; what no source has stays as it is.

    `source`: whose keys they are. Raises UsageError where several sources have one, or there is no such question; of
    people what `id_of` does.
    """
    columns = question_of(number).key
    if len(columns) != len(key):
        return list(key)
    return [_id(site, OF_COLUMN.get(column), value, source) for column, value in zip(columns, key, strict=True)]


def _id(site: Site, kind: HistoryKind | None, value: str, source: str | None) -> str:
    start = id_start(value)
    if kind is None or (start is not None and start.is_whole):
        return value
    if kind is HistoryKind.CUSTOMER:
        return id_of(site, kind, value, source, None).hex
    with site.as_reader.connect("replayhouse key", autocommit=True) as conn:
        found = found_by_key(conn, kind, value, source)
    if len(found) > 1:
        ids = " and ".join(f"{one.hex} in {source}" for source, one in found.items())
        raise UsageError(
            f"Several sources have a {kind} with the key '{value}': it is {ids}. Write the id, or --source for "
            "the figures of one of them."
        )
    return next(iter(found.values())).hex if found else value
