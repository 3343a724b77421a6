"""`openperp doctor`: the clients it knows, and where it takes the keys from."""

import json
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openperp.testing import Venue

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_it_lists_the_clients_it_knows(openperp: Run) -> None:
    names = [
        client["name"] for client in json.loads(openperp("doctor", "--json").stdout)["clients"]
    ]
    assert {"ccxt", "python-binance", "binance", "curl"} <= set(names)
    text = openperp("doctor").stdout
    assert all(name in text for name in names)


@pytest.mark.parametrize("client", ["ccxt", "curl", "CCXT", "ccxt.pro", "python_binance"])
def test_a_snippet_holds_the_address_and_the_keys(
    openperp: Run, tmp_path: Path, client: str
) -> None:
    account = {"name": "demo", "api_key": "K" * 64, "api_secret": "S" * 64}
    credentials = {"operator_token": "T", "account": account}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    arguments = ("doctor", client, "--data", tmp_path, "--url", "http://127.0.0.1:9999/")
    snippet = openperp(*arguments).stdout
    assert "K" * 64 in snippet
    assert "S" * 64 in snippet
    assert '"http://127.0.0.1:9999"' in snippet
    reply = json.loads(openperp(*arguments, "--json").stdout)
    assert reply["snippet"] == snippet
    assert reply["client"] == client.lower().replace(".", "-").replace("_", "-")


def test_it_takes_the_address_from_the_data_directory(
    start: Start, openperp: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    venue = start(
        "--data", str(data), "--market", "quiet", "--clock", "virtual", "--strict", "time"
    )
    result = openperp("doctor", "ccxt", "--data", data)
    assert f'"{venue.ready["rest"]}"' in result.stdout
    assert result.stderr == ""
    other = openperp("doctor", "ccxt", "--data", data, "--url", "http://127.0.0.1:1")
    assert '"http://127.0.0.1:1"' in other.stdout


@pytest.mark.parametrize(
    ("key", "warning"),
    [("K" * 64, "Invalid API-key"), ("short", "API-key format invalid"), ("ключ", "no header")],
)
def test_keys_that_do_not_fit_are_warned_of(
    venue: Venue, openperp: Run, key: str, warning: str
) -> None:
    result = openperp("doctor", "curl", "--url", venue.rest, "--key", key, "--secret", "S")
    assert result.returncode == 0
    assert venue.rest in result.stdout
    assert result.stderr.startswith("Warning: ")
    assert warning in result.stderr


def test_a_venue_that_does_not_answer_is_warned_of(openperp: Run) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        result = openperp("doctor", "curl", "--url", url, "--key", "K", "--secret", "S", "--json")
    assert result.returncode == 0
    assert url in json.loads(result.stdout)["snippet"]
    assert f"Nothing answers at {url}" in result.stderr


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.0 200 OK\r\n\r\n<html>"])
def test_something_else_that_answers_is_warned_of(openperp: Run, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        result = openperp("doctor", "curl", "--url", url, "--key", "K", "--secret", "S")
        thread.join()
    assert result.returncode == 0
    assert result.stderr == f"Warning: What answers at {url} is not a venue.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
        ("curl", "--url", "foo", "--key", "K", "--secret", "S"),
        ("curl", "--url", "http://", "--key", "K", "--secret", "S"),
        ("curl", "--url", "http://h:99999", "--key", "K", "--secret", "S"),
        ("ccxt", "--data", "/nowhere"),
        ("ccxt", "--key", "only"),
    ],
)
def test_what_it_cannot_do_it_says_in_one_sentence(
    openperp: Run, arguments: tuple[str, ...]
) -> None:
    result = openperp("doctor", *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cctx", "; did you mean ccxt?"),
        ("binance-sdk-rst", " binance-sdk-rust"),
        ("nosuch", "'nosuch'. "),
    ],
)
def test_a_name_that_is_almost_right(openperp: Run, name: str, meant: str) -> None:
    assert meant in openperp("doctor", name).stderr


@pytest.mark.parametrize("content", ["", "[]", '{"account": {}}'])
def test_a_file_that_holds_no_credentials(openperp: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials.json").write_text(content)
    result = openperp("doctor", "curl", "--data", tmp_path)
    assert result.returncode == 2
    assert "credentials.json" in result.stderr
