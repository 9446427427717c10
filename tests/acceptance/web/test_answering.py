"""What holds for every answer of the server."""

import re

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from replayhouse.infra.web import api, pages
from replayhouse.infra.web.assets import FOLDER, address
from replayhouse.infra.web.guard import HEADERS


@pytest.mark.parametrize("path", ["/questions/22", "/nothing", "/api/questions/22", "/api/questions/x", "/healthz"])
def test_whatever_it_is_the_answer_has_the_headers_that_keep_a_browser_in(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert HEADERS.items() <= dict(response.headers).items()


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/questions/101", 404, "There is no question 101"),
        ("/api/questions/x", 400, "number: "),
        ("/api/questions/22?at=gestern", 400, "gestern"),
        ("/api/nothing", 404, "There is no such page"),
    ],
)
def test_errors_of_the_api_are_those_of_the_command_line(client: TestClient, path: str, status: int, told: str) -> None:
    response = client.get(path)
    assert (response.status_code, list(response.json())) == (status, ["error"])
    assert told in response.json()["error"]


def test_what_takes_one_value_is_refused_where_it_is_set_twice(client: TestClient) -> None:
    """On every page, and by every answer of the API: nobody could tell which of the two is meant."""
    routes = [route for router in (*pages.routers(), *api.routers()) for route in router.routes]
    paths = {route.path for route in routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())}
    assert len(paths) > 40
    for path in sorted(paths):
        response = client.get(re.sub(r"{\w+(:\w+)?}", "1", path), params=[("at", "1"), ("at", "2")])
        assert (path, response.status_code) == (path, 400)
        assert "at is set twice: to 1 and to 2." in response.text
    told = client.get("/api/questions/1/rows?column=revenue&key=2018-01&key=2018-02").text
    assert "is known by month, 1 value, and 2 stand here" in told
    response = client.post("/moments", content="at=1&at=2", headers={"origin": "http://localhost"})
    assert (response.status_code, "a field twice" in response.text) == (400, True)


def test_an_error_on_a_page_is_a_page(client: TestClient) -> None:
    response = client.get("/questions/101")
    assert response.status_code == 404
    assert "There is no question 101" in response.text


def test_under_a_foreign_name_and_from_another_site_nothing_is_answered(client: TestClient) -> None:
    assert client.get("/questions/22", headers={"host": "evil.example"}).status_code == 421
    assert client.post("/api/moments", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/moments", data={"at": "5"}, headers={"origin": "https://evil.example"}).status_code == 403
    ours = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    assert client.post("/moments", data={"at": "none"}, headers=ours).status_code == 400
    assert client.post("/moments", data={"at": "none"}, headers={"origin": "http://localhost"}).status_code == 400


def test_the_head_of_a_page_is_to_be_had_alone(client: TestClient) -> None:
    whole = client.get("/questions/22")
    head = client.head("/questions/22")
    assert (head.status_code, head.headers["content-length"]) == (200, whole.headers["content-length"])


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    told = client.get("/readyz")
    assert (told.status_code, told.json()["status"], told.json()["lag"]) == (200, "ready", 0)


def test_a_file_comes_compressed_and_whole_and_need_not_be_asked_for_again(client: TestClient) -> None:
    """Its address changes with its content."""
    at = address("app.css")
    packed, plain = (client.get(at, headers={"accept-encoding": how}) for how in ("gzip", "identity"))
    assert packed.content == plain.content == (FOLDER / "app.css").read_bytes()
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-type"] == plain.headers["content-type"]
    for response in (packed, plain):
        assert "immutable" in response.headers["cache-control"]
