"""Prometheus and its tool, as Debian has them: rules and expressions checked, and a server that asks the program."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.support.homes import wait_until

OPS = Path(__file__).parents[2] / "ops/prometheus"
LONGEST_S = 120.0
OFTEN = "2s"
EVALUATED = "500ms"

_WORD = re.compile(r"\b(?:replayhouse|http_server)[a-z_:]*")
_STRING = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\{[^}]*\}")
_READY = "Server is ready to receive web requests"
_LISTENS = re.compile(r'msg="Listening on" address=(\S+)')


def program(name: str) -> str:
    """Where one of Debian's programs is."""
    found = shutil.which(name)
    assert found is not None, (
        f"The rules are tried with {name}, which is not on the path: apt-get install prometheus prometheus-alertmanager"
    )
    return found


def amtool(*arguments: str | Path) -> None:
    """Runs amtool, which must have nothing to complain of."""
    command = [program("amtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def promtool(*arguments: str | Path, given: str = "") -> None:
    """Runs promtool, which must have nothing to complain of; `given` stands on its standard input."""
    command = [program("promtool"), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def names_in(expression: str) -> set[str]:
    """The metrics that an expression of PromQL asks for; of a histogram, its name."""
    bare = _LABELS.sub("", _STRING.sub("", expression))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in _WORD.findall(bare)}


def of_the_dashboard() -> list[str]:
    """The expressions of PromQL that the panels of the dashboard show."""
    panels = json.loads((OPS.parent / "grafana/dashboards/replayhouse.json").read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


class Prometheus:
    """A server that runs: what it says of the program that it watches."""

    def __init__(self, address: str) -> None:
        self._address = address

    def asked(self, path: str, **parameters: str) -> Any:
        """What its API answers."""
        with urlopen(f"{self._address}/api/v1/{path}?{urlencode(parameters)}", timeout=LONGEST_S) as answer:
            document = json.load(answer)
        assert document["status"] == "success", document
        return document["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The values of an expression at this moment, each with its labels."""
        return [(one["metric"], float(one["value"][1])) for one in self.asked("query", query=expression)["result"]]

    def firing(self) -> set[str]:
        """The names of the alerts that are told."""
        return {one["labels"]["alertname"] for one in self.asked("alerts")["alerts"] if one["state"] == "firing"}

    def health(self) -> dict[str, str]:
        """The targets by their jobs, and how the last visit went."""
        return {one["labels"]["job"]: one["health"] for one in self.asked("targets")["activeTargets"]}


@contextmanager
def watching(
    folder: Path,
    targets: Mapping[str, str],
    token: str | None = None,
    limits: Mapping[str, tuple[str, str]] | None = None,
    alertmanager: str | None = None,
) -> Iterator[Prometheus]:
    """A server with the settings and the rules of `ops/prometheus`, but for these targets, and in a hurry.

    `targets`: an address for each job that there is to be; `token`: what the program is shown; `limits`: by alert, what
    of its rule reads in another way, so that nobody waits for minutes; `alertmanager`: the address of one. It asks
    every two seconds, looks at its rules four times as often, and tells an alert as soon as its rule holds: nothing is
    waited `for`.
    """
    settings = _settings(folder, targets, token, limits or {}, alertmanager)
    command = [program("prometheus"), f"--config.file={settings}", f"--storage.tsdb.path={folder / 'data'}"]
    with _listening(command, folder / "prometheus.log", _READY) as address:
        prometheus = Prometheus(address)
        wait_until(lambda: set(prometheus.health().values()) == {"up"})
        yield prometheus


@contextmanager
def calling(folder: Path, sink: str) -> Iterator[str]:
    """The address of an Alertmanager with the settings of `ops/alertmanager` that calls `sink/RECEIVER`, in a hurry."""
    settings = yaml.safe_load((OPS.parent / "alertmanager/alertmanager.yml").read_text("utf-8"))
    for receiver in settings["receivers"]:
        receiver["webhook_configs"] = [{"url": f"http://{sink}/{receiver['name']}"}]
    settings["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings))
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        "--cluster.listen-address=",
    ]
    with _listening(command, folder / "alertmanager.log") as address:
        yield address


@contextmanager
def showing(answer: Callable[[], bytes], told: Callable[[str, bytes], None] | None = None) -> Iterator[str]:
    """The address of a server that answers whoever asks, as node_exporter does.

    `told` gets path and body of what it is sent.
    """

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
            self.end_headers()
            self.wfile.write(answer())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if told is not None:
                told(self.path, body)
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _listening(command: Sequence[str], said: Path, ready: str = "") -> Iterator[str]:
    """The address where one of Debian's programs listens, once it is `ready`; it is ended at the end."""
    with said.open("w") as log:
        process = subprocess.Popen(
            [*command, "--web.listen-address=127.0.0.1:0"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:

        def listens() -> bool:
            assert process.poll() is None, said.read_text()
            return ready in said.read_text() and _LISTENS.search(said.read_text()) is not None

        wait_until(listens)
        address = _LISTENS.search(said.read_text())
        assert address is not None
        yield f"http://{address[1]}"
    finally:
        process.kill()
        process.wait(LONGEST_S)


def _settings(
    folder: Path,
    targets: Mapping[str, str],
    token: str | None,
    limits: Mapping[str, tuple[str, str]],
    alertmanager: str | None,
) -> Path:
    settings, rules = (yaml.safe_load((OPS / name).read_text("utf-8")) for name in ("prometheus.yml", "alerts.yml"))
    settings["global"] = dict.fromkeys(("scrape_interval", "scrape_timeout"), OFTEN)
    settings["global"]["evaluation_interval"] = EVALUATED
    jobs = [job for job in settings["scrape_configs"] if job["job_name"] in targets]
    assert len(jobs) == len(targets), "each is a job of prometheus.yml"
    for job in jobs:
        job["static_configs"] = [{"targets": [targets[job["job_name"]].removeprefix("http://").rstrip("/")]}]
        if job.pop("authorization", None) and token is not None:
            (folder / "token").write_text(token)
            job["authorization"] = {"credentials_file": str(folder / "token")}
    settings["scrape_configs"] = jobs
    if alertmanager is None:
        del settings["alerting"]
    else:
        (one,) = settings["alerting"]["alertmanagers"]
        one["static_configs"] = [{"targets": [alertmanager.removeprefix("http://")]}]
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        rule.pop("for", None)
        limit, instead = limits.get(rule.get("alert", ""), ("", ""))
        assert limit in rule["expr"]
        rule["expr"] = rule["expr"].replace(limit, instead) if limit else rule["expr"]
    (folder / "alerts.yml").write_text(yaml.safe_dump(rules))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    return folder / "prometheus.yml"
