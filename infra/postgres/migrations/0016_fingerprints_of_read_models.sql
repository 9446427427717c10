-- A revision keeps the fingerprint of its tables and of its fold.
SELECT;
