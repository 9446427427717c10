-- PostgreSQL keeps no statistics on keys and personal columns.
SELECT;
