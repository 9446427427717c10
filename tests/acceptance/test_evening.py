"""Evenings: something goes wrong, its alert is told by a real Prometheus, somebody follows the page, and it is quiet.

What is typed is taken out of the page of the alert, so a page that does not help fails here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from replayhouse.ingest.synthetic import generate
from tests.support.folders import quick_folder
from tests.support.homes import FORKED, Home, wait_until
from tests.support.prepared import furnish
from tests.support.prometheus import LONGEST_S, Prometheus, showing, watching
from tests.support.runbooks import PAGES, expressions_on, page_of, script_of
from tests.support.served import served, serving_at
from tests.support.shell import Shell
from tests.support.spoiled import spoil

SOMEBODY = "SELECT replace(customer_id::text, '-', '') FROM customer.dim_customer WHERE orders > 0 LIMIT 1"
TAMPER = """
    ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only;
    UPDATE event_store.sales_events SET state = {} WHERE notification_id = (
        SELECT min(notification_id) FROM event_store.sales_events
    );
    ALTER TABLE event_store.sales_events ENABLE ALWAYS TRIGGER append_only
"""
PARKED = """
    INSERT INTO read_model.parked (context, revision, originator_id, folded_to, position, error)
    SELECT context, revision, (SELECT min(originator_id::text)::uuid FROM event_store.sales_events), 0, 7, 'no sense'
    FROM read_model.projection WHERE context = 'sales'
"""
SILENT = """
    INSERT INTO publishing.relay (name, position, state, since, updated_at, session)
    VALUES ('sales', 0, 'publishing', now(), now() - interval '1 hour', gen_random_uuid())
