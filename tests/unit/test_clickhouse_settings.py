"""Where ClickHouse is, as the settings say it: taken apart, shown without a password, refused plainly."""

import sys
from pathlib import Path

import pytest

from replayhouse.infra.clickhouse.server import connected
from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings
from replayhouse.infra.runtime.errors import Unreachable, UsageError

NOBODY = "clickhouse://127.0.0.1:1/reports"


@pytest.mark.parametrize(
    ("url", "place", "user"),
    [
        ("clickhouse://ana@reports:9000/shop", "clickhouse://reports:9000/shop", "ana"),
        ("clickhouse://reports", "clickhouse://reports:8123/replayhouse", "default"),
        ("clickhouses://ana%40x@reports/a%20b", "clickhouses://reports:8443/a b", "ana@x"),
        ("clickhouse://[::1]:8123", "clickhouse://[::1]:8123/replayhouse", "default"),
        ("chdb:///srv/reports/", "chdb:///srv/reports", ""),
    ],
)
def test_an_address_is_taken_apart(url: str, place: str, user: str) -> None:
    address = load_clickhouse_settings(url=url).address
    assert (address.place, address.user) == (place, user)


@pytest.mark.parametrize(
    "url",
    [
        "http://reports:8123",
        "reports",
        "clickhouse://",
        "clickhouse://reports:port/",
        "clickhouse://reports/a/b",
        "clickhouse://reports/a?secure=1",
        "chdb://reports",
        "chdb://host/folder",
    ],
)
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="REPLAYHOUSE_CLICKHOUSE_URL makes no sense"):
        _ = load_clickhouse_settings(url=url).address


def test_none_is_asked_for() -> None:
    with pytest.raises(UsageError, match="Name it in REPLAYHOUSE_CLICKHOUSE_URL"):
        _ = load_clickhouse_settings(url=None).address


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="REPLAYHOUSE_CLICKHOUSE_PASSWORD") as refused:
        _ = load_clickhouse_settings(url="clickhouse://ana:sesame@reports").address
    assert "sesame" not in str(refused.value)


def test_a_password_stands_in_a_file_or_a_setting(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("sesame\n", encoding="utf-8")
    assert load_clickhouse_settings(url=NOBODY, password_file=file).secret == "sesame"
    assert load_clickhouse_settings(url=NOBODY, password="other").secret == "other"
    assert load_clickhouse_settings(url=NOBODY).secret == ""
    assert "other" not in repr(load_clickhouse_settings(url=NOBODY, password="other"))
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        _ = load_clickhouse_settings(url=NOBODY, password_file=tmp_path / "none").secret


def test_a_server_that_does_not_answer_is_told_in_a_sentence() -> None:
    told = f"^The ClickHouse at {NOBODY} cannot be reached: Connection refused.$"
    with pytest.raises(Unreachable, match=told), connected(load_clickhouse_settings(url=NOBODY)):
        pass


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("clickhouse_connect", "clickhouse_connect.driver.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(UsageError, match=r"pip install 'replayhouse\[clickhouse\]'"),
        connected(load_clickhouse_settings(url=NOBODY)),
    ):
        pass
