"""`openperp verify`: sound, damaged, and not a journal at all."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

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
    result = openperp("verify", data)
    assert result.returncode == 1
    assert json.loads(result.stdout)["seq"] == 5
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
