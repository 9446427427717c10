"""The log outside of the database: segments of Parquet files, each sealed once, that anybody can read and verify."""
