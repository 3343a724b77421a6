import hashlib
import hmac
import stat
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.api.caller import public_pem

from openperp.engine.state import Key
from openperp.node.credentials import CREDENTIALS_FILE, note_address, open_access
from openperp.node.errors import StartupError
from openperp.node.keyring import MASTER_KEY_FILE, KeyRing, Sealer, open_master_key
from openperp.node.private_files import write_private


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(b"k" * 32)


def key_for(api_key: str, sealed: bytes) -> Key:
    return Key(api_key, 7, "hmac", sealed, ("read",), ("10.0.0.1", "::ffff:a00:2"))


def test_a_secret_is_sealed_for_its_own_key_only(sealer: Sealer) -> None:
    sealed = sealer.seal("alice", "secret")
    assert b"secret" not in sealed
    assert sealer.unseal("alice", sealed) == "secret"
    with pytest.raises(InvalidTag):
        sealer.unseal("bob", sealed)
    with pytest.raises(InvalidTag):
        Sealer(b"x" * 32).unseal("alice", sealed)


def test_minted_credentials(sealer: Sealer) -> None:
    first, second = sealer.mint(), sealer.mint()
    for text in (first.api_key, first.api_secret):
        assert len(text) == 64
        assert text.isascii()
        assert text.isalnum()
    assert len({first.api_key, first.api_secret, second.api_key, second.api_secret}) == 4
    assert sealer.unseal(first.api_key, first.sealed_secret) == first.api_secret


def test_a_key_verifies_signatures_of_its_secret(sealer: Sealer) -> None:
    ring = KeyRing({"alice": key_for("alice", sealer.seal("alice", "s"))}, sealer)
    key = ring.get(b"alice")
    assert key is not None
    assert key.account == 7
    assert key.permissions == frozenset({"read"})
    assert key.ips == frozenset({"10.0.0.1", "10.0.0.2"})
    signature = hmac.new(b"s", b"text", hashlib.sha256).hexdigest()
    assert key.verify(b"text", signature)
    assert not key.verify(b"texts", signature)
    assert ring.get(b"alice") is key


def test_a_public_key_is_sealed_in_the_place_of_a_secret(sealer: Sealer) -> None:
    private = Ed25519PrivateKey.generate()
    minted = sealer.mint(public_pem(private))
    record = Key(minted.api_key, 7, "ed25519", minted.sealed_secret, ("read",), ())
    ring = KeyRing({minted.api_key: record}, sealer)
    ring.check()
    key = ring.get(minted.api_key.encode())
    assert key is not None
    assert key.kind == "ed25519"
    assert key.verify(b"text", b64encode(private.sign(b"text")).decode())
    assert not key.verify(b"texts", b64encode(private.sign(b"text")).decode())


@pytest.mark.parametrize("name", [b"nobody", b"", b"\xff\xfe"])
def test_an_unknown_key_is_none(sealer: Sealer, name: bytes) -> None:
    assert KeyRing({}, sealer).get(name) is None


def test_a_key_added_later_is_found(sealer: Sealer) -> None:
    keys: dict[str, Key] = {}
    ring = KeyRing(keys, sealer)
    assert ring.get(b"late") is None
    keys["late"] = key_for("late", sealer.seal("late", "s"))
    assert ring.get(b"late") is not None


def test_keys_of_another_master_key_stop_the_start(sealer: Sealer) -> None:
    ring = KeyRing({"a": key_for("a", Sealer(b"x" * 32).seal("a", "s"))}, sealer)
    with pytest.raises(StartupError, match=r"master\.key does not open the API keys"):
        ring.check()


def test_the_master_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = open_master_key(tmp_path, may_create=True)
    assert len(first) == 32
    assert open_master_key(tmp_path, may_create=False) == first
    assert stat.S_IMODE((tmp_path / MASTER_KEY_FILE).stat().st_mode) == 0o600


def test_a_lost_master_key_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="is missing"):
        open_master_key(tmp_path, may_create=False)
    assert not (tmp_path / MASTER_KEY_FILE).exists()


def test_a_damaged_master_key_is_named(tmp_path: Path) -> None:
    (tmp_path / MASTER_KEY_FILE).write_bytes(b"short")
    with pytest.raises(StartupError, match="must hold 32 bytes"):
        open_master_key(tmp_path, may_create=True)


def test_credentials_are_made_once_and_private(tmp_path: Path) -> None:
    access = open_access(tmp_path)
    assert access.account.name == "demo"
    assert open_access(tmp_path) == access
    assert stat.S_IMODE((tmp_path / CREDENTIALS_FILE).stat().st_mode) == 0o600


def test_the_address_is_kept_beside_the_keys(tmp_path: Path) -> None:
    note_address(tmp_path, open_access(tmp_path), "http://127.0.0.1:1")
    path = tmp_path / CREDENTIALS_FILE
    access = open_access(tmp_path)
    assert access.rest == "http://127.0.0.1:1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.stat().st_ino
    note_address(tmp_path, access, "http://127.0.0.1:1")
    assert path.stat().st_ino == written
    note_address(tmp_path, access, "http://127.0.0.1:2")
    assert msgspec.structs.replace(open_access(tmp_path), rest=access.rest) == access


def test_damaged_credentials_are_named(tmp_path: Path) -> None:
    (tmp_path / CREDENTIALS_FILE).write_text("{}")
    with pytest.raises(StartupError, match=r"credentials\.json is damaged"):
        open_access(tmp_path)


def test_a_private_file_replaces_what_a_crash_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / "file.new").write_bytes(b"half")
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
