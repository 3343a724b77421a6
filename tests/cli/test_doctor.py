"""`openperp doctor`: the clients it knows, and where it takes the keys from."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_it_lists_the_clients_it_knows(openperp: Run) -> None:
    names = [
        client["name"] for client in json.loads(openperp("doctor", "--json").stdout)["clients"]
    ]
    assert names == ["ccxt", "curl"]
    text = openperp("doctor").stdout
    assert all(name in text for name in names)


@pytest.mark.parametrize("client", ["ccxt", "curl", "CCXT"])
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
    assert reply["client"] == client.lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
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


@pytest.mark.parametrize("content", ["", "[]", '{"account": {}}'])
def test_a_file_that_holds_no_credentials(openperp: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials.json").write_text(content)
    result = openperp("doctor", "curl", "--data", tmp_path)
    assert result.returncode == 2
    assert "credentials.json" in result.stderr
