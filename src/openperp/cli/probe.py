"""Does a venue answer at an address, and do these keys open it?"""

import hashlib
import hmac
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import SSLCertVerificationError
from urllib.parse import urlsplit

import msgspec

from openperp.cli.clients import Access

TIMEOUT_S = 2.0


class _Reply(msgspec.Struct):
    """The members of any reply that are of interest here."""

    serverTime: int | None = None  # noqa: N815  the name on the wire
    msg: str = ""


def find_problem(access: Access) -> str:
    """Why a client with this address and these keys would fail, as one sentence; or nothing.

    One public and one signed request, with the venue's own time, which a
    virtual clock may have anywhere.
    """
    parts = urlsplit(access.rest)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_S)
    try:
        _, reply = _ask(connection, "/fapi/v1/time")
        if reply.serverTime is None:
            return f"What answers at {access.rest} is not a venue."
        query = f"timestamp={reply.serverTime}"
        signature = hmac.new(access.api_secret.encode(), query.encode(), hashlib.sha256)
        target = f"/fapi/v2/balance?{query}&signature={signature.hexdigest()}"
        status, reply = _ask(connection, target, access.api_key)
    except SSLCertVerificationError as error:
        return (
            f"The certificate of {access.rest} is not trusted here ({error.verify_message}): "
            "name the venue's ca.pem in SSL_CERT_FILE. The client has to trust it, too."
        )
    except OSError as error:
        return f"Nothing answers at {access.rest}: {error.strerror or error}."
    except (HTTPException, msgspec.MsgspecError):
        return f"What answers at {access.rest} is not a venue."
    except ValueError:
        return "The API key holds characters that no header can carry."
    finally:
        connection.close()
    return f"The venue at {access.rest} refuses these keys: {reply.msg}" if status >= 400 else ""


def _ask(connection: HTTPConnection, target: str, api_key: str = "") -> tuple[int, _Reply]:
    connection.request("GET", target, headers={"X-MBX-APIKEY": api_key} if api_key else {})
    response = connection.getresponse()
    body = response.read()
    # The balance is a list; only a refusal is an object.
    reply = _Reply() if body[:1] == b"[" else msgspec.json.decode(body, type=_Reply)
    return response.status, reply
