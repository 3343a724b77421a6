"""`openperp run`: what it prints, what it keeps, how it ends."""

import json
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]
QUIET = ("--market", "quiet")


def test_the_ready_line(start: Start) -> None:
    venue = start("--ephemeral", *QUIET)
    ready = venue.ready
    root = ready["rest"].removeprefix("http://")
    assert ready == {
        "event": "ready",
        "rest": f"http://{root}",
        "ws": f"ws://{root}",
        "ws_api": f"ws://{root}/ws-fapi/v1",
        "web": f"http://{root}/",
        "operator_token": ready["operator_token"],
        "account": {
            "name": "demo",
            "api_key": ready["account"]["api_key"],
            "api_secret": ready["account"]["api_secret"],
        },
    }
    assert ready["operator_token"]
    assert len(ready["account"]["api_key"]) == 64
    assert venue.get("/fapi/v1/ping").json() == {}
    (row,) = (r for r in venue.demo.get("/fapi/v2/balance") if r["asset"] == "USDT")
    assert row["balance"] == "100000.00000000"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(start: Start, number: signal.Signals) -> None:
    venue = start("--ephemeral", *QUIET)
    venue.popen.send_signal(number)
    out, err = venue.finish()
    assert venue.popen.returncode == 0, err
    assert out == ""
    assert err == ""


def test_a_signal_ends_it_while_clients_are_connected(start: Start) -> None:
    venue = start("--ephemeral", *QUIET)
    venue.get("/fapi/v1/ping")
    venue.popen.terminate()
    venue.popen.wait(timeout=10)
    assert venue.popen.returncode == 0


