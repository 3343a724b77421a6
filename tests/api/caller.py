"""A caller of the WebSocket API at an offline venue: frames in, decoded answers out."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.api.offline import SECRET, OfflineVenue, api_key

from openperp.api.public_keys import public_key_verifier
from openperp.api.view import ApiKey
from openperp.api.ws_api import (
    MethodSession,
    PendingMethod,
    finish_method,
    open_session,
    prepare_method,
)

Sign = Callable[[str], str]


def sign_hmac(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def joined(params: dict[str, Any]) -> str:
    """What is signed: JSON values as they stand in the message, texts without quotes."""
    return "&".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in sorted(params.items())
    )


def public_pem(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


class Caller:
    """One connection of one key."""

    def __init__(
        self, venue: OfflineVenue, name: str = "alice", query: bytes = b"", ip: str = "127.0.0.1"
    ) -> None:
        self.venue = venue
        self.key = api_key(name)
        self.ip = ip
        self.sign: Sign = sign_hmac
        self.session: MethodSession = open_session(query, venue.view, ip)

    def send(self, text: str | bytes) -> dict[str, Any]:
        """The answer to a frame, as it is."""
        frame = text.encode() if isinstance(text, str) else text
        outcome = prepare_method(frame, self.session, self.venue.view, self.ip)
        if isinstance(outcome, PendingMethod):
            outcome = finish_method(outcome, self.venue.apply(outcome.submission.command))
        answer: dict[str, Any] = json.loads(outcome)
        assert ("result" in answer) != ("error" in answer)
        return answer

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request that nobody signs."""
        return self.send(json.dumps({"id": 1, "method": method, "params": params}))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request that is stamped and signed."""
        params = {"apiKey": self.key, "timestamp": self.venue.now_ms, **params}
        return self.ask(method, **params, signature=self.sign(joined(params)))

    def result(self, method: str, **params: Any) -> Any:
        answer = self.call(method, **params)
        assert answer["status"] == 200, answer
        return answer["result"]

    def use_ed25519(self, name: str = "edward", account: str = "alice", **changes: Any) -> None:
        """From here on signs with a fresh Ed25519 key of the account."""
        private = Ed25519PrivateKey.generate()
        self.key = api_key(name)
        self.venue.keys[self.key.encode()] = ApiKey(
            self.venue.state.account_ids[account],
            public_key_verifier("ed25519", public_pem(private)),
            kind="ed25519",
            **changes,
        )
        self.sign = lambda text: b64encode(private.sign(text.encode())).decode()


def fault_of(answer: dict[str, Any]) -> tuple[int, int, str]:
    """Status, code and message of a refusal."""
    assert answer["error"]["explain"]
    return answer["status"], answer["error"]["code"], answer["error"]["msg"]
