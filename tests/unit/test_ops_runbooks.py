"""Each alert has a page that says what to do, and what is typed and asked on it there is."""

import re
import subprocess

import pytest
import yaml

from tests.support.command_words import arguments_in, parse
from tests.support.prometheus import OPS
from tests.support.runbooks import FOLDER, NOT_OF_AN_ALERT, PAGES, read_on, run_on

ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load((OPS / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
SECTIONS = ["What it means", "What to look at", "What to do", "How to see that it is over"]
CALLED = {"critical": "at once", "warning": "today"}


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert sorted(rule["annotations"]["runbook"] for rule in ALERTS.values()) == [
        f"docs/runbooks/{name}" for name in PAGES
    ]


@pytest.mark.parametrize("alert", ALERTS)
def test_a_page_begins_with_its_alert_and_has_the_same_sections(alert: str) -> None:
    rule = ALERTS[alert]
    page = PAGES[rule["annotations"]["runbook"].rpartition("/")[2]]
    assert page.startswith(f"# {alert}\n\n*{rule['labels']['severity'].capitalize()}.* ")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS
    for section in page.split("\n## ")[2:]:
        assert "```" in section, f"a command, or what to ask Prometheus, under {section.splitlines()[0]}"


def test_the_list_of_pages_says_of_which_alert_each_is_and_how_urgent() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\S+)\]\(\1\) \| (\w+) \| (.*) \|$", text, re.MULTILINE)
    assert sorted(listed) == sorted(
        (rule["annotations"]["runbook"].rpartition("/")[2], alert, CALLED[rule["labels"]["severity"]])
        for alert, rule in ALERTS.items()
    )
    assert [name for name in NOT_OF_AN_ALERT if name != "README.md" and f"({name})" not in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_is_typed_on_a_page_is_bash_and_commands_of_the_program(name: str) -> None:
    typed = [*run_on(PAGES[name]), *read_on(PAGES[name])]
    subprocess.run(["bash", "-n", "-c", "\n".join(typed)], check=True, capture_output=True, text=True)
    for line in typed:
        for words in arguments_in(line, "replayhouse"):
            parse(words)


@pytest.mark.parametrize("name", PAGES)
def test_what_is_said_to_compose_is_of_services_that_there_are(name: str) -> None:
    composed = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text("utf-8"))["services"]
    for line in read_on(PAGES[name]):
        for verb, *words in (words[1:] for words in arguments_in(line, "docker") if words[0] == "compose"):
            assert verb in {"ps", "logs", "up", "stop", "restart", "run"}, line
            named = [word for word in words if not word.startswith("--") and not word.isdigit()]
            assert named, line
            assert set(named) <= composed.keys(), line


def test_words_of_a_program_are_found_wherever_it_is_called() -> None:
    line = 'A=$(B="$C" replayhouse token revoke "$TOKEN") >/dev/null || replayhouse status | grep replayhouse'
    assert arguments_in(line, "replayhouse") == [["token", "revoke", "1"], ["status"]]


@pytest.mark.parametrize(
    ("words", "wrong"), [("audit verfy", "verfy"), ("retract load --resaon because", "resaon"), ("audit", "audit")]
)
def test_words_that_are_no_command_are_noticed(words: str, wrong: str) -> None:
    with pytest.raises(Exception, match=wrong):
        parse(words.split())
