"""Definitions load without a program and without a database, for one warehouse or for several."""

from pathlib import Path

from dagster import AssetKey, AssetSelection, Definitions

from replayhouse_dagster import ReplayhouseCli, definitions
from replayhouse_dagster.names import described

NOWHERE = ReplayhouseCli(executable="replayhouse-that-is-not-there")


def test_definitions_load_without_the_program(tmp_path: Path) -> None:
    made = definitions(NOWHERE, tmp_path)
    Definitions.validate_loadable(made)
    keys = made.resolve_all_asset_keys()
    assert len(keys) == 1 + sum(map(len, described().tables.values())) == 18
    assert {job.name for job in made.jobs or ()} == {"load", "rebuild", "retract", "verify"}


def test_rules_that_reject_an_extract_are_blocking_and_the_others_are_not(tmp_path: Path) -> None:
    graph = definitions(NOWHERE, tmp_path).resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get(key).blocking}
    assert {key.name for key in graph.asset_check_keys} == {rule.name for rule in described().rules} | {
        "hash_chain_holds"
    }
    assert blocking == {rule.name for rule in described().rules if rule.severity == "CRITICAL"}
    assert blocking


def test_every_command_takes_the_one_place_in_the_pool_of_its_warehouse(tmp_path: Path) -> None:
    made = definitions(NOWHERE, tmp_path, name="shop")
    graph = made.resolve_asset_graph()
    nodes = [job for name in ("shop_load", "shop_verify", "shop_retract") for job in [made.resolve_job_def(name)]]
    assert {node.definition.pool for job in nodes for node in job.graph.nodes} == {"shop"}  # type: ignore[attr-defined]
    assert graph.get(AssetKey(["shop", "sales", "fact_order"])).parent_keys == {AssetKey(["shop", "log"])}


def test_several_warehouses_stand_side_by_side(tmp_path: Path) -> None:
    made = Definitions.merge(
        definitions(NOWHERE, tmp_path / "one"),
        definitions(NOWHERE, tmp_path / "two", name="shop"),
    )
    Definitions.validate_loadable(made)
    keys = AssetSelection.all().resolve(made.resolve_asset_graph())
    assert {AssetKey("log"), AssetKey(["shop", "log"])} <= keys
