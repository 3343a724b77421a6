"""Keys of every kind, as the operator gives them out, over a real socket."""

from base64 import b64encode
from functools import cache
from typing import Any
from urllib.parse import quote

import ccxt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from openperp.testing import Account, Venue, VenueError

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
KINDS = ("ed25519", "rsa")


@cache
def private_key(kind: str) -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return Ed25519PrivateKey.generate()


def public_pem(kind: str) -> str:
    public = private_key(kind).public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def private_pem(kind: str) -> str:
    pem = private_key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return str(pem.decode())


class Pair(Account):
    """An account that signs with the private key of a pair."""

    kind = ""

    def sign(self, text: str) -> str:
        key = private_key(self.kind)
        rules = (padding.PKCS1v15(), hashes.SHA256()) if self.kind == "rsa" else ()
        return quote(b64encode(key.sign(text.encode(), *rules)), safe="")


def pair(venue: Venue, kind: str, name: str = "demo", **fields: Any) -> Pair:
    reply = venue.operator.post(
        f"accounts/{name}/keys", type=kind, public_key=public_pem(kind), **fields
    )
    assert "api_secret" not in reply
    account = Pair(venue.demo._wire, name, reply["api_key"], "", venue.now_ms)
    account.kind = kind
    return account


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_opens_its_account(venue: Venue, kind: str) -> None:
    account = pair(venue, kind)
    order = account.post("/fapi/v1/order", **ORDER, price="50000", quantity="0.01")
    ids = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert venue.demo.get("/fapi/v1/order", **ids)["status"] == "NEW"
    assert account.delete("/fapi/v1/order", **ids)["status"] == "CANCELED"
    assert account.send("GET", "/fapi/v2/balance", timestamp=1).status == 400


@pytest.mark.parametrize("kind", KINDS)
def test_another_pair_does_not(venue: Venue, kind: str) -> None:
    account = pair(venue, kind)
    account.kind = next(other for other in KINDS if other != kind)
    with pytest.raises(VenueError) as refused:
        account.get("/fapi/v2/balance")
    assert refused.value.code == -1022


def test_permissions_of_a_pair(venue: Venue) -> None:
    reader = pair(venue, "ed25519", permissions=["read"])
    assert reader.get("/fapi/v2/balance")
    with pytest.raises(VenueError) as refused:
        reader.post("/fapi/v1/order", **ORDER, price="50000", quantity="0.01")
    assert refused.value.code == -2015


def test_addresses_of_a_pair(venue: Venue) -> None:
    assert pair(venue, "ed25519", ips=["127.0.0.1"]).get("/fapi/v2/balance")
    with pytest.raises(VenueError) as refused:
        pair(venue, "ed25519", ips=["10.0.0.1", "::1"]).get("/fapi/v2/balance")
    assert refused.value.code == -2015


@pytest.mark.venue(clock="real")
@pytest.mark.parametrize("kind", KINDS)
def test_ccxt_signs_with_a_pair(venue: Venue, kind: str) -> None:
    exchange: Any = venue.demo.ccxt()
    exchange.apiKey = pair(venue, kind).api_key
    exchange.secret = private_pem(kind)
    order = exchange.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, 50000)
    assert exchange.cancel_order(order["id"], "BTC/USDT:USDT")["status"] == "canceled"
    exchange.secret = private_pem("ed25519") if kind == "rsa" else private_pem("rsa")
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()