"""
WELL = 40


class Watched(NamedTuple):
    """A home with a server and its address, the Prometheus that watches it, and where somebody types."""

    home: Home
    address: str
    prometheus: Prometheus
    shell: Shell

    @property
    def folder(self) -> Path:
        """Where the home and the extracts stand."""
        return self.home.path.parent

    def is_seen(self) -> bool:
        """Whether Prometheus has just been answered: else it is quiet for it knows nothing."""
        return bool(self.prometheus.query("replayhouse_database_up == 1"))

    def new_folder(self, name: str) -> Path:
        """A new folder, which is empty."""
        (self.folder / name).mkdir()
        return self.folder / name

    def extract(self, name: str, orders: int) -> Path:
        """A new extract."""
        generate(self.folder / name, orders, 5, None, 1)
        return self.folder / name

    def execute(self, statements: str) -> None:
        """Runs SQL as the administrator."""
        with self.home.connected() as conn:
            conn.execute(statements.encode())

    def follow(self, alert: str, **given: object) -> None:
        """Types what the page of an alert says."""
        code, told = self.shell.run(script_of(PAGES[page_of(alert)], given))
        assert code == 0, "\n".join(told)


@pytest.fixture(scope="module")
def watched(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A warehouse with a good load, verified and backed up. A read model counts as behind after no time at all."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        (folder / "metrics").mkdir()
        generate(folder / "good", WELL, 5, None, 1)
        home.succeed("ingest", folder / "good")
        home.succeed("audit", "verify")
        home.succeed("db", "backup", folder / "first.backup")
        with (
            served(home) as (_, address),
            showing(lambda: b"".join(path.read_bytes() for path in (folder / "metrics").glob("*.prom"))) as files,
            watching(
                tmp_path_factory.mktemp("prometheus"),
                {"replayhouse": address, "node": files},
                limits={"ReadModelBehind": ("> 300", "> 0")},
            ) as prometheus,
        ):
            wait_until(lambda: bool(prometheus.query("replayhouse_last_load_timestamp_seconds")))
            shell = Shell(folder)
            shell.environment["REPLAYHOUSE_METRICS_DIR"] = str(folder / "metrics")
            yield Watched(home, address, prometheus, shell)
        home.halt()


# Each does its harm, and returns what is set for the commands of the page.
Harm = Callable[[Watched], dict[str, object]]


def a_bad_load(watched: Watched) -> dict[str, object]:
    extract = watched.extract("bad", WELL + 20)
    spoil(extract)
    told = watched.home.succeed("ingest", extract, "--json").result().document
    assert told["status"] == "completed", "nothing keeps it out"
    return {}


def no_database(watched: Watched) -> dict[str, object]:
    watched.home.server.stop()
    return {}


def nobody_projects(watched: Watched) -> dict[str, object]:
    watched.home.succeed("ingest", watched.extract("unprojected", WELL + 30), "--no-project")
    return {"CONTEXT": "sales"}


def a_parked_stream(watched: Watched) -> dict[str, object]:
    watched.execute(PARKED)
    return {"CONTEXT": "sales"}


def an_old_verification(watched: Watched) -> dict[str, object]:
    watched.execute("UPDATE event_store.verification SET verified_at = now() - interval '2 days'")
    return {"BACKUPS": watched.new_folder("verified")}


def days_without_a_load(watched: Watched) -> dict[str, object]:
    watched.execute("UPDATE event_store.batch SET completed_at = completed_at - interval '3 days'")
    return {"EXTRACT": watched.extract("late", WELL + 40)}


def a_load_that_did_not_end(watched: Watched) -> dict[str, object]:
    extract = watched.extract("killed", WELL + 50)
    watched.home.succeed("ingest", extract)
    watched.execute("UPDATE event_store.batch SET status = 'open' WHERE name = 'killed'")
    return {"EXTRACT": extract, "LOAD": "killed"}


def a_copy_of_somebody(watched: Watched) -> dict[str, object]:
    folder = watched.folder / "export"
    watched.home.succeed("export", folder)
    with watched.home.connected() as conn:
        [(somebody,)] = conn.execute(SOMEBODY).fetchall()
    watched.home.succeed("customer", "erase", somebody, "--reason", "asked for it", "--yes")
    return {"FOLDER": folder}


def an_old_backup(watched: Watched) -> dict[str, object]:
    watched.execute("UPDATE event_store.backup SET made_at = made_at - interval '2 days'")
    return {"BACKUPS": watched.new_folder("too-old")}


def a_backup_that_was_cut_off(watched: Watched) -> dict[str, object]:
    good, bad = watched.folder / "first.backup", watched.folder / "cut-off.backup"
    bad.write_bytes(good.read_bytes()[:-500])
    assert watched.home.run("db", "drill", bad, "--keys", f"{good}.keys").code != 0
    return {"BACKUPS": watched.new_folder("cut-off")}


def a_job_without_its_files(watched: Watched) -> dict[str, object]:
    code, _ = watched.shell.run("replayhouse ingest nowhere")
    assert code == 2
    return {"EXTRACT": watched.folder / "good"}


@pytest.mark.parametrize(
    ("alert", "harm"),
    [
        ("QualityBelowGoal", a_bad_load),
        ("DatabaseAway", no_database),
        ("ReadModelBehind", nobody_projects),
        ("StreamParked", a_parked_stream),
        ("LogNotVerified", an_old_verification),
        ("NoLoad", days_without_a_load),
        ("LoadOpen", a_load_that_did_not_end),
        ("CopyShowsErased", a_copy_of_somebody),
        ("BackupTooOld", an_old_backup),
        ("RestoreDrillFailed", a_backup_that_was_cut_off),
        ("CommandFailed", a_job_without_its_files),
    ],
)
def test_what_goes_wrong_is_told_and_whoever_follows_the_page_has_it_quiet_again(
    alert: str, harm: Harm, watched: Watched
) -> None:
    wait_until(lambda: alert not in watched.prometheus.firing())
    given = harm(watched)
    wait_until(lambda: alert in watched.prometheus.firing())

    watched.follow(alert, **given)

    wait_until(lambda: watched.is_seen() and alert not in watched.prometheus.firing())
    assert watched.home.run("status", "--check").code == 0


def test_a_bad_load_that_was_taken_back_by_the_page_has_left_no_row(watched: Watched) -> None:
    before = watched.home.warehouse().digests()
    extract = watched.extract("bad", WELL + 25)
    spoil(extract)
    watched.home.succeed("ingest", extract)
    assert watched.home.warehouse().digests() != before
    watched.follow("QualityBelowGoal")
    assert watched.home.warehouse().digests() == before


def test_a_log_that_was_tampered_with_is_told_once_somebody_verifies_it(watched: Watched) -> None:
    watched.execute(TAMPER.format("state || '\\x20'"))
    try:
        assert watched.home.run("audit", "verify").code == 1
        wait_until(lambda: "LogDoesNotHold" in watched.prometheus.firing())
    finally:
        watched.execute(TAMPER.format("substr(state, 1, length(state) - 1)"))
    watched.home.succeed("audit", "verify")
    wait_until(lambda: watched.is_seen() and "LogDoesNotHold" not in watched.prometheus.firing())


def test_what_a_file_says_of_the_warehouse_is_not_taken_for_what_is_so_now(watched: Watched) -> None:
    watched.shell.run("replayhouse status")
    assert "replayhouse_open_loads" in (watched.folder / "metrics/replayhouse_warehouse.prom").read_text()
    ended = 'replayhouse_command_last_end_timestamp_seconds{command="status"}'
    wait_until(lambda: bool(watched.prometheus.query(ended)))
    of_files = {labels["__name__"] for labels, _ in watched.prometheus.query('{job="node",__name__=~"replayhouse_.*"}')}
    assert {name for name in of_files if not name.startswith("replayhouse_command_")} == set()
    assert of_files


def test_requests_that_fail_are_told_and_the_page_shows_which(watched: Watched) -> None:
    def is_told_to_who_keeps_asking() -> bool:
        with pytest.raises(HTTPError, match="503"):
            urlopen(f"{watched.address}questions/22", timeout=LONGEST_S)
        return "RequestsFailing" in watched.prometheus.firing()

    watched.home.server.stop()
    try:
        wait_until(is_told_to_who_keeps_asking)
        (which, *_) = expressions_on(PAGES[page_of("RequestsFailing")])
        assert {labels["http_response_status_code"] for labels, _ in watched.prometheus.query(which)} == {"503"}
    finally:
        watched.home.server.start()
    wait_until(watched.is_seen)


def test_a_server_that_was_killed_is_told_and_nobody_takes_it_for_the_database(
    watched: Watched, tmp_path: Path
) -> None:
    command = watched.home.start("serve", "--port", "0")
    try:
        with watching(tmp_path, {"replayhouse": serving_at(command)}) as prometheus:
            wait_until(lambda: bool(prometheus.query("replayhouse_database_up == 1")))
            wait_until(lambda: "ReplayhouseDown" not in prometheus.firing())
            command.kill()
            wait_until(lambda: "ReplayhouseDown" in prometheus.firing())
            wait_until(lambda: not prometheus.query("replayhouse_database_up"))
            assert "DatabaseAway" not in prometheus.firing()
    finally:
        command.kill()


def test_a_relay_that_says_nothing_is_told_until_another_speaks(watched: Watched) -> None:
    watched.execute(SILENT)
    wait_until(lambda: "RelaySilent" in watched.prometheus.firing())
    watched.execute("DELETE FROM publishing.relay")
    wait_until(lambda: watched.is_seen() and "RelaySilent" not in watched.prometheus.firing())
