"""What commands did, told to a catalogue of lineage in the form of OpenLineage."""
