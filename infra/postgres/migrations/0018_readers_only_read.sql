-- Readers have no temporary tables, large objects or locks that stop a load.
SELECT;
