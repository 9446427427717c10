"""A sealed log for those who tamper with it: the golden one, copied, and its files changed by who knows the format."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.sealed_log.layout import COMMITS_SCHEMA, EVENTS

GOLDEN = Path(__file__).parents[1] / "golden/sealed_log"
CHECKPOINT = GOLDEN.with_suffix(".checkpoint")

Row = dict[str, Any]


def copied(folder: Path) -> Path:
    """A copy of the golden one, to be tampered with."""
    shutil.copytree(GOLDEN, folder)
    return folder


def manifest_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return document


def put_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def rows_of(folder: Path, segment: int, name: str) -> list[Row]:
    """The rows of a file of a segment."""
    with pq.ParquetFile(folder / manifest_of(folder)["segments"][segment]["folder"] / name) as file:
        rows: list[Row] = file.read().to_pylist()
    return rows


def change(folder: Path, segment: int, name: str, how: Callable[[list[Row]], list[Row]]) -> None:
    """Changes the rows of a file, and the manifest so that it fits."""
    manifest = manifest_of(folder)
    told = manifest["segments"][segment]
    path = folder / told["folder"] / name
    rows = how(rows_of(folder, segment, name))
    schema = COMMITS_SCHEMA if name == "commits.parquet" else EVENTS
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    data = path.read_bytes()
    told["files"][name] = {"rows": len(rows), "bytes": len(data), "sha256": sha256(data).hexdigest()}
    put_manifest(folder, manifest)


def forge(folder: Path) -> None:
    """Makes roots and chain those of the events, as somebody would who may write all files of the folder."""
    chain = bytes(32)
    for number, told in enumerate(manifest_of(folder)["segments"]):
        leaves = _leaves(folder / told["folder"])
        before = chain

        def forged(commits: list[Row], leaves: dict[int, bytes] = leaves) -> list[Row]:
            nonlocal chain
            for commit in commits:
                first, last = commit["first_position"], commit["last_position"]
                commit["root"] = tree([leaves[position] for position in range(first, last + 1)])
                micros = _int64(round(commit["recorded_at"].timestamp() * 1_000_000))
                chain = sha256(chain + _int64(first) + _int64(last) + micros + commit["root"]).digest()
                commit["chain"] = chain
            return commits

        change(folder, number, "commits.parquet", forged)
        manifest = manifest_of(folder)
        manifest["segments"][number] |= {"chain_before": before.hex(), "chain": chain.hex()}
        put_manifest(folder, manifest | {"chain": chain.hex()})


def tree(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1, as it is defined there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + tree(leaves[:split]) + tree(leaves[split:])).digest()


def _leaves(folder: Path) -> dict[int, bytes]:
    """By position: as docs/event-store.md says, and with nothing of the program."""
    leaves = {}
    for context in CONTEXTS:
        if not (folder / f"{context}.parquet").exists():
            continue
        with pq.ParquetFile(folder / f"{context}.parquet") as file:
            rows = file.read().to_pylist()
        for row in rows:
            fields = [context.encode(), row["originator_id"], _int64(row["originator_version"]), row["topic"].encode()]
            source = row["source"]
            fields += [row["state"], row["batch_id"], None if source is None else source.encode()]
            leaves[row["notification_id"]] = sha256(b"\x00" + b"".join(map(_field, fields))).digest()
    return leaves


def _int64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _field(value: bytes | None) -> bytes:
    return (-1).to_bytes(4, "big", signed=True) if value is None else len(value).to_bytes(4, "big") + value
