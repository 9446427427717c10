"""Rebuilds from segments, as a user sees them: killed at any step, and what is told of segments that are damaged."""

import signal

from tests.support.homes import Home, a_copy
from tests.support.scenes import Scenes, complaints
from tests.support.small_steps import KILL_AFTER

ON = {"REPLAYHOUSE_SEGMENTS": "on"}
STEPS = (
    "replayhouse.infra.sealed_log.sealing:write_events:4",
    "replayhouse.infra.sealed_log.targets:_LocalTarget.finish:2",
    "replayhouse.infra.sealed_log.targets:_LocalTarget.put_manifest:2",
    "replayhouse.infra.read_models.rebuild.range_loader:Loader.finish:2",
)


def test_killed_after_every_step_of_sealing_a_rebuild_comes_to_the_same_end(scenes: Scenes) -> None:
    played = scenes["rebuild"]
    with a_copy(played.home) as home:
        for step in STEPS:
            assert home.run("rebuild", **ON, **{KILL_AFTER: step}).code == -signal.SIGKILL, step
        assert "not used" not in home.succeed("rebuild", **ON).told()
        assert complaints(home, played.expected) == []
        assert_damage_is_told(home)


def assert_damage_is_told(home: Home) -> None:
    """A rebuild reads the log in their place; verification holds, and names them."""
    segments = home.path / "segments"
    for command, says in (("rebuild", "are not used, and the log itself is read"), ("audit verify", "do not hold")):
        file = sorted(segments.glob("*/sales.parquet"))[0]
        file.write_bytes(file.read_bytes()[:100])
        told = home.succeed(*command.split(), **ON).told()
        assert f"The segments in {segments} {says}" in told
        assert file.parent.name in told
        assert "The segments" not in home.succeed("rebuild", **ON).told()
