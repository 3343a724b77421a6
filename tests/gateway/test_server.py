"""Ports, certificates, starting and stopping; and the application under another server."""

import asyncio
import datetime as dt
import json
import socket
import ssl
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.gateway.desk import Client, make, operator, serve

from openperp.bootstrap import Venue
from openperp.node.errors import StartupError


def start(venue: Venue) -> None:
    async def live() -> None:
        await venue.server.start()
        await venue.server.stop()

    asyncio.run(live())


def test_a_free_port_is_reported() -> None:
    async def test(venue: Venue) -> None:
        assert venue.server.port > 0
        client = await Client.to(venue)
        assert (await client.ask("GET", "/fapi/v1/ping")).status == 200
        client.close()

    serve(test)


def test_a_port_in_use_is_one_sentence_and_lets_go_of_the_data(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartupError, match=rf"^port {port} is in use"):
            start(make(port=port, data=str(tmp_path), ephemeral=False))
    start(make(data=str(tmp_path), ephemeral=False))


def hears_both_versions_of_ip() -> bool:
    return socket.has_ipv6 and socket.has_dualstack_ipv6()


@pytest.mark.skipif(not hears_both_versions_of_ip(), reason="no socket for both versions of IP")
def test_a_key_for_one_address_on_a_socket_for_both_versions_of_ip() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        path, target = "/operator/v1/accounts/demo/keys", "/fapi/v1/historicalTrades?symbol=BTCUSDT"
        told = []
        for address in ("127.0.0.1", "::ffff:127.0.0.1", "::1"):
            body = json.dumps({"ips": [address]}).encode()
            key = (await client.ask("POST", path, body, operator(venue))).json["api_key"]
            reply = await client.ask("GET", target, headers={"X-MBX-APIKEY": key})
            told.append((reply.status, reply.headers.get("x-explain")))
        refusal = "the key is not open to the address 127.0.0.1"
        assert told == [(200, None), (200, None), (401, refusal)]
        client.close()

    serve(test, make(host="::"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"host": "no.such.host.invalid"}, "host no.such.host.invalid cannot be found"),
        ({"host": "192.0.2.1"}, "port 0 on 192.0.2.1 cannot be had"),
        ({"tls_cert": "a.pem", "tls_key": "b.pem"}, "the certificate a.pem with the key b.pem"),
    ],
)
def test_an_address_that_cannot_be_served_is_one_sentence(
    flags: dict[str, str], message: str
) -> None:
    with pytest.raises(StartupError, match=message):
        start(make(**flags))


def write_certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = directory / "cert.pem", directory / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_a_certificate_makes_it_https(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)

    async def test(venue: Venue) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client = Client(*await asyncio.open_connection("127.0.0.1", venue.server.port, ssl=context))
        assert (await client.ask("GET", "/fapi/v1/ping")).body == b"{}"
        client.close()

    serve(test, make(tls_cert=str(certificate), tls_key=str(key)))


def test_stopping_answers_what_was_asked_and_closes_the_rest() -> None:
    async def test(venue: Venue) -> None:
        release, held = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            held.set()
            await release.wait()

        idle, busy = await Client.to(venue), await Client.to(venue)
        await idle.ask("GET", "/fapi/v1/ping")
        venue.node.sequencer.before_answer.append(lambda _: pause())
        asking = asyncio.create_task(
            busy.ask("POST", "/operator/v1/reset", headers=operator(venue))
        )
        await held.wait()
        stopping = asyncio.create_task(venue.server.stop())
        assert await idle.is_closed()
        with pytest.raises(ConnectionError):
            await Client.to(venue)
        release.set()
        reply = await asking
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        await stopping
        idle.close()
        busy.close()

    venue = make()

    async def live() -> None:
        await venue.server.start()
        await test(venue)

    asyncio.run(live())


Message = MutableMapping[str, Any]


async def exchange(venue: Venue, scope: Message, *incoming: Message) -> list[Message]:
    """What the application sends when it is told `incoming`."""
    waiting, sent = list(incoming), []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await venue.app(scope, receive, send)
    return sent


def test_any_asgi_server_can_start_and_stop_the_node() -> None:
    venue = make()
    up, down = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
    sent = asyncio.run(exchange(venue, {"type": "lifespan"}, up, down))
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert venue.node.view.state.seq == 8


def test_a_start_that_fails_is_told_to_the_server(tmp_path: Path) -> None:
    data, config = tmp_path / "data", tmp_path / "venue.toml"
    start(make(data=str(data), ephemeral=False))
    config.write_text("[instruments.BTCUSDT]\ntick = 0.5\n")
    venue = make(path=config, data=str(data), ephemeral=False)
    sent = asyncio.run(exchange(venue, {"type": "lifespan"}, {"type": "lifespan.startup"}))
    assert sent[0]["type"] == "lifespan.startup.failed"
    assert "must stay what they were" in sent[0]["message"]


def test_an_upgrade_is_answered_and_says_nothing_to_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        assert (await client.ask("GET", "/nowhere", headers=headers)).status == 404
        assert (await client.ask("GET", "/ws", headers=headers)).status == 400
        client.close()

    serve(test)
    assert caplog.records == []


def test_a_websocket_is_closed() -> None:
    venue = make()
    sent = asyncio.run(exchange(venue, {"type": "websocket", "path": "/ws"}))
    assert sent == [{"type": "websocket.close", "code": 1000}]
    venue.node.close()
