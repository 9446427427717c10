"""Mappings that loads have kept: to see how records were made of the files of another source, and to load by them."""

from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.names import load_named
from replayhouse.infra.runtime.errors import NoWarehouse
from replayhouse.infra.sources.kept_mappings import KeptMapping, mapping_of, newest_mapping_of


def load_mapping(site: Site, load: str) -> KeptMapping:
    """The mapping of the load with that id or name, or of which either begins so.

    Raises Unknown where there is no such load, where it is of the nine files, or its mapping was not kept.
    """
    with site.as_reader.connect("replayhouse sources") as connection:
        site.narrow(connection)
        return mapping_of(connection, load_named(connection, load))


def kept_mapping(site: Site, source: str) -> KeptMapping | None:
    """The mapping of the newest load of a source, which is told of; None where there is none, or no warehouse."""
    try:
        source.encode()
        database = site.as_program
    except (UnicodeEncodeError, NoWarehouse):  # bytes of a command line that are no text are no name of a source
        return None
    with database.connect("replayhouse ingest") as connection:
        found = newest_mapping_of(connection, source)
    if found is not None:
        site.warn(f"The mapping of {source} is the one that the load {found.batch_id} has kept, {found.sha256}.")
    return found
