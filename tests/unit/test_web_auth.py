"""Which role may open what, and how it is known who asks."""

from collections.abc import Mapping

import pytest
from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts

from replayhouse.infra.runtime.errors import Forbidden, UsageError
from replayhouse.infra.runtime.identity import Identity, Role
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import unheard
from replayhouse.infra.runtime.web_settings import load_web_settings
from replayhouse.infra.web.app import create_app
from replayhouse.infra.web.auth.permissions import area_of, is_open, may
from replayhouse.infra.web.auth.ways import Proxy
from replayhouse.infra.web.warehouses import Warehouses

SECRET = "between-the-two-of-us"
TOLD = {"X-Replayhouse-Secret": SECRET, "X-Forwarded-User": "ines", "X-Forwarded-Groups": "staff, bi"}


def a_request(headers: Mapping[str, str] | list[tuple[str, str]], peer: str | None = "127.0.0.1") -> Request:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
    client = None if peer is None else (peer, 4711)
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw, "client": client})


def a_proxy(**given: str) -> Proxy:
    return Proxy(load_web_settings(**{"proxy_secret": SECRET, "proxy_roles": "admins=owner,bi=analyst", **given}))


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Paths and methods, those of included routers too; a folder of files is only read."""
    return {(one.path or "", method) for one in iter_route_contexts(app.routes) for method in one.methods or ["GET"]}


def test_every_page_and_every_address_of_the_api_has_its_place_in_the_table() -> None:
    found = routes_of(create_app(Warehouses(Settings(), unheard)))
    assert {("/questions/{number}", "GET"), ("/static", "GET"), ("/api/openapi.json", "GET")} <= found
    assert sorted((path, way) for path, way in found if not (is_open(path) or area_of(path, way))) == []


@pytest.mark.parametrize("path", ["/settings", "/api/keys", "/questionsx", "/api", "/static2/app.css"])
def test_what_has_no_place_there_is_open_to_nobody(path: str) -> None:
    assert not is_open(path)
    assert not any(may(role, path) for role in Role)


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/questions/22.json", "/questions/22"),
        ("/questions/22/rows.csv", "/questions/22/rows"),
        ("/questions/22/rows/", "/questions/22/rows"),
        ("//questions//22//rows", "/questions/22/rows"),
        ("/log.json", "/log"),
        ("/log/7/anything", "/log/7"),
    ],
)
def test_a_path_cannot_be_written_so_that_it_belongs_elsewhere(path: str, same: str) -> None:
    assert area_of(path) is area_of(same) is not None


def test_rows_behind_a_figure_are_another_area_than_the_figure() -> None:
    assert may(Role.MARKETING, "/questions/22")
    assert not may(Role.MARKETING, "/questions/22/rows")


def test_looking_at_moments_is_for_everybody_and_making_one_is_not() -> None:
    assert may(Role.STEWARD, "/moments")
    assert not may(Role.STEWARD, "/moments", "POST")
    assert not may(Role.OWNER, "/log", "POST"), "nothing there can be changed"


def test_whom_the_proxy_names_has_the_role_of_the_first_group_that_counts() -> None:
    assert a_proxy().who(a_request(TOLD)) == Identity("ines", Role.ANALYST, "proxy")
    both = {**TOLD, "X-Forwarded-Groups": "bi,admins"}
    assert a_proxy().who(a_request(both)).role is Role.OWNER
    assert a_proxy(proxy_networks="10.0.0.0/8").who(a_request(TOLD, "::ffff:10.1.2.3")).name == "ines"
    renamed = a_proxy(proxy_user_header="X-Me", proxy_groups_header="X-My", proxy_secret_header="X-Word")
    assert renamed.who(a_request({"X-Me": "rui", "X-My": "bi", "X-Word": SECRET})).name == "rui"


WITHOUT = {name: {key: value for key, value in TOLD.items() if key != name} for name in TOLD}


@pytest.mark.parametrize(
    ("headers", "peer", "words"),
    [
        (TOLD, "10.0.0.1", "through its proxy only"),
        (TOLD, None, "through its proxy only"),
        (TOLD, "testclient", "through its proxy only"),
        ({**TOLD, "X-Forwarded-For": "127.0.0.1"}, "10.0.0.1", "through its proxy only"),
        ({**TOLD, "X-Replayhouse-Secret": SECRET[:-1]}, "127.0.0.1", "through its proxy only"),
        ({**TOLD, "X-Replayhouse-Secret": "\xe9" * 20}, "127.0.0.1", "through its proxy only"),
        (WITHOUT["X-Replayhouse-Secret"], "127.0.0.1", "through its proxy only"),
        ([*TOLD.items(), ("X-Replayhouse-Secret", "guess")], "127.0.0.1", "through its proxy only"),
        (WITHOUT["X-Forwarded-User"], "127.0.0.1", "does not say who asks"),
        ({**TOLD, "X-Forwarded-User": "  "}, "127.0.0.1", "does not say who asks"),
        ({**TOLD, "X-Forwarded-User": "a\x1b[31m"}, "127.0.0.1", "does not say who asks"),
        ({**TOLD, "X-Forwarded-User": "a" * 201}, "127.0.0.1", "does not say who asks"),
        ([*TOLD.items(), ("X-Forwarded-User", "root")], "127.0.0.1", "does not say who asks"),
        ([*TOLD.items(), ("X-Forwarded-Groups", "admins")], "127.0.0.1", "in no group that has a role"),
        (WITHOUT["X-Forwarded-Groups"], "127.0.0.1", "in no group that has a role"),
        ({**TOLD, "X-Forwarded-Groups": "staff"}, "127.0.0.1", "in no group that has a role"),
        ({**TOLD, "X-Forwarded-Groups": "owner"}, "127.0.0.1", "in no group that has a role"),
    ],
)
def test_what_is_spoofed_or_missing_is_refused(
    headers: Mapping[str, str] | list[tuple[str, str]], peer: str | None, words: str
) -> None:
    with pytest.raises(Forbidden, match=words) as refused:
        a_proxy().who(a_request(headers, peer))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"proxy_secret": ""}, "REPLAYHOUSE_WEB_PROXY_SECRET"),
        ({"proxy_secret": "short"}, "REPLAYHOUSE_WEB_PROXY_SECRET"),
        ({"proxy_roles": ""}, "REPLAYHOUSE_WEB_PROXY_ROLES"),
        ({"proxy_roles": "admins=king"}, "'admins=king' is no group=role"),
        ({"proxy_roles": "admins"}, "'admins' is no group=role"),
        ({"proxy_networks": "everywhere"}, "REPLAYHOUSE_WEB_PROXY_NETWORKS"),
        ({"proxy_networks": "10.0.0.1/8"}, "REPLAYHOUSE_WEB_PROXY_NETWORKS"),
        ({"proxy_user_header": "no header"}, "REPLAYHOUSE_WEB_PROXY_USER_HEADER"),
    ],
)
def test_a_proxy_that_could_not_be_told_from_others_is_not_served(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        a_proxy(**given)


def test_with_no_network_the_proxy_is_nowhere() -> None:
    with pytest.raises(Forbidden):
        a_proxy(proxy_networks=" ").who(a_request(TOLD))
