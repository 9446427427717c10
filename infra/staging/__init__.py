"""The extracts: opening a folder or zip, reading CSV strictly, staging in DuckDB, checks as SQL."""
