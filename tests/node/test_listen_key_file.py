"""Listen keys beside the journal: what is taken up at a start, and what is not."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from openperp.node.listen_key_file import LISTEN_KEYS_FILE
from openperp.testing import Account, Answer, Venue

KEY = "/fapi/v1/listenKey"


def open_key(venue: Venue) -> str:
    key: str = venue.demo.post(KEY)["listenKey"]
    return key


def keep(account: Account) -> Answer:
    return account.send("PUT", KEY)


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    with Venue(data=tmp_path) as venue:
        file = tmp_path / LISTEN_KEYS_FILE
        assert not file.exists()
        key = open_key(venue)
        assert key in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        venue.demo.delete(KEY)
        assert key not in file.read_text()


def test_the_digest_knows_nothing_of_it(tmp_path: Path) -> None:
    with Venue(data=tmp_path) as venue:
        before = venue.status()
        open_key(venue)
        after = venue.status()
    assert (after["seq"], after["digest"]) == (before["seq"], before["digest"])


def test_a_key_ends_on_time_although_the_venue_was_restarted(tmp_path: Path) -> None:
    with Venue(data=tmp_path) as venue:
        key = open_key(venue)
        venue.advance("59m")
    with Venue(data=tmp_path) as venue:
        assert key in (tmp_path / LISTEN_KEYS_FILE).read_text()
        venue.advance("1m")
        assert keep(venue.demo).json()["code"] == -1125
    with Venue(data=tmp_path) as venue:
        assert keep(venue.demo).json()["code"] == -1125
        assert open_key(venue) != key


def test_a_reset_leaves_them_as_they_are(tmp_path: Path) -> None:
    with Venue(data=tmp_path) as venue:
        key = open_key(venue)
        venue.reset()
        assert keep(venue.demo).json() == {"listenKey": key}
    with Venue(data=tmp_path) as venue:
        assert keep(venue.demo).json() == {"listenKey": key}


@pytest.mark.parametrize(
    "damage",
    [
        lambda _text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text + "x",
        lambda _text: "[]",
        lambda _text: "\0\xff",
        lambda text: text.replace('"account": 1', '"account": "1"'),
        lambda text: text.replace('"listen_key": "', '"listen_key": "/'),
        lambda text: json.dumps({**json.loads(text), "journal": "another"}),
        lambda text: json.dumps(
            {**json.loads(text), "listen_keys": 2 * json.loads(text)["listen_keys"]}
        ),
    ],
)
def test_what_is_damaged_or_foreign_is_ignored_aloud(
    tmp_path: Path, damage: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    with Venue(data=tmp_path) as venue:
        key = open_key(venue)
    file = tmp_path / LISTEN_KEYS_FILE
    text = file.read_text()
    assert damage(text) != text
    file.write_text(damage(text))
    with Venue(data=tmp_path) as venue:
        assert "listen-keys.json is ignored" in caplog.text
        assert keep(venue.demo).json()["code"] == -1125
        new = open_key(venue)
        assert new != key
    with Venue(data=tmp_path) as venue:
        assert keep(venue.demo).json() == {"listenKey": new}


def test_accounts_that_are_not_there_have_none(tmp_path: Path) -> None:
    with Venue(data=tmp_path) as venue:
        key = open_key(venue)
    file = tmp_path / LISTEN_KEYS_FILE
    content = json.loads(file.read_text())
    content["listen_keys"].insert(0, {**content["listen_keys"][0], "account": 4711})
    content["listen_keys"][0]["listen_key"] = "a" * 64
    file.write_text(json.dumps(content))
    with Venue(data=tmp_path) as venue:
        assert keep(venue.demo).json() == {"listenKey": key}
        venue.demo.delete(KEY)
        assert json.loads(file.read_text())["listen_keys"] == []


def test_a_file_that_cannot_be_written_costs_nothing_now(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / LISTEN_KEYS_FILE).mkdir()
    with Venue(data=tmp_path) as venue:
        key = open_key(venue)
        assert "listen-keys.json was not written" in caplog.text
        assert keep(venue.demo).json() == {"listenKey": key}
