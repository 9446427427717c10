"""What commands did, told to a catalogue of lineage in the form of OpenLineage.

`asked` says whether anybody listens; `datasets`, `facets` and `runs` make the events, as plain documents; `sending`
hands them to a process of its own, `emit`, the only place that imports the client of OpenLineage.
"""
