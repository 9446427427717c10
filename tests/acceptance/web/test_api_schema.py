"""The API against its own description: whatever is asked, the answer is one that the description has."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 10
"""For each address: a request within what it takes, or one that is not."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def described(client: TestClient) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())


def reading(described: schemathesis.BaseSchema) -> Iterator[Any]:
    """The addresses that are only read."""
    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        if found.ok().method.upper() == "GET":
            yield found.ok()


def test_whatever_is_asked_the_answer_is_as_described(client: TestClient, described: schemathesis.BaseSchema) -> None:
    number = random.SystemRandom().randrange(10**6)
    print(f"To repeat, give the seed {number}")
    asked = set()
    for operation in reading(described):
        kinds = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

        @seed(number)
        @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
        @given(case=st.one_of(kinds))
        def holds(case: Any) -> None:
            asked.add(case.operation.label)
            response = client.request(**case.as_transport_kwargs(base_url="http://localhost"))
            case.validate_response(response, checks=CHECKS)

        holds()
    assert len(asked) == len(list(reading(described)))
