"""The moment that questions are asked as of: the live one, one that stands, or one that is made for the time being.

A moment that was made to be asked (`make_moment`) stands under a prefix whose name tells what it follows from. So it
is found again, and only while it is what this program would make.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from hashlib import sha256

import psycopg

from replayhouse.infra.answers.moment import LIVE, Moment, live_moment, moment_as_of
from replayhouse.infra.application.rebuild_into import limits_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.source_names import known_source
from replayhouse.infra.read_models import prefixes
from replayhouse.infra.read_models.calendar import bound_of_models, make_calendar
from replayhouse.infra.read_models.marts import create_marts, live_schemas
from replayhouse.infra.read_models.prefixes import Prefix, schema_in
from replayhouse.infra.read_models.schema import model_of
from replayhouse.infra.read_models.snapshots import moments, time_travel
from replayhouse.infra.read_models.snapshots.limits import Limits, position_of
from replayhouse.infra.read_models.snapshots.moments import schemas_of
from replayhouse.infra.read_models.snapshots.time_travel import alone
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.projections.marts import MARTS
from replayhouse.projections.warehouse import PROJECTIONS

_MARTS = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relname = ANY(%s)"

_LIVE = Moment(LIVE, 0, None, "", 0, is_record=False)
"""Where the live marts stand. What they show is asked in the transaction that looks at them."""

Standing = str | None
"""What stands: None is live; else the name of a prefix, or of a revision."""

_MADE_TO_BE_ASKED = re.compile(r"moment_\d+_[0-9a-f]{8}")


class NotMade(Conflicting):
    """A moment that stands nowhere is asked for by somebody who does not wait until it is made."""


def read_moment(
    conn: psycopg.Connection,
    at: str | int | datetime | None,
    occurred_before: str | date | None,
    source: str | None = None,
) -> Standing | Limits:
    """What is asked for: something that stands, or limits of the log. Raises UsageError for what is neither.

    Of a source by itself nothing stands. Raises Unknown where nothing was loaded of it.
    """
    told = None if source is None else known_source(conn, source)
    before = limits_of(None, None, occurred_before)
    side = None if at is None or at == "live" else moments.read(at)
    if side is not None and side.limits is None:
        schemas_of(conn, side.text)
        if before:
            raise UsageError(
                f"'{side.text}' stands as it is: --occurred-before goes with a position, a recorded time, or no moment."
            )
        if told is not None:
            raise UsageError(
                f"'{side.text}' stands as it is: --source goes with a position, a recorded time, or no moment."
            )
        return side.text
    limits = Limits(occurred_before=before.occurred_before, source=told)
    if side is not None and side.limits is not None:
        limits = Limits(side.limits.position, side.limits.as_of, before.occurred_before, told)
    if not limits:
        return None
    position = position_of(conn, limits)
    is_live = before.occurred_before is None and told is None and position == live_moment(conn).position
    return None if is_live else Limits(position, None, before.occurred_before, told)


def recorded(conn: psycopg.Connection, limits: Limits) -> Moment:
    """The moment as which answers are kept that were given with these limits; its marts stand nowhere."""
    return moment_as_of(conn, (), position_of(conn, limits), limits.occurred_before, limits.source)


@contextmanager
def made(site: Site, conn: psycopg.Connection, wanted: Standing | Limits) -> Iterator[Moment]:
    """A moment whose marts stand while the block runs."""
    if wanted is None:
        yield _LIVE
    elif isinstance(wanted, Limits):
        if (found := standing_as_of(conn, wanted)) is not None:
            yield found
            return
        _refuse_to_make(site, told_of(wanted))
        site.tell(f"folding the log up to position {wanted.position:,}", 0, 0)
        with alone(conn), time_travel.made(site.database, conn, PROJECTIONS, wanted, site.settings.workers) as beside:
            begun = beside.unfinished
            before = recorded(conn, wanted)
            with conn.transaction():
                time_travel.complete(conn, begun)
            moment = recorded(conn, wanted)._replace(schemas=_schemas_under(begun.prefix))
            yield moment._replace(is_record=moment.is_record and moment.erasures == before.erasures)
    elif (known := next((one for one in prefixes.prefixes(conn) if one.prefix == wanted), None)) is not None:
        yield _under(conn, known)
    else:
        if not (site.makes_moments and site.is_for_owner):
            raise Conflicting(
                f"An earlier revision has no marts that could be asked at once: replayhouse ask NUMBER --at {wanted} "
                "makes them for the time being."
            )
        with _of_revision(site, conn, wanted) as moment:
            yield moment


def told_of(limits: Limits) -> str:
    """A moment in words."""
    before, position = limits.occurred_before, f"position {limits.position:,}"
    if limits.source is not None:
        position += f" of {limits.source}"
    if before is None:
        return position
    by = f"the end of {before.date()}" if before.time() == time.max else f"{before:%Y-%m-%d %H:%M:%S}"
    return f"{position}, and what had happened by {by}"


def _refuse_to_make(site: Site, told: str) -> None:
    if not (site.makes_moments and site.is_for_owner):
        raise NotMade(
            f"The moment is not made yet ({told}), and no answer as of it is kept. The page Moments makes it, and so "
            "does POST /api/moments; that takes a while."
        )


def standing_as_of(conn: psycopg.Connection, limits: Limits) -> Moment | None:
    """The moment as of limits (a position among them) that was made to be asked, where it stands."""
    moment = recorded(conn, limits)
    name = name_of(moment)
    found = any(
        (one.prefix, one.position, one.occurred_before, one.store, len(one.contexts))
        == (name, moment.position, moment.occurred_before, None, len(PROJECTIONS))
        for one in prefixes.prefixes(conn)
    )
    return moment._replace(schemas=_schemas_under(name)) if found else None


def name_of(moment: Moment) -> str:
    """Under which prefix a moment stands that was made to be asked: it tells all that its marts follow from."""
    told = f"{moment.definition} {moment.occurred_before} {moment.erasures}"
    return f"moment_{moment.position}_{sha256(told.encode()).hexdigest()[:8]}"


def is_made_to_be_asked(prefix: str) -> bool:
    """Whether a prefix is the name of such a moment, also of one that an earlier program has made."""
    return _MADE_TO_BE_ASKED.fullmatch(prefix) is not None


def _under(conn: psycopg.Connection, known: Prefix) -> Moment:
    """What stands under a prefix is no record: who made it, and with what, is not known any more."""
    schemas = _schemas_under(known.prefix)
    there = conn.execute(_MARTS, [schemas[0], [mart.name for mart in MARTS]]).fetchone()
    if there != (len(MARTS),):
        raise UsageError(
            f"Under the prefix '{known.prefix}' there are no marts that questions could be asked: it has not all "
            "contexts, or an earlier program made it. Make it again with replayhouse rebuild --into."
        )
    moment = moment_as_of(conn, schemas, known.position, known.occurred_before, known.source)
    return moment._replace(is_record=False)


@contextmanager
def _of_revision(site: Site, conn: psycopg.Connection, name: str) -> Iterator[Moment]:
    """Marts on a revision that is kept; contexts that have none of that number are the live ones."""
    schemas = {**live_schemas(), **schemas_of(conn, name)}
    site.tell(f"making the marts of {name}", 0, 0)
    with alone(conn):
        begun = prefixes.begin(conn, (), live_moment(conn).position, None, None)
        try:
            shared, mart = (schema_in(begun.prefix, part) for part in ("shared", "mart"))
            models = {context: model_of(context, schemas[context]) for context in PROJECTIONS}
            with conn.transaction():
                make_calendar(conn, shared, models, bound_of_models(conn, models))
                create_marts(conn, mart, {**schemas, "shared": shared})
            yield moment_as_of(conn, (mart, shared), _newest(conn, mart), None)._replace(is_record=False)
        finally:
            if not conn.closed:
                prefixes.abandon(conn, begun.prefix, ())


def _newest(conn: psycopg.Connection, mart: str) -> int:
    """The newest event that a revision shows, as far as its orders, sellers and products tell."""
    from psycopg import sql

    query = sql.SQL("SELECT coalesce(max(position), 0) FROM {}").format(sql.Identifier(mart, "orders"))
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0


def _schemas_under(prefix: str) -> tuple[str, ...]:
    return schema_in(prefix, "mart"), schema_in(prefix, "shared")
