"""`python -m bench`: measures the table of `docs/performance.md` on this machine, and writes it there.

A run on a part (`--only`) or of another size (`--orders`) prints its figures and leaves the page as it is; but for
`--only web`, which has a table of its own there, and `--only columns`, whose table stands in `docs/columns.md`.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

FULL_SIZE = 100_000
SEED = 20_180_903
LARGE = 10
GROWTH = (0.1, 1.0)
"""The sizes of `--growth`, in times of the usual one, if none are named."""


def main() -> int:
    from bench import columns
    from bench.report import show, write
    from bench.session import Session

    arguments = _arguments()
    if arguments.only == ["columns"]:
        print(columns.table())
        return 0
    if arguments.directory is not None:
        arguments.directory.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="replayhouse-bench-", dir=arguments.directory))
    begun = time.monotonic()

    def tell(doing: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {doing}", file=sys.stderr, flush=True)

    try:
        session = Session(scratch, arguments.orders, arguments.seed, tell)
        if arguments.large:
            session.run_large(LARGE)
        elif arguments.kafka:
            session.run_kafka()
        elif arguments.small:
            session.run_small()
        elif arguments.growth is not None:
            session.run_growth(arguments.growth or GROWTH)
        else:
            session.run(arguments.only)
    finally:
        if arguments.keep:
            tell(f"kept {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    show(session.report)
    if arguments.is_complete and not session.report.failures:
        write(session.report, _section(arguments))
    return 0 if session.report.is_good else 1


def _section(arguments: argparse.Namespace) -> str:
    if arguments.large:
        return "large"
    if arguments.kafka:
        return "kafka"
    if arguments.small:
        return "small"
    if arguments.only == ["web"]:
        return "web"
    return "results" if arguments.growth is None else "growth"


def _arguments() -> argparse.Namespace:
    from bench.session import BY_THEMSELVES, OF_ENGINES, PARTS

    choices = (*PARTS, *BY_THEMSELVES, *OF_ENGINES, "columns")

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=FULL_SIZE, metavar="N", help=f"default {FULL_SIZE:,}")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the generator")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=choices,
        default=PARTS,
        metavar="PART",
        help=", ".join(choices),
    )
    parser.add_argument("--large", action="store_true", help="memory, and 10 times the size (60 GB of disk)")
    parser.add_argument("--kafka", action="store_true", help="publishing and consuming, with a broker of its own")
    parser.add_argument("--small", action="store_true", help="small commands on a warm warehouse: seconds")
    parser.add_argument(
        "--growth",
        nargs="*",
        type=float,
        metavar="TIMES",
        help="the commands alone, at several sizes; by default 0.1 and 1 times the usual one (10 needs 60 GB of disk)",
    )
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where to work; by default the system's place")
    parser.add_argument("--keep", action="store_true", help="leave the working folder behind")
    arguments = parser.parse_args()
    is_whole = set(arguments.only) == set(PARTS) or arguments.only == ["web"]
    arguments.is_complete = arguments.orders == FULL_SIZE and is_whole
    return arguments


if __name__ == "__main__":
    sys.exit(main())
