"""The driver for everything: libcurl through pycurl.

One multi handle serves all workers, so they share its connections: the number of connections to
a target is the largest number of requests that were under way at once. The multi handle is moved
by ``perform()`` rather than by ``socket_action``, which measured slower; every socket it opens is
put into an edge-triggered epoll of our own,
whose descriptor wakes the event loop when nothing is left to do.
"""

import asyncio
import select
import socket
import ssl
from collections import deque
from io import BytesIO
from typing import Any

import pycurl

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.base import OnReady, SubmitRows, Template, closing
from fusillade.engine.drivers.chunks import MalformedChunks, join_chunks
from fusillade.engine.drivers.content_coding import Undecodable, decode_content, is_encoded
from fusillade.engine.drivers.tls import make_context
from fusillade.engine.exchange import Exchange

# Positions in fusillade.metrics.requests.ERROR_CODES.
_BLOCKED = 9
_TIMED_OUT, _NOT_FOUND, _CERTIFICATE, _REFUSED, _RESET, _PIPE, _NETWORK = range(1, 8)
_ERRORS = {
    pycurl.E_OPERATION_TIMEDOUT: _TIMED_OUT,
    pycurl.E_COULDNT_RESOLVE_HOST: _NOT_FOUND,
    pycurl.E_COULDNT_RESOLVE_PROXY: _NOT_FOUND,
    pycurl.E_SSL_CONNECT_ERROR: _CERTIFICATE,
    pycurl.E_PEER_FAILED_VERIFICATION: _CERTIFICATE,
    pycurl.E_SSL_CERTPROBLEM: _CERTIFICATE,
    pycurl.E_SSL_CIPHER: _CERTIFICATE,
    pycurl.E_SSL_ISSUER_ERROR: _CERTIFICATE,
    pycurl.E_COULDNT_CONNECT: _REFUSED,
    pycurl.E_GOT_NOTHING: _RESET,
    pycurl.E_RECV_ERROR: _RESET,
    pycurl.E_PARTIAL_FILE: _RESET,
    pycurl.E_SEND_ERROR: _PIPE,
}
_STALE = frozenset((pycurl.E_GOT_NOTHING, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_HTTP2))
_PROTOCOLS = {
    pycurl.CURL_HTTP_VERSION_1_0: 10,
    pycurl.CURL_HTTP_VERSION_1_1: 11,
    pycurl.CURL_HTTP_VERSION_2_0: 20,
    pycurl.CURL_HTTP_VERSION_3: 30,
}
_CHANGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
_UNREAD = select.EPOLLIN | select.EPOLLRDHUP
# libcurl reads and writes a limited amount at a time, and no edge tells of the rest. While a body
# of more than this is sent, and while a closed connection has something left to read, there is a
# turn each millisecond.
_LARGE_BODY_BYTES = 32 << 10
_POLL_SECONDS = 0.001
_METHODS_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_MOST_IDLE_HANDLES = 4096
_IDLE_POLL_SECONDS = 0.02


