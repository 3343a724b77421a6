"""API keys: made here, sealed for the journal, opened for those who authenticate.

A secret is encrypted with AES-256-GCM under the master key, which lies beside
the journal and never in it. The API key is the associated data, so that a
sealed secret opens for its own key only. Where signatures are made with a
private key, its public half stands in the secret's place.
"""

import secrets
import string
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openperp.api.addresses import plain_address
from openperp.api.security import make_verifier
from openperp.api.view import ApiKey, Credentials
from openperp.engine.state import Key
from openperp.node.errors import StartupError
from openperp.node.private_files import write_private

MASTER_KEY_FILE = "master.key"
MASTER_KEY_SIZE = 32
NONCE_SIZE = 12
KEY_LENGTH = 64
_ALPHABET = string.ascii_letters + string.digits


class Sealer:
    """Encrypts secrets under one master key of 32 bytes."""

    def __init__(self, master_key: bytes) -> None:
        self._cipher = AESGCM(master_key)

    def seal(self, api_key: str, secret: str) -> bytes:
        """A random nonce followed by the ciphertext and its tag."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), api_key.encode())

    def unseal(self, api_key: str, sealed: bytes) -> str:
        """The secret.

        Raises:
            InvalidTag: it was sealed under another master key or for another API key.
        """
        nonce, ciphertext = sealed[:NONCE_SIZE], sealed[NONCE_SIZE:]
        return self._cipher.decrypt(nonce, ciphertext, api_key.encode()).decode()

    def mint(self, secret: str = "") -> Credentials:
        """A fresh key, and a fresh secret where none is given."""
        api_key, secret = random_text(KEY_LENGTH), secret or random_text(KEY_LENGTH)
        return Credentials(api_key, secret, self.seal(api_key, secret))


class KeyRing:
    """The keys that may sign, by the bytes of the API key.

    `keys` is the engine's own table, which stays the truth; a secret is
    unsealed when its key is first used.
    """

    def __init__(self, keys: Mapping[str, Key], sealer: Sealer) -> None:
        self._keys = keys
        self._sealer = sealer
        self._open: dict[bytes, ApiKey] = {}

    def get(self, api_key: bytes) -> ApiKey | None:
        known = self._open.get(api_key)
        if known is not None:
            return known
        key = self._keys.get(api_key.decode("ascii", "replace"))
        if key is None:
            return None
        opened = self._open[api_key] = self._unseal(key)
        return opened

    def check(self) -> None:
        """Opens every key.

        Raises:
            StartupError: the master key does not fit them.
        """
        for key in self._keys.values():
            try:
                self.get(key.api_key.encode())
            except InvalidTag:
                raise StartupError(
                    f"{MASTER_KEY_FILE} does not open the API keys of this data directory: "
                    "put back the file that belongs to it"
                ) from None

    def _unseal(self, key: Key) -> ApiKey:
        secret = self._sealer.unseal(key.api_key, key.sealed_secret)
        return ApiKey(
            account=key.account,
            verify=make_verifier(key.kind, secret),
            permissions=frozenset(key.permissions),
            ips=frozenset(map(plain_address, key.ips)),
            kind=key.kind,
        )


def random_text(length: int) -> str:
    """Unguessable text of letters and digits."""
    return "".join([secrets.choice(_ALPHABET) for _ in range(length)])


def open_master_key(directory: Path, *, may_create: bool) -> bytes:
    """The master key of a data directory, made on first use.

    Raises:
        StartupError: it is missing though keys were sealed under it, or is no key.
    """
    path = directory / MASTER_KEY_FILE
    try:
        master_key = path.read_bytes()
    except FileNotFoundError:
        if not may_create:
            raise StartupError(
                f"{path} is missing: without it the API keys of this data directory cannot be read"
            ) from None
        master_key = secrets.token_bytes(MASTER_KEY_SIZE)
        write_private(path, master_key)
    if len(master_key) != MASTER_KEY_SIZE:
        raise StartupError(f"{path} is damaged: it must hold {MASTER_KEY_SIZE} bytes")
    return master_key
