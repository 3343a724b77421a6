"""`openperp certificate`: a venue over https that clients trust without turning checks off."""

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.cli.conftest import Process
from websockets.sync.client import connect

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Process]

PING = """
import sys
from urllib.request import urlopen
print(urlopen(sys.argv[1]).read().decode())
"""
REQUESTS_PING = "import requests, sys; print(requests.get(sys.argv[1]).text)"
NODE_PING = "fetch(process.argv[1]).then(reply => reply.text()).then(console.log)"


@pytest.fixture
def made(openperp: Run, tmp_path: Path) -> dict[str, Any]:
    result = openperp("certificate", "--out", tmp_path / "tls", "--name", "venue.test", "--json")
    assert result.returncode == 0, result.stderr
    paths: dict[str, Any] = json.loads(result.stdout)
    return paths


@pytest.fixture
def ping(start: Start, made: dict[str, Any]) -> str:
    """The address of a venue that has the certificate."""
    flags = ("--ephemeral", "--market", "quiet")
    venue = start(*flags, "--tls-cert", made["cert"], "--tls-key", made["key"])
    return f"{venue.ready['rest']}/fapi/v1/ping"


def test_what_it_prints(openperp: Run, made: dict[str, Any], tmp_path: Path) -> None:
    assert set(made) == {"ca", "cert", "key", "names", "until"}
    assert made["names"] == ["localhost", "127.0.0.1", "::1", "venue.test"]
    assert Path(made["ca"]).is_file()
    guide = openperp("certificate", "--out", tmp_path / "other").stdout
    assert f"openperp run --tls-cert {tmp_path}/other/cert.pem" in guide
    assert f"export NODE_EXTRA_CA_CERTS={tmp_path}/other/ca.pem" in guide


def test_doctor_says_whom_to_trust(ping: str, made: dict[str, Any]) -> None:
    url = ping.removesuffix("/fapi/v1/ping")
    command = [sys.executable, "-m", "openperp", "doctor", "curl", "--url", url]
    command += ["--key", "K" * 64, "--secret", "S"]
    ask = partial(subprocess.run, command, capture_output=True, text=True, check=True, timeout=30)
    assert f"The certificate of {url} is not trusted here" in ask().stderr
    trusting = ask(env={**os.environ, "SSL_CERT_FILE": made["ca"]})
    assert "refuses these keys" in trusting.stderr


def test_who_trusts_the_authority_is_served(ping: str, made: dict[str, Any]) -> None:
    context = ssl.create_default_context(cafile=made["ca"])
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with urlopen(ping, context=context) as reply:
        assert reply.read() == b"{}"
    with urlopen(ping.replace("127.0.0.1", "localhost"), context=context) as reply:
        assert reply.read() == b"{}"
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urlopen(ping)


def test_sockets_are_served_too(ping: str, made: dict[str, Any]) -> None:
    context = ssl.create_default_context(cafile=made["ca"])
    address = ping.replace("https://", "wss://").removesuffix("/fapi/v1/ping")
    with connect(f"{address}/ws-fapi/v1", ssl=context) as socket:
        socket.send('{"id":1,"method":"ticker.price","params":{"symbol":"BTCUSDT"}}')
        assert json.loads(socket.recv(timeout=10))["status"] == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(f"{address}/ws-fapi/v1")


@pytest.mark.parametrize(
    ("variable", "command"),
    [
        ("SSL_CERT_FILE", [sys.executable, "-c", PING]),
        ("REQUESTS_CA_BUNDLE", [sys.executable, "-c", REQUESTS_PING]),
        ("NODE_EXTRA_CA_CERTS", ["node", "-e", NODE_PING]),
    ],
)
def test_clients_trust_by_environment(
    ping: str, made: dict[str, Any], variable: str, command: list[str]
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    environment = {name: value for name, value in os.environ.items() if name != variable}
    trusting = subprocess.run(
        [*command, ping],
        env={**environment, variable: made["ca"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert trusting.stdout == "{}\n", trusting.stderr
    strange = subprocess.run([*command, ping], env=environment, capture_output=True, check=False)
    assert strange.returncode != 0


def test_it_writes_over_nothing(openperp: Run, made: dict[str, Any], tmp_path: Path) -> None:
    before = Path(made["key"]).read_bytes()
    result = openperp("certificate", "--out", tmp_path / "tls")
    assert result.returncode == 2
    assert result.stderr == (
        f"Error: {made['ca']} is there already: remove it, or choose another --out.\n"
    )
    assert Path(made["key"]).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--name", "a b"), "'a b' is neither a host name nor an IP address."),
        (("--out", "/dev/null/tls"), "/dev/null/tls cannot be written: Not a directory."),
    ],
)
def test_what_it_cannot_do(
    openperp: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = openperp("certificate", "--out", tmp_path / "tls", *arguments)
    assert result.returncode == 2
    assert result.stderr == f"Error: {sentence}\n"
    assert not (tmp_path / "tls").exists()