class _Handle:
    """One easy handle with its buffer; kept and used again for the same template."""

    __slots__ = (
        "blocked",
        "buffer",
        "curl",
        "has_cookies",
        "head",
        "info",
        "retried",
        "series",
        "set",
        "slot",
        "template",
        "timeout_ms",
        "uploads",
    )

    def __init__(self, open_socket: Any, verify: bool) -> None:
        self.head = BytesIO()
        self.buffer = BytesIO()
        self.template: Template | None = None
        self.slot = -1
        self.series = -1
        self.uploads = False
        self.retried = False
        self.blocked = False
        """Whether an address that it wanted to connect to is on the blocklist."""
        self.timeout_ms = -1.0
        self.curl = pycurl.Curl()
        # Bound once: pycurl looks attributes up slowly.
        self.info = self.curl.getinfo
        self.set = self.curl.setopt
        self.defaults(open_socket, verify)

    def defaults(self, open_socket: Any, verify: bool) -> None:
        self.timeout_ms = -1.0
        self.has_cookies = False
        self.set(pycurl.WRITEFUNCTION, self.buffer.write)
        self.set(pycurl.HEADERFUNCTION, self.head.write)
        self.set(pycurl.OPENSOCKETFUNCTION, lambda _purpose, address: open_socket(self, address))
        self.set(pycurl.NOSIGNAL, 1)
        self.set(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        self.set(pycurl.TCP_NODELAY, 1)
        # An answer must not depend on the machine's proxies.
        self.set(pycurl.PROXY, "")
        self.set(pycurl.HTTP09_ALLOWED, 0)
        # Of a body in chunks libcurl would count the content alone; it finds the end all the same.
        self.set(pycurl.HTTP_TRANSFER_DECODING, 0)
        if not verify:
            self.set(pycurl.SSL_VERIFYPEER, 0)
            self.set(pycurl.SSL_VERIFYHOST, 0)


class CurlDriver:
    """A :class:`fusillade.engine.drivers.base.Driver` on one ``CurlMulti``."""

    submit_rows: SubmitRows | None = None

    def __init__(
        self,
        on_ready: OnReady,
        *,
        user_agent: str,
        verify: bool = True,
        authorities: str = "",
        reuse: bool = True,
        blocklist: Blocklist | None = None,
        most_connections: int = 65536,
    ) -> None:
        self._on_ready = on_ready
        self._user_agent = user_agent
        self._verify = verify
        self._loop = asyncio.get_running_loop()
        self._authorities = _all_authorities(authorities) if authorities else None
        self._reuse = reuse
        self._blocklist = blocklist
        self._most_connections = most_connections
        self._multi = self._make_multi()
        self._epoll = select.epoll()
        # The same sockets, level-triggered: asked before we go to sleep.
        self._levels = select.epoll()
        self._uploads = 0
        self._loop.add_reader(self._epoll.fileno(), self._woken)
        self._timer: asyncio.TimerHandle | None = None
        self._idle: dict[int, list[_Handle]] = {}
        self._idle_count = 0
        self._under_way: dict[int, _Handle] = {}
        self._handles: dict[pycurl.Curl, _Handle] = {}
        self._finished: deque[tuple[_Handle, int]] = deque()

    def _make_multi(self) -> Any:
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_MAXCONNECTS, self._most_connections)
        return multi

    # ---- requests --------------------------------------------------------------------------

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        handle = self._handle_for(template)
        handle.slot = slot
        handle.series = series
        if body is None and template.method in _METHODS_WITH_BODY:
            body = b""
        if body is not None:
            handle.uploads = len(body) > _LARGE_BODY_BYTES
            self._uploads += handle.uploads
            handle.set(pycurl.POSTFIELDS, body)
            handle.set(pycurl.CUSTOMREQUEST, template.method)
            if template.method not in _METHODS_WITH_BODY:
                handle.template = None  # it would go on sending a body: not to be used again
        if cookies is not None or handle.has_cookies:
            handle.has_cookies = cookies is not None
            if cookies is None:
                handle.curl.unsetopt(pycurl.COOKIE)
            else:
                handle.set(pycurl.COOKIE, cookies)
        if timeout_ms != handle.timeout_ms:
            handle.timeout_ms = timeout_ms
            handle.set(pycurl.TIMEOUT_MS, max(1, int(timeout_ms)))
        self._under_way[slot] = handle
        self._multi.add_handle(handle.curl)

    def cancel(self, slot: int) -> None:
        handle = self._under_way.pop(slot, None)
        if handle is None:
            self._finished = deque(entry for entry in self._finished if entry[0].slot != slot)
            return
        self._remove(handle)
        self._discard(handle)

    def _remove(self, handle: _Handle) -> None:
        self._multi.remove_handle(handle.curl)
        self._uploads -= handle.uploads
        handle.uploads = False

    def _discard(self, handle: _Handle) -> None:
        del self._handles[handle.curl]
        handle.curl.close()

    def _handle_for(self, template: Template) -> _Handle:
        idle = self._idle.get(template.number)
        if idle:
            self._idle_count -= 1
            handle = idle.pop()
            if not idle:
                del self._idle[template.number]
            return handle
        if self._idle_count >= 64 and len(self._idle) > 16:
            # Many templates, used in turn: take over the one idle for the longest time.
            number = next(iter(self._idle))
            handles = self._idle[number]
            handle = handles.pop()
            if not handles:
                del self._idle[number]
            self._idle_count -= 1
            handle.curl.reset()
            handle.defaults(self._open_socket, self._verify)
        else:
            handle = _Handle(self._open_socket, self._verify)
            self._handles[handle.curl] = handle
        self._configure(handle, template)
        return handle

    def _configure(self, handle: _Handle, template: Template) -> None:
        handle.template = template
        if not self._reuse:
            template = closing(template)
            handle.set(pycurl.FRESH_CONNECT, 1)
            handle.set(pycurl.FORBID_REUSE, 1)
        if self._authorities is not None:
            handle.set(pycurl.CAINFO_BLOB, self._authorities)
        handle.set(pycurl.URL, template.url)
        names = {name.lower() for name, _ in template.headers}
        headers = [
            f"{name}: {value}" if value else f"{name};"
            for name, value in template.headers
            # The length and form of the body are the driver's affair.
            if name.lower() not in ("content-length", "transfer-encoding")
        ]
        if template.method == "HEAD":
            handle.set(pycurl.NOBODY, 1)
        elif template.method == "GET":
            handle.set(pycurl.HTTPGET, 1)
        else:
            handle.set(pycurl.CUSTOMREQUEST, template.method)
        # libcurl would announce a body and a form by itself.
        headers.append("Expect:")
        if "content-type" not in names:
            headers.append("Content-Type:")
        if "user-agent" not in names:
            handle.set(pycurl.USERAGENT, self._user_agent.encode())
        handle.set(pycurl.HTTPHEADER, [header.encode() for header in headers])

    # ---- progress --------------------------------------------------------------------------

    def advance(self, exchange: Exchange) -> bool:
        if self._finished:
            if not self._deliver(exchange):
                return True
        elif not self._under_way:
            return False
        self._multi.perform()
        again = False
        while True:
            queued, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._finished.append((self._handles[curl], 0))
            for curl, code, _message in failed:
                handle = self._handles[curl]
                if _is_stale(handle, code):
                    self._send_again(handle)
                    again = True
                else:
                    self._finished.append((handle, code))
            if not queued:
                break
        if self._finished:
            self._deliver(exchange)
            return True
        if again:
            return True
        self._arm()
        return False

    def _send_again(self, handle: _Handle) -> None:
        """On a new connection: libcurl does that by itself for some ways of being stale only."""
        self._multi.remove_handle(handle.curl)
        handle.retried = True
        handle.template = None  # it would open a connection each time: not to be used again
        handle.set(pycurl.FRESH_CONNECT, 1)
        self._multi.add_handle(handle.curl)

    def _deliver(self, exchange: Exchange) -> bool:
        finished = self._finished
        while finished:
            handle, code = finished[0]
            if not self._put(exchange, handle, code):
                return False
            finished.popleft()
            self._release(handle)
        return True

    def _put(self, exchange: Exchange, handle: _Handle, code: int) -> bool:
        info = handle.info
        status = info(pycurl.RESPONSE_CODE)
        error = 0
        if code:
            error = _ERRORS.get(code, _NETWORK)
            status = 0
            if error == _REFUSED and handle.blocked:
                error = _BLOCKED
        head = _without_trailers(handle.head.getvalue())
        if not error and not head.endswith(b"\r\n\r\n"):
            # libcurl takes a head that ends with the connection for a whole one.
            status, error = 0, _RESET
        lower_head = head.lower()
        body = handle.buffer.getvalue()
        if body and b"\r\ntransfer-encoding:" in lower_head:
            try:
                body = join_chunks(body)
            except MalformedChunks:
                status, error = 0, _NETWORK
        content = head + body
        if not error and is_encoded(lower_head):
            try:
                content = decode_content(content, len(head))
            except Undecodable:
                status, error = 0, _NETWORK
        name_looked_up = info(pycurl.NAMELOOKUP_TIME_T)
        connected = info(pycurl.CONNECT_TIME_T) or name_looked_up
        secured = info(pycurl.APPCONNECT_TIME_T) or connected
        began = info(pycurl.PRETRANSFER_TIME_T)
        sent = info(pycurl.POSTTRANSFER_TIME_T)
        first_byte = info(pycurl.STARTTRANSFER_TIME_T)
        total = info(pycurl.TOTAL_TIME_T)
        reused = info(pycurl.NUM_CONNECTS) == 0
        # A phase that was not reached has time 0 in libcurl: it ends where the one before it did.
        began = began if began >= secured else secured
        sent = sent if sent >= began else began
        first_byte = first_byte if first_byte >= sent else sent
        total = total if total >= first_byte else first_byte
        if error:
            # What was never reached lasted no time; the rest of the time was spent waiting.
            first_byte = total
        return exchange.complete(
            (
                handle.slot,
                _PROTOCOLS.get(info(pycurl.INFO_HTTP_VERSION), 0),
                handle.series,
                status,
                error,
                (total - began) / 1000,
                (began - secured if reused else name_looked_up) / 1000,
                (connected - name_looked_up) / 1000,
                (secured - connected) / 1000,
                (sent - began) / 1000,
                (first_byte - sent) / 1000,
                (total - first_byte) / 1000,
                info(pycurl.REQUEST_SIZE),  # with its body
                info(pycurl.HEADER_SIZE) + info(pycurl.SIZE_DOWNLOAD_T),
                1.0 if reused else 0.0,
            ),
            content,
            len(head),
            b"\r\nset-cookie:" in lower_head,
        )

    def _release(self, handle: _Handle) -> None:
        self._remove(handle)
        if self._under_way.get(handle.slot) is handle:
            del self._under_way[handle.slot]
        handle.blocked = False
        handle.head.seek(0)
        handle.head.truncate()
        handle.buffer.seek(0)
        handle.buffer.truncate()
        template = handle.template
        if template is None or self._idle_count >= _MOST_IDLE_HANDLES:
            self._discard(handle)
            return
        self._idle.setdefault(template.number, []).append(handle)
        self._idle_count += 1

    # ---- waiting ---------------------------------------------------------------------------

    def _open_socket(self, handle: _Handle, address: Any) -> socket.socket | int:
        if self._blocklist is not None and self._blocklist.blocks_address(address.addr[0]):
            handle.blocked = True
            return pycurl.SOCKET_BAD
        opened = socket.socket(address.family, address.socktype, address.protocol)
        # pycurl duplicates the descriptor; the registrations live on with the duplicate.
        self._epoll.register(opened.fileno(), _CHANGES)
        self._levels.register(opened.fileno(), _UNREAD)
        return opened

    def _arm(self) -> None:
        """Sockets wake us through the epoll; libcurl's own timers through this timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._under_way:
            return
        milliseconds = self._multi.timeout()
        seconds = _IDLE_POLL_SECONDS if milliseconds < 0 else milliseconds / 1000
        for _, events in self._levels.poll(0):
            if not events & select.EPOLLRDHUP:
                self._on_ready()
                return
            seconds = min(seconds, _POLL_SECONDS)
        if self._uploads:
            seconds = min(seconds, _POLL_SECONDS)
        self._timer = self._loop.call_later(seconds, self._on_ready)

    def _woken(self) -> None:
        self._epoll.poll(0, 4096)
        self._on_ready()

    def drop_idle(self) -> None:
        # libcurl closes connections only together with what keeps them.
        if not self._under_way:
            self._multi.close()
            self._multi = self._make_multi()

    def forget_templates(self) -> None:
        """The runtime has started new numbers: idle handles of old ones are of no use."""
        for handles in self._idle.values():
            for handle in handles:
                self._discard(handle)
        self._idle.clear()
        self._idle_count = 0

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._epoll.fileno())
        for handle in self._under_way.values():
            self._multi.remove_handle(handle.curl)
            self._discard(handle)
        self._under_way.clear()
        self._finished.clear()
        self.forget_templates()
        self._multi.close()
        self._epoll.close()
        self._levels.close()


def _is_stale(handle: _Handle, code: int) -> bool:
    """Whether the server closed an idle connection while the request was on its way."""
    return (
        code in _STALE
        and not handle.retried
        and handle.info(pycurl.NUM_CONNECTS) == 0
        and not handle.head.tell()
    )


def _all_authorities(more: str) -> bytes:
    """PEM of the authorities that the other driver trusts: libcurl would trust ``more`` alone."""
    trusted = make_context(verify=True, authorities=more).get_ca_certs(binary_form=True)
    return "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in trusted).encode()


def _without_trailers(head: bytes) -> bytes:
    """Interim heads and the final one, without the trailers that libcurl reports behind them."""
    end = 0
    while True:
        begin = end
        end = head.find(b"\r\n\r\n", begin) + 4
        if end < 4:
            return head
        status = head[begin:end].partition(b" ")[2][:3]
        if not status.startswith(b"1") or status == b"101":
            return head[:end]
