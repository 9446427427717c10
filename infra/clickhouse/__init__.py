"""The read models in ClickHouse: kept up with the log exactly once, rebuilt, and compared by digests."""
