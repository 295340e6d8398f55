"""From a request without a connection to an open one: addresses, TCP, TLS."""

import asyncio
import errno
import select
import socket
import ssl
import time
from collections.abc import Callable

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.connection import Connection, Origin
from fusillade.engine.drivers.tls import HTTP_1, Secure
from fusillade.metrics.requests import ERROR_CODES

_NOT_FOUND = ERROR_CODES.index("ENOTFOUND")
_CERTIFICATE = ERROR_CODES.index("ECERT")
_REFUSED = ERROR_CODES.index("ECONNREFUSED")
_NETWORK = ERROR_CODES.index("ENETWORK")
_BLOCKED = ERROR_CODES.index("EBLOCKED")

_ADDRESS_SECONDS = 60.0
_READ_BYTES = 64 << 10
_IN = select.EPOLLIN
_OUT = select.EPOLLOUT

now = time.perf_counter


class Connector:
    """Opens connections. To an ``https://`` origin one after the other until the server has
    chosen a protocol, and also when that is HTTP/2: one connection may then do for all."""

    def __init__(
        self,
        epoll: select.epoll,
        connections: dict[int, Connection],
        on_open: Callable[[Connection], None],
        on_fail: Callable[[Connection, int], None],
        on_ready: Callable[[], None],
        blocklist: Blocklist | None = None,
    ) -> None:
        self._blocklist = blocklist
        self._epoll = epoll
        self._connections = connections
        self._on_open = on_open
        self._on_fail = on_fail
        self._on_ready = on_ready
        self._loop = asyncio.get_running_loop()
        self._lookups: set[asyncio.Task[None]] = set()

    def open(self, connection: Connection) -> None:
        """Begin; ``on_open`` or ``on_fail`` follows, now or later."""
        origin = connection.origin
        if origin.protocol != HTTP_1:
            if origin.probing:
                origin.queued.append(connection)
                return
            origin.probing = True
        self._find(connection)

    def _find(self, connection: Connection) -> None:
        origin = connection.origin
        if origin.known_until >= connection.started and origin.addresses:
            connection.looked_up = now()
            connection.addresses = list(origin.addresses)
            self._connect(connection)
            return
        origin.waiting.append(connection)
        if not origin.resolving:
            origin.resolving = True
            task = self._loop.create_task(self._look_up(origin))
            self._lookups.add(task)
            task.add_done_callback(self._lookups.discard)

    async def _look_up(self, origin: Origin) -> None:
        try:
            found = await self._loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            origin.addresses = list(dict.fromkeys((entry[0], entry[4]) for entry in found))
            error = self._leave_out_blocked(origin)
        except (OSError, UnicodeError):
            origin.addresses = []
            error = _NOT_FOUND
        origin.known_until = now() + _ADDRESS_SECONDS
        origin.resolving = False
        waiting, origin.waiting = origin.waiting, []
        for connection in waiting:
            connection.looked_up = now()
            connection.addresses = list(origin.addresses)
            if connection.addresses:
                self._connect(connection)
            else:
                self._failed(connection, error)
        self._on_ready()

    def _leave_out_blocked(self, origin: Origin) -> int:
        """Returns the error for an origin that has no addresses left."""
        blocklist = self._blocklist
        if blocklist is None or not origin.addresses:
            return _NOT_FOUND
        origin.addresses = [
            one for one in origin.addresses if not blocklist.blocks_address(one[1][0])
        ]
        return _BLOCKED

    def _connect(self, connection: Connection) -> None:
        """Try the next address."""
        family, address = connection.addresses.pop(0)
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = sock
        connection.fd = sock.fileno()
        self._connections[connection.fd] = connection
        code = sock.connect_ex(address)
        if code in (0, errno.EINPROGRESS):
            self._epoll.register(connection.fd, _OUT)
        else:
            self._not_connected(connection, code)

    def go_on(self, connection: Connection) -> None:
        """Something happened on the socket of a connection that is not open yet."""
        if connection.secure is not None:
            self._shake(connection, first=False)
            return
        assert connection.sock is not None
        code = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._not_connected(connection, code)
            return
        connection.connected = now()
        self._epoll.modify(connection.fd, _IN)
        context = connection.origin.context
        if context is None:
            connection.secured = connection.connected
            connection.connecting = False
            self._on_open(connection)
            return
        connection.secure = Secure(context, connection.origin.host)
        self._shake(connection, first=True)

    def _not_connected(self, connection: Connection, code: int) -> None:
        self.close(connection)
        if connection.addresses:
            self._connect(connection)
            return
        refused = code in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
        self._failed(connection, _REFUSED if refused else _NETWORK)

    def _shake(self, connection: Connection, *, first: bool) -> None:
        secure, sock = connection.secure, connection.sock
        assert secure is not None
        assert sock is not None
        try:
            if not first:
                data = sock.recv(_READ_BYTES)
                if not data:
                    raise ConnectionResetError
                secure.give(data)
            try:
                done = secure.shake()
            finally:
                # An alert tells the server why, too. It is small: a new socket has room for it.
                flight = secure.take()
                if flight:
                    sock.send(flight)
        except BlockingIOError:
            return
        except (OSError, ssl.SSLError):
            self.close(connection)
            self._failed(connection, _CERTIFICATE)
            return
        if not done:
            return
        connection.secured = now()
        connection.connecting = False
        origin = connection.origin
        origin.protocol = secure.protocol
        self._on_open(connection)
        self._release(origin)

    def _failed(self, connection: Connection, error: int) -> None:
        self._on_fail(connection, error)
        self._release(connection.origin)

    def _release(self, origin: Origin) -> None:
        """Those that waited for the first connection need wait no longer."""
        origin.probing = False
        queued, origin.queued = origin.queued, []
        for waiting in queued:
            if origin.sessions:
                self._on_open(waiting)
            else:
                self._find(waiting)

    def abandon(self, connection: Connection) -> None:
        """Give up a connection that is not open yet."""
        origin = connection.origin
        leads = origin.probing and connection not in origin.queued
        self.close(connection)
        if leads:
            self._release(origin)

    def close(self, connection: Connection) -> None:
        """Close the socket, or forget that the connection waits for one."""
        origin = connection.origin
        if connection.fd >= 0:
            del self._connections[connection.fd]
            assert connection.sock is not None
            connection.sock.close()
            connection.fd = -1
        elif connection in origin.waiting:
            origin.waiting.remove(connection)
        elif connection in origin.queued:
            origin.queued.remove(connection)

    def stop(self) -> None:
        """Drop what is being looked up."""
        for task in self._lookups:
            task.cancel()
