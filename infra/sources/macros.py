"""The functions that a mapping's SQL has besides DuckDB's own: id, person_id, local_time, money, amount.

Each but amount gives text, null for null, and of text that it cannot read the text itself, so that the record is
quarantined with what stands in the file.
"""

import re

import duckdb

from replayhouse.infra.sources.document import Source

ID_DIGITS = 32

ID = """
CREATE MACRO id(kind, key) AS
    CASE WHEN key IS NOT NULL
    THEN left(sha256(concat_ws(chr(0), '{source}', kind::VARCHAR, key::VARCHAR)), {digits}) END
"""
"""The same key of another kind, or of another source, makes another id."""

PERSON_ID = """
CREATE MACRO person_id(key) AS
    CASE WHEN key IS NOT NULL
    THEN left(
        sha256(
            (SELECT outside FROM secret.pads)
            || unhex(sha256((SELECT inside FROM secret.pads) || encode(concat_ws(chr(0), '{source}', key::VARCHAR))))
        ),
        {digits}
    ) END
"""
"""HMAC-SHA-256 (RFC 2104): who does not have the secret finds nobody's id by guessing keys, and SQL of a mapping cannot
read it (selects.py)."""

BLOCK_BYTES = 64

LOCAL_TIME = """
CREATE MACRO local_time(cell) AS
    CASE WHEN regexp_full_match(cell::VARCHAR, '{iso}([Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})')
         THEN coalesce(strftime(timezone('{zone}', TRY_CAST(cell::VARCHAR AS TIMESTAMPTZ)), '{plain}'), cell::VARCHAR)
         {formats}
         ELSE cell::VARCHAR END
"""
ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
PLAIN = "%Y-%m-%d %H:%M:%S"

MONEY = """
CREATE MACRO money(cell) AS
    CASE WHEN regexp_full_match(trim(cell::VARCHAR), '{amount}')
         THEN replace({whole}, '{decimal}', '.')
         ELSE cell::VARCHAR END
"""

AMOUNT = r"""
CREATE MACRO amount(cell) AS
    CASE WHEN regexp_full_match(trim(cell::VARCHAR), '-?[0-9]{1,14}(\.[0-9]+)?')
         THEN TRY_CAST(trim(cell::VARCHAR) AS DECIMAL(18, 4)) END
"""
"""To calculate with. A cast would take 1e3 for a thousand."""


def create_macros(connection: duckdb.DuckDBPyConnection, source: Source, secret: bytes) -> None:
    """Makes them for a source; `secret` is that of the store, which SQL cannot read."""
    connection.execute(ID.format(source=source.name, digits=ID_DIGITS))
    connection.execute("CREATE SCHEMA secret; CREATE TABLE secret.pads (inside BLOB, outside BLOB)")
    connection.execute("INSERT INTO secret.pads VALUES (?, ?)", [_padded(secret, 0x36), _padded(secret, 0x5C)])
    connection.execute(PERSON_ID.format(source=source.name, digits=ID_DIGITS))
    connection.execute(_local_time(source))
    connection.execute(_money(source))
    connection.execute(AMOUNT)


def _padded(secret: bytes, pad: int) -> bytes:
    return bytes(byte ^ pad for byte in secret.ljust(BLOCK_BYTES, b"\0"))


def _local_time(source: Source) -> str:
    forms = ", ".join(_text(form) for form in source.times if "%z" not in form)
    parsed = f"try_strptime(cell::VARCHAR, [{forms}])"
    formats = f"WHEN {parsed} IS NOT NULL THEN strftime({parsed}, '{PLAIN}')" if forms else ""
    return LOCAL_TIME.format(iso=ISO, zone=source.zone, plain=PLAIN, formats=formats)


def _money(source: Source) -> str:
    decimal, whole = re.escape(source.decimal), "trim(cell::VARCHAR)"
    integer = "[0-9]+"
    if source.thousands is not None:
        integer = f"([0-9]+|[0-9]{{1,3}}({re.escape(source.thousands)}[0-9]{{3}})+)"
        whole = f"replace({whole}, {_text(source.thousands)}, '')"
    amount = f"-?{integer}({decimal}[0-9]+)?".replace("'", "''")
    return MONEY.format(amount=amount, whole=whole, decimal=source.decimal)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
