"""What `openperp doctor` prints for each client: whole, well-formed, and right where it can run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.homes import node
from tests.clients.programs import PROGRAMS, Program, before_first_call

from openperp.cli.clients import CLIENTS, Access, Client, find_client
from openperp.testing import Venue

ELSEWHERE = Access("http://10.1.2.3:9999", "K" * 64, "S" * 64)
# Their first call shows the balance of the account `demo`.
BALANCE = "100000"


@pytest.mark.parametrize("client", CLIENTS.values(), ids=lambda client: client.name)
def test_a_snippet_is_filled_in(client: Client) -> None:
    text = client.snippet(ELSEWHERE)
    assert ELSEWHERE.api_key in text
    assert ELSEWHERE.api_secret in text
    assert "://10.1.2.3:9999" in text
    for placeholder in ("127.0.0.1:8686", "your_api"):
        assert placeholder not in text


def test_a_client_that_speaks_tls_only_gets_a_tls_address() -> None:
    text = CLIENTS["@binance/derivatives-trading-usds-futures"].snippet(ELSEWHERE)
    assert '"https://10.1.2.3:9999"' in text
    assert '"wss://10.1.2.3:9999"' in text
    over_tls = CLIENTS["ccxt-pro"].snippet(Access("https://venue", "K", "S"))
    assert 'VENUE = "https://venue"' in over_tls
    assert 'STREAMS = "wss://venue"' in over_tls


@pytest.mark.parametrize("client", CLIENTS.values(), ids=lambda client: client.name)
def test_a_snippet_is_well_formed(client: Client, tmp_path: Path) -> None:
    text = client.snippet(ELSEWHERE)
    file = tmp_path / client.file
    file.write_text(text, encoding="utf-8")
    if client.language == "python":
        compile(text, client.file, "exec")
    elif client.language == "json":
        json.loads(text)
    elif client.language == "javascript":
        subprocess.run([node(), "--check", str(file)], check=True, timeout=30)
    elif client.language == "sh":
        subprocess.run(["sh", "-n", str(file)], check=True, timeout=30)
    else:
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")


def test_each_client_is_found_by_every_name_that_it_has() -> None:
    names = [name for client in CLIENTS.values() for name in (client.name, *client.also)]
    assert len(set(names)) == len(names)
    for client in CLIENTS.values():
        for name in (client.name, *client.also):
            assert find_client(name) is client
            assert find_client(name.upper().replace("-", "_")) is client


@pytest.mark.venue(clock="real")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.client)
def test_a_snippet_runs_as_it_stands(program: Program, venue: Venue, tmp_path: Path) -> None:
    snippet = program.snippet(venue, venue.demo)
    assert before_first_call(snippet) != snippet
    # A file named like the client would be imported in its place.
    file = tmp_path / f"bot{Path(CLIENTS[program.client].file).suffix}"
    file.write_text(snippet, encoding="utf-8")
    interpreter = node() if file.suffix == ".js" else sys.executable
    assert BALANCE in program.execute([interpreter, str(file)], {})
