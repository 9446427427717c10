"""The mapping of a load: what an auditor reads to see how records were made of the files of another source."""

from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.names import load_named
from replayhouse.infra.sources.kept_mappings import KeptMapping, mapping_of


def load_mapping(site: Site, load: str) -> KeptMapping:
    """The mapping of the load with that id or name, or of which either begins so.

    Raises Unknown where there is no such load, where it is of the nine files, or its mapping was not kept.
    """
    with site.as_reader.connect("replayhouse sources") as connection:
        site.narrow(connection)
        return mapping_of(connection, load_named(connection, load))
