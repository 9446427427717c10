-- A revision keeps the fingerprint of its tables and the version of its fold: what another program made is told apart.

ALTER TABLE read_model.revision
    ADD COLUMN fingerprint text,
    ADD COLUMN fold_version int NOT NULL DEFAULT 1; -- folds are counted from here on
ALTER TABLE read_model.revision ALTER COLUMN fold_version DROP DEFAULT;
COMMENT ON COLUMN read_model.revision.fingerprint IS
    'SHA-256 of the tables that it was made with: names, columns, types, keys; null where it was made before these were kept';
COMMENT ON COLUMN read_model.revision.fold_version IS
    'Version of the fold that made its rows; 0: rows were taken out, and it must be filled anew';
