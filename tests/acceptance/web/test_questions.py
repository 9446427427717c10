"""The questions in the browser and by HTTP: answers, the rows behind every figure, and what was said before."""

import html

import pytest
from fastapi.testclient import TestClient

from replayhouse.projections.questions import questions

NUMBERS = [one.number for one in questions()]


@pytest.mark.parametrize("number", NUMBERS)
def test_every_question_has_its_page(client: TestClient, number: int) -> None:
    title = client.get(f"/api/questions/{number}").json()["title"]
    response = client.get(f"/questions/{number}")
    assert response.status_code == 200
    assert f"<h1>{title}</h1>" in html.unescape(response.text)
