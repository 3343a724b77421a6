"""The two programs that the product was asked for with: only address, keys and ids filled in."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openperp.testing import Account, Venue

HERE = Path(__file__).parent
MISSING = [tool for tool in ("bash", "curl", "openssl") if shutil.which(tool) is None]

pytestmark = pytest.mark.venue(clock="real")


def run(command: list[str], venue: Venue, account: Account, ids: str) -> Any:
    environment = {
        **os.environ,
        "API_KEY": account.api_key,
        "API_SECRET": account.api_secret,
        "BASE_URL": venue.rest,
        "ORDER_IDS": ids,
    }
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_python_program(venue: Venue, resting: tuple[Account, list[int]]) -> None:
    alice, ids = resting
    command = [sys.executable, str(HERE / "seed_batch_cancel.py")]
    entries = run(command, venue, alice, json.dumps([str(order_id) for order_id in ids]))
    assert [entry["orderId"] for entry in entries] == ids
    assert [entry["status"] for entry in entries] == ["CANCELED"] * 3
    placeholders = ["order_id_1", "order_id_2", "order_id_3"]
    entries = run(command, venue, alice, json.dumps(placeholders))
    assert entries == [{"code": -2011, "msg": "Unknown order sent."}] * 3


@pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)}")
def test_the_curl_program(venue: Venue, resting: tuple[Account, list[int]]) -> None:
    alice, ids = resting
    command = ["bash", str(HERE / "seed_batch_cancel.sh")]
    entries = run(command, venue, alice, ",".join(map(str, ids)))
    assert [entry["orderId"] for entry in entries] == ids
    assert [entry["status"] for entry in entries] == ["CANCELED"] * 3


@pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)}")
def test_the_snippet_of_doctor_curl(venue: Venue) -> None:
    from openperp.cli.clients import CLIENTS, Access

    snippet = CLIENTS["curl"].snippet(Access(venue.rest, venue.demo.api_key, venue.demo.api_secret))
    entries = run(["bash", "-c", snippet], venue, venue.demo, "")
    assert [entry["status"] for entry in entries] == ["CANCELED"]
