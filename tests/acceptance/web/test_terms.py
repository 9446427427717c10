"""The terms of the questions stand on one page, each under an address of its own."""

import re

from fastapi.testclient import TestClient

from replayhouse.infra.web.pages.terms import anchor_of
from replayhouse.projections.questions import questions
from replayhouse.projections.questions.glossary import GLOSSARY, glossary


def test_the_glossary_is_read_whole() -> None:
    """Every word of the file is in a section, a term or what is said of it."""
    sections = glossary()
    told = " ".join(
        " ".join((section.title, section.introduction, *(f"{one.name or ''} {one.text}" for one in section.terms)))
        for section in sections
    )
    words = re.sub(r"^## |^- |\*\*:?", " ", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE).split()
    assert told.split() == words
    assert [section.title for section in sections][:2] == ["Reading an answer", "Terms"]


def test_each_term_has_an_anchor_of_its_own_and_names_the_questions_that_use_it(client: TestClient) -> None:
    text = client.get("/terms").text
    anchors = re.findall(r'<div id="([^"]+)">', text)
    names = [term.name for section in glossary() for term in section.terms if term.name]
    assert anchors == [anchor_of(name) for name in names]
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(set(ids)) == len(ids)
    assert "delivery-late" in anchors
    for question in questions():
        for term in question.terms:
            [entry] = re.findall(rf'<div id="{anchor_of(term)}">(.*?)</dd>', text, re.DOTALL)
            assert f'href="/questions/{question.number}"' in entry


def test_at_a_moment_the_questions_are_those_of_the_moment(client: TestClient) -> None:
    text = client.get("/terms?at=1").text
    assert 'href="/questions/22?at=1"' in text
