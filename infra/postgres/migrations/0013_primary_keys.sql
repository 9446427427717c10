-- Every table that is updated or deleted from has a primary key.
SELECT;
