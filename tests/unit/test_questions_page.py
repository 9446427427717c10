"""The page of the hundred questions says of each what its file says, in terms that the page explains."""

import re

import pytest

from replayhouse.infra.contracts.questions_page import questions_page
from replayhouse.projections.questions import Question, questions
from replayhouse.projections.questions.glossary import GLOSSARY

TERMS = set(re.findall(r"^- \*\*(.+?)\*\*:", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE))


def test_questions_are_numbered_from_1_to_100_and_groups_stand_together() -> None:
    assert [one.number for one in questions()] == list(range(1, 101))
    groups = re.findall(r"^## (.+)$", questions_page(), re.MULTILINE)
    assert len(groups) == len(set(groups))
    assert {one.group for one in questions()} <= set(groups)


@pytest.mark.parametrize("question", questions(), ids=lambda question: str(question.number))
def test_the_page_tells_all_that_the_head_of_a_question_says(question: Question) -> None:
    (told,) = re.findall(rf"^### {question.number}\. (.+?)(?=^##|\Z)", questions_page(), re.MULTILINE | re.DOTALL)
    said = (question.title, question.definition, question.caveat, str(question.chart["kind"]), *question.terms)
    assert [text for text in said if text not in told] == []
    assert re.findall(r"^\| `(\w+)` \| (.+) \|$", told, re.MULTILINE) == list(question.columns)
    assert [one for one in question.parameters if f"`{one.name}` = {one.default}" not in told] == []


@pytest.mark.parametrize("question", questions(), ids=lambda question: str(question.number))
def test_the_terms_of_a_question_are_explained(question: Question) -> None:
    assert question.terms
    assert set(question.terms) <= TERMS


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.path.stem)
def test_figures_that_take_in_other_rows_say_which(question: Question) -> None:
    """For their own rows lead to a part of them only. What forecasts rest on are no rows of their answers."""
    takes_in_others = "backtest" not in question.statements and re.search(
        r"\blag\(|\bPRECEDING\b", question.statements["answer"].text
    )
    assert bool(question.beyond) or not takes_in_others
