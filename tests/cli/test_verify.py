"""`openperp verify`: sound, damaged, and not a journal at all."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openperp.testing import Venue

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(venue: Venue, tmp_path: Path) -> Path:
    """The journal of a venue with some orders in it, without a snapshot."""
    alice = venue.account("alice")
    for price in ("50000", "50001"):
        fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        alice.post("/fapi/v1/order", **fields, price=price, quantity="0.01")
    venue.save_journal(tmp_path / "data")
    return tmp_path / "data"


def test_a_sound_journal(venue: Venue, openperp: Run, data: Path) -> None:
    status = venue.status()
    result = openperp("verify", data)
    assert result.returncode == 0, result.stderr
    expected = {"seq": status["seq"], "digest": status["digest"], "invariants": "ok"}
    assert json.loads(result.stdout) == expected
    assert openperp("verify", data, "--json").stdout == result.stdout


def test_the_last_records_as_a_person_reads_them(venue: Venue, openperp: Run, data: Path) -> None:
    result = openperp("verify", data, "--show", "3")
    *lines, outcome = result.stdout.splitlines()
    assert json.loads(outcome)["seq"] == venue.status()["seq"] == 11
    assert [line.split()[0] for line in lines] == ["9", "10", "11"]
    assert "Batch" not in lines[0]
    assert "CreateAccount name=alice deposit=10000.00000000 api_key=" in lines[0]
    assert lines[1].split()[1] == "2026-01-01T00:00:00.000Z"
    assert "PlaceOrder account=2 symbol=BTCUSDT side=BUY type=LIMIT" in lines[1]
    assert "quantity=0.01 price=50000" in lines[1]
    reply = openperp("verify", data, "--json", "--show", "3").stdout
    assert json.loads(reply) == {**json.loads(outcome), "records": lines}
    every = openperp("verify", data, "--show").stdout
    assert "DefineAsset spec=USDC" in every
    assert len(every.splitlines()) == 12


def test_a_refused_command_is_shown_as_such(venue: Venue, openperp: Run, tmp_path: Path) -> None:
    poor = venue.account("poor", deposit="1")
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    assert poor.send("POST", "/fapi/v1/order", **fields, price="50000", quantity="1").status == 400
    venue.save_journal(tmp_path / "data")
    line = openperp("verify", tmp_path / "data", "--show", "1").stdout.splitlines()[0]
    assert line.endswith("(refused: margin insufficient)")


def test_records_that_a_snapshot_replaced_cannot_be_shown(
    start: Callable[..., Any], openperp: Run, tmp_path: Path
) -> None:
    start("--data", str(tmp_path), "--market", "quiet").stop()
    result = openperp("verify", tmp_path, "--show")
    assert result.returncode == 0
    assert list(json.loads(result.stdout)) == ["seq", "digest", "invariants"]
    assert "took their place" in result.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET payload = X'00' WHERE seq = 5",
        "UPDATE records SET link = zeroblob(16) WHERE seq = 5",
        "DELETE FROM records WHERE seq = 5",
    ],
)
def test_a_damaged_journal_is_named_by_its_record(
    openperp: Run, data: Path, statement: str
) -> None:
    with closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()
    result = openperp("verify", data, "--show")
    assert result.returncode == 1
    *lines, outcome = result.stdout.splitlines()
    assert json.loads(outcome)["seq"] == 5
    assert lines[-1].split()[0] == "4"
    assert "5" in result.stderr
    assert "Traceback" not in result.stderr


def test_damage_that_belongs_to_no_record(openperp: Run, data: Path) -> None:
    (data / "journal.sqlite").write_bytes(b"hello" * 1000)
    result = openperp("verify", data)
    assert result.returncode == 1
    assert json.loads(result.stdout)["seq"] == 0
    assert "Traceback" not in result.stderr


def test_what_is_no_journal(openperp: Run, tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing", tmp_path / "missing" / "deeper"):
        result = openperp("verify", directory)
        assert result.returncode == 2, result
        assert result.stdout == ""
        assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "missing").exists()
