"""Why a connection could not be opened, in the words of SCRIPT_API."""

import errno

import aiohttp
import msgspec

CONNECT_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What ``Wire.open`` raises when it is the network, the server or the address that fails."""


class Blocked(OSError):
    """The name or the address is on the platform's blocklist."""

    def __init__(self) -> None:
        # The same words each time: aiohappyeyeballs then raises one for all of a host's addresses.
        super().__init__(errno.EACCES, "the target is blocked")


class Refused(Exception):
    """The server has answered, but not with what the protocol asks for."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status


class Failure(msgspec.Struct):
    """``error`` and ``errorCode`` as of an HTTP response, and the status if there was one."""

    error: str
    error_code: str = msgspec.field(name="errorCode")
    status: int = 0


def failure_of(error: BaseException) -> Failure:
    """Name an exception of ``Wire.open``."""
    match error:
        case Refused(status=status):
            return Failure("HANDSHAKE", "EPROTO", status)
        case (
            aiohttp.WSServerHandshakeError(status=status) | aiohttp.TooManyRedirects(status=status)
        ):
            return Failure("HANDSHAKE", "EPROTO", status)
        case aiohttp.ClientResponseError():
            return Failure("HANDSHAKE", "EPROTO")  # what came was not HTTP
        case TimeoutError():
            return Failure("TIMEOUT", "ETIMEDOUT")
        case aiohttp.ClientConnectorError(os_error=Blocked()):
            return Failure("BLOCKED", "EBLOCKED")
        case aiohttp.ClientConnectorDNSError():
            return Failure("DNS", "ENOTFOUND")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return Failure("TLS", "ECERT")
        case aiohttp.ServerDisconnectedError() | ConnectionResetError() | BrokenPipeError():
            return Failure("RESET", "ECONNRESET")
        case OSError(errno=errno.ECONNREFUSED):
            return Failure("CONNECT", "ECONNREFUSED")
        case OSError(errno=errno.ETIMEDOUT):
            return Failure("TIMEOUT", "ETIMEDOUT")
        case OSError(errno=errno.ECONNRESET | errno.EPIPE):
            return Failure("RESET", "ECONNRESET")
    return Failure("NETWORK", "ENETWORK")