def read_greeting(*arguments: str) -> tuple[str, int]:
    """All that a person sees of a venue that is stopped once it is ready, and its exit code."""
    command = [sys.executable, "-u", "-m", "openperp", "run", "--port", "0", *QUIET, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while "Ctrl-C" not in "".join(lines):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    return "".join(lines) + rest, process.returncode


def test_what_a_person_reads(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    text, code = read_greeting("--data", data)
    credentials = json.loads((tmp_path / "data" / "credentials.json").read_text())
    account = credentials["account"]
    for expected in (account["api_key"], account["api_secret"], data):
        assert expected in text
    websocket = credentials["rest"].replace("http", "ws")
    places = {
        "REST": credentials["rest"],
        "Streams": websocket,
        "WebSocket API": f"{websocket}/ws-fapi/v1",
        "API reference": f"{credentials['rest']}/docs",
    }
    for name, address in places.items():
        assert f"  {name:<16}{address}\n" in text
    assert "continues" not in text
    assert f"openperp doctor ccxt --data {data}\n" in text
    assert text.endswith("\nStopped.\n")
    assert code == 0


def test_a_later_start_says_what_it_found(start: Start, tmp_path: Path) -> None:
    arguments = ("--data", str(tmp_path / "data"), *QUIET)
    venue = start(*arguments)
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    venue.demo.post("/fapi/v1/order", **fields, price="50000", quantity="0.01")
    venue.create("alice")
    seq = venue.operator.get("status")["seq"]
    venue.stop()
    text, _ = read_greeting(*arguments)
    assert f"It continues at record {seq}: 2 accounts, 1 open order.\n" in text


def test_a_venue_that_keeps_nothing_tells_how_to_reach_it() -> None:
    text, _ = read_greeting("--ephemeral")
    (address,) = set(re.findall(r"http://127\.0\.0\.1:\d+", text))
    assert f"openperp doctor ccxt --url {address} --key API_KEY --secret API_SECRET\n" in text


def test_later_starts_keep_credentials_and_state(start: Start, tmp_path: Path) -> None:
    arguments = ("--data", str(tmp_path / "data"), *QUIET)
    first = start(*arguments)
    first.demo.post(
        "/fapi/v1/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        price="50000",
        quantity="0.01",
        newClientOrderId="mine",
    )
    assert first.stop() == 0
    second = start(*arguments)
    assert second.ready["account"] == first.ready["account"]
    assert second.ready["operator_token"] == first.ready["operator_token"]
    (order,) = second.demo.get("/fapi/v1/openOrders")
    assert order["clientOrderId"] == "mine"
    mode = stat.S_IMODE((tmp_path / "data" / "credentials.json").stat().st_mode)
    assert mode == 0o600


def test_ephemeral_leaves_nothing(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert start("--ephemeral", "--data", str(data), *QUIET).stop() == 0
    assert not data.exists()


def test_a_virtual_clock_stands_still_where_it_is_told(start: Start) -> None:
    venue = start("--ephemeral", "--clock", "virtual", *QUIET)
    assert venue.now_ms() == 1_767_225_600_000
    venue.stop()
    instant = "2030-06-01T12:00:00Z"
    venue = start("--ephemeral", "--clock", "virtual", "--clock-start", instant, *QUIET)
    assert venue.now_ms() == 1_906_545_600_000


def test_no_limits(start: Start) -> None:
    venue = start("--ephemeral", "--no-limits", *QUIET)
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    for _ in range(320):
        venue.demo.post("/fapi/v1/order", **fields, price="1000", quantity="0.05")


def test_strict_time(start: Start) -> None:
    venue = start("--ephemeral", "--clock", "virtual", "--strict", "time,params", *QUIET)
    answer = venue.demo.send("GET", "/fapi/v2/balance", timestamp=venue.now_ms() + 60_000)
    assert answer.json()["code"] == -1021
    assert venue.demo.get("/fapi/v2/balance")


def test_options_come_from_a_file_too(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    file.write_text('market = "quiet"\nclock = "virtual"\nephemeral = true\ndialect = "binance"\n')
    venue = start("--config", str(file))
    assert venue.now_ms() == 1_767_225_600_000


def test_tls(start: Start, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    venue = start("--ephemeral", "--tls-cert", certificate, "--tls-key", key, *QUIET)
    assert venue.ready["rest"].startswith("https://127.0.0.1:")
    assert venue.ready["ws"].startswith("wss://127.0.0.1:")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with urlopen(f"{venue.ready['rest']}/fapi/v1/ping", context=trusting) as reply:
        assert reply.read() == b"{}"
    venue.popen.terminate()
    assert venue.popen.wait(timeout=10) == 0


def make_certificate(directory: Path) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "openperp test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "key.pem").write_bytes(key.private_bytes(*plain))
    return str(directory / "cert.pem"), str(directory / "key.pem")


def test_prices_of_the_quiet_market(start: Start) -> None:
    venue = start("--ephemeral", *QUIET)
    rows = venue.get("/fapi/v1/premiumIndex").json()
    prices = {row["symbol"]: (float(row["markPrice"]), float(row["indexPrice"])) for row in rows}
    assert prices == {
        "BTCUSDT": (60000.0, 60000.0),
        "ETHUSDT": (3000.0, 3000.0),
        "SOLUSDT": (150.0, 150.0),
    }


def test_a_market_order_fills_at_once_in_the_demo_market(start: Start) -> None:
    venue = start("--ephemeral")
    order = venue.demo.post(
        "/fapi/v1/order",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="0.01",
        newOrderRespType="RESULT",
    )
    assert order["status"] == "FILLED"


# What keeps it from starting: one sentence, exit code 2.


def assert_refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result
    assert result.stdout == ""
    sentence = result.stderr.strip()
    assert "Traceback" not in sentence
    assert len(sentence.splitlines()) == 1, sentence
    for word in words:
        assert word in sentence


def test_a_port_in_use(openperp: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_refused(openperp("run", "--ephemeral", "--port", port), port)


def test_a_start_that_fails_at_the_port_leaves_no_data_directory(
    openperp: Run, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_refused(openperp("run", "--data", tmp_path / "data", "--port", port), port)
    files = ("--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem")
    assert_refused(openperp("run", "--data", tmp_path / "data", "--port", "0", *files))
    assert not (tmp_path / "data").exists()


def test_an_address_that_is_not_here(openperp: Run) -> None:
    assert_refused(openperp("run", "--ephemeral", "--host", "203.0.113.1", "--port", "0"))


def test_a_data_directory_in_use(start: Start, openperp: Run, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    venue = start("--data", data, *QUIET)
    words = [data, "choose another directory"]
    if Path("/proc/locks").exists():
        words.append(f"process {venue.popen.pid}:")
    assert_refused(openperp("run", "--data", data, "--port", "0"), *words)
    assert_refused(openperp("verify", data), *words)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("market = ", "TOML"),
        ('market = "loud"', "market"),
        ("nonsense = 1", "nonsense"),
        ("port = 70000", "port"),
        ('[instruments.BTCUSDT]\ntick = "-1"', "BTCUSDT"),
    ],
)
def test_a_broken_config(openperp: Run, tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "venue.toml"
    file.write_text(text)
    result = openperp("run", "--ephemeral", "--port", "0", "--config", file)
    assert_refused(result, "venue.toml", word)


def test_a_config_that_is_not_there(openperp: Run) -> None:
    assert_refused(openperp("run", "--config", "/nowhere/venue.toml"), "/nowhere/venue.toml")


@pytest.mark.parametrize(
    "flags",
    [
        ("--clock", "virtual", "--clock-start", "yesterday"),
        ("--strict", "everything"),
        ("--tls-cert", "/nowhere/cert.pem"),
        ("--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"),
    ],
)
def test_flags_that_say_nothing_usable(openperp: Run, flags: tuple[str, ...]) -> None:
    assert_refused(openperp("run", "--ephemeral", "--port", "0", *flags))


def test_a_forgotten_list_is_missed_by_name(openperp: Run) -> None:
    result = openperp("run", "--ephemeral", "--strict", "--port", "0")
    assert result.returncode == 2
    assert "'--strict': a list is missing before '--port'" in result.stderr
    assert "signature,time,params,streams" in result.stderr


def test_a_data_directory_that_is_a_file(openperp: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert_refused(openperp("run", "--port", "0", "--data", tmp_path / "data"))


def test_a_damaged_journal(start: Start, openperp: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    start("--data", str(data), *QUIET).stop()
    (data / "journal.sqlite").write_bytes(b"not a journal any more" * 500)
    assert_refused(openperp("run", "--port", "0", "--data", data))


def test_another_dialect_than_the_journals(start: Start, openperp: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    start("--data", str(data), "--dialect", "binance", *QUIET).stop()
    assert_refused(openperp("run", "--port", "0", "--data", data, "--dialect", "ztdx"), "binance")
