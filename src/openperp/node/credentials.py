"""What the operator needs to get in: the demo account's key and the operator token."""

from pathlib import Path

import msgspec

from openperp.api.view import Credentials
from openperp.node.errors import StartupError
from openperp.node.keyring import Sealer, random_text
from openperp.node.private_files import write_private

CREDENTIALS_FILE = "credentials.json"
TOKEN_LENGTH = 48
DEMO_ACCOUNT = "demo"


class AccountAccess(msgspec.Struct, frozen=True):
    name: str
    api_key: str
    api_secret: str


class Access(msgspec.Struct, frozen=True):
    """The content of credentials.json; `rest` is where the venue answered last."""

    account: AccountAccess
    operator_token: str
    rest: str = ""

    def sealed(self, sealer: Sealer) -> Credentials:
        """The account's key as the journal takes it."""
        key, secret = self.account.api_key, self.account.api_secret
        return Credentials(key, secret, sealer.seal(key, secret))


def make_access() -> Access:
    account = AccountAccess(DEMO_ACCOUNT, random_text(64), random_text(64))
    return Access(account, random_text(TOKEN_LENGTH))


def open_access(directory: Path) -> Access:
    """The data directory's credentials, made on first use.

    Raises:
        StartupError: the file is not what was written.
    """
    path = directory / CREDENTIALS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Access)
    except FileNotFoundError:
        access = make_access()
        _write(path, access)
        return access
    except msgspec.MsgspecError:
        raise StartupError(
            f"{path} is damaged: delete it, and the next start writes a new one"
        ) from None


def note_address(directory: Path, access: Access, rest: str) -> None:
    """Keeps where the venue answers beside its keys, for those who look there."""
    if access.rest != rest:
        _write(directory / CREDENTIALS_FILE, msgspec.structs.replace(access, rest=rest))


def _write(path: Path, access: Access) -> None:
    write_private(path, msgspec.json.format(msgspec.json.encode(access)) + b"\n")
