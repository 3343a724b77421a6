"""The operator's side of a venue, over the same HTTP calls that any language can make."""

import json
from typing import Any

from openperp.testing.http import TIMEOUT_S, Answer, VenueError, Wire

CLOCK_TIMEOUT_S = 3_600.0
"""A clock is answered when it is there: years of a demo market take minutes."""


class Operator:
    """Calls `/operator/v1/*` with the operator's token."""

    def __init__(self, wire: Wire, token: str) -> None:
        self._wire = wire
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, **fields: Any) -> Any:
        return self._ask("POST", path, fields)

    def send(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Answer:
        """The answer as it came, whatever its status; `path` is relative: `status`, `accounts`."""
        body = None if fields is None else json.dumps(fields).encode()
        timeout_s = CLOCK_TIMEOUT_S if path == "clock" else TIMEOUT_S
        return self._wire.send(method, f"/operator/v1/{path}", self._headers, body, timeout_s)

    def _ask(self, method: str, path: str, fields: dict[str, Any] | None) -> Any:
        answer = self.send(method, path, fields)
        if answer.status >= 400:
            raise VenueError(answer)
        return answer.json()
