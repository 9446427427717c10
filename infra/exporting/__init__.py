"""The star schema as files: Parquet tables and a DuckDB database, with digests that DuckDB recomputes."""
