"""The served OpenAPI document against the venue behind it, with requests made up from it.

Whatever is sent, signed or not, with good values or bad ones: no 5xx, no status and
no type of answer that the document does not tell of.
"""

import hashlib
import hmac
import json
import warnings
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import openapi_spec_validator
import pytest
import requests
from hypothesis import HealthCheck, settings

from openperp.api.endpoint import Endpoint, Security
from openperp.api.endpoints import ENDPOINTS
from openperp.gateway.pages import read_page
from openperp.testing import Account, Venue

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

DOCUMENT = json.loads(read_page("/openapi.json").body)
schema = schemathesis.openapi.from_dict(DOCUMENT)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Credentials(requests.auth.AuthBase):
    """Gives a request what its operation asks for: a signature in time, or the token.

    What was made up for `timestamp` and `signature` gives way, or nothing would get
    past the door; the door has tests of its own.
    """

    def __init__(self, venue: Venue, account: Account, asked: set[str]) -> None:
        self._venue = venue
        self._account = account
        self._asked = asked

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if "operator" in self._asked:
            request.headers["Authorization"] = f"Bearer {self._venue.operator_token}"
        if "apiKey" in self._asked:
            request.headers["X-MBX-APIKEY"] = self._account.api_key
        if "apiSecret" in self._asked:
            self._sign(request)
        return request

    def _sign(self, request: requests.PreparedRequest) -> None:
        assert request.url is not None
        parts = urlsplit(request.url)
        fields = [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if name not in {"timestamp", "signature", "recvWindow"}
        ]
        query = urlencode([*fields, ("timestamp", str(self._venue.now_ms()))])
        secret = self._account.api_secret.encode()
        signature = hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
        request.url = urlunsplit(parts._replace(query=f"{query}&signature={signature}"))


@schema.parametrize()
@settings(
    max_examples=12,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.venue(limits=False)
def test_every_answer_is_documented(case: Any, venue: Venue) -> None:
    asked = {name for scheme in case.operation.definition.raw["security"] for name in scheme}
    credentials = Credentials(venue, venue.demo, asked)
    response = case.call(base_url=venue.rest, auth=credentials)
    case.validate_response(response, checks=CHECKS)


REQUESTS = [
    pytest.param(endpoint, request, id=f"{endpoint.path.removeprefix('/operator/v1/')}: {summary}")
    for endpoint in ENDPOINTS
    for summary, request in endpoint.requests.items()
]


@pytest.mark.parametrize(("endpoint", "request_"), REQUESTS)
def test_a_fresh_venue_accepts_the_requests_shown(
    venue: Venue, endpoint: Endpoint[Any], request_: dict[str, Any]
) -> None:
    """As they stand in the document, where the page fills them in."""
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    given = {
        place: {
            each["name"]: str(each["example"])
            for each in operation.get("parameters", ())
            if each["in"] == place
        }
        for place in ("path", "query")
    }
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shown = [each["value"] for each in content.get("examples", {}).values()]
    inside = {**given["path"], **given["query"]}
    body = {name: value for name, value in request_.items() if name not in inside}
    assert body in shown or not body
    target = endpoint.path.format(**given["path"])
    answer = requests.request(
        endpoint.method,
        venue.rest + target,
        params=given["query"],
        json=body or None,
        headers={"Authorization": f"Bearer {venue.operator_token}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text


def test_every_operator_call_that_takes_anything_shows_a_request() -> None:
    takers = [
        endpoint
        for endpoint in ENDPOINTS
        if endpoint.security is Security.OPERATOR and msgspec.structs.fields(endpoint.params)
    ]
    assert [endpoint.path for endpoint in takers if not endpoint.requests] == []


def test_the_document_is_served_and_valid(venue: Venue) -> None:
    served = requests.get(f"{venue.rest}/openapi.json", timeout=5)
    assert served.headers["content-type"] == "application/json"
    openapi_spec_validator.validate(served.json())
    assert served.json() == DOCUMENT


def test_the_reference_page_and_all_that_it_loads_are_served(venue: Venue) -> None:
    page = requests.get(f"{venue.rest}/docs", timeout=5)
    assert page.headers["content-type"].startswith("text/html")
    for path in ("/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"):
        assert path in page.text
        assert requests.get(venue.rest + path, timeout=5).status_code == 200


def test_an_operation_stands_on_the_page_that_declares_it() -> None:
    tags = {
        path: operations["get"]["tags"]
        for path, operations in DOCUMENT["paths"].items()
        if "get" in operations
    }
    assert tags["/fapi/v1/ping"] == ["Market data"]
    assert tags["/api/v3/ping"] == tags["/api/v3/time"] == ["Outside fapi"]
