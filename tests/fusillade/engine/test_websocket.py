"""WebSockets in scripts, against real servers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web
from scripts import evaluate, run
from secure_target import authority_pem, server_context
from sockets import serving


class Server:
    """Speaks WebSocket, and remembers."""

    def __init__(self) -> None:
        self.opened: list[dict[str, str]] = []
        self.received: list[str] = []
        self.closed = 0
        self.all_closed = asyncio.Condition()

    async def echo(self, request: web.Request) -> web.WebSocketResponse:
        """Sends back what comes; closes on ``bye``, breaks off on ``break``."""
        found = web.WebSocketResponse(protocols=("chat",), max_msg_size=0)
        await found.prepare(request)
        self.opened.append({name.lower(): value for name, value in request.headers.items()})
        try:
            async for message in found:
                if message.type is WSMsgType.BINARY:
                    await found.send_bytes(message.data)
                    continue
                self.received.append(message.data)
                if message.data == "bye":
                    await found.close(code=4321)
                elif message.data == "break":
                    assert request.transport is not None
                    request.transport.abort()
                else:
                    await found.send_str(message.data)
        finally:
            self.closed += 1
            async with self.all_closed:
                self.all_closed.notify_all()
        return found

    async def until_closed(self, count: int) -> None:
        """Wait until so many connections have ended."""
        async with asyncio.timeout(20), self.all_closed:
            await self.all_closed.wait_for(lambda: self.closed >= count)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def base(server: Server) -> AsyncIterator[str]:
    """``const base``, and an echo below it at ``/echo``."""
    async with serving(echo=server.echo) as address:
        yield f"const base = 'ws://{address}';"


async def test_text_and_binary_messages_go_both_ways(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      const seen = [socket.isConnected(), socket.status, socket.error, socket.url === base + '/echo'];
      seen.push(socket.send('żółć 😀 \\ud800'), socket.recv(), socket.send(''), socket.recv());
      seen.push(socket.sendBinary('AAEC_-8='), socket.recv());
      seen.push(socket.sendBinary(new Uint8Array([1, 2, 255])), socket.recv());
      socket.close();
      return [...seen, socket.isConnected(), socket.recv(), socket.send('late')];"""
    assert await evaluate(body, head=base) == [
        *(True, 101, None, True),
        *(True, "żółć 😀 \ufffd", True, ""),
        *(True, {"type": "binary", "data": "AAEC/+8="}),
        *(True, {"type": "binary", "data": "AQL/"}),
        *(False, None, False),
    ]


async def test_large_messages_go_both_ways(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      const text = 'é'.repeat(2500000);
      return [socket.send(text), socket.recv() === text];"""
    assert await evaluate(body, head=base) == [True, True]


async def test_a_message_without_bounds_ends_the_connection(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      const sent = socket.send('x'.repeat(17 << 20));
      return [sent, socket.recv(), socket.isConnected(), socket.closeCode];"""
    assert await evaluate(body, head=base) == [True, None, False, 1009]


async def test_headers_cookies_protocols_and_the_user_agent_are_sent(
    base: str, server: Server
) -> None:
    script = f"""{base} export const options = {{ userAgent: 'shot/1' }};
      export default function () {{
        http.cookieJar().set(base.replace('ws', 'http'), 'session', 'abc');
        const socket = ws.connect(base + '/echo', {{ headers: {{ 'X-A': 'b' }}, protocols: ['other', 'chat'] }});
        check(socket, {{ chosen: (s) => s.protocol === 'chat' }});
      }}"""
    done = await run(script, workers=1, iterations=1)
    (headers,) = server.opened
    assert done.summary.checks[0].passes == 1
    assert (headers["x-a"], headers["cookie"]) == ("b", "session=abc")
    assert headers["sec-websocket-protocol"] == "other,chat"
    assert headers["user-agent"] == "shot/1"


async def test_a_failed_connect_is_a_connection_that_is_not_connected(base: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
        writer.close()

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        quiet = await asyncio.start_server(silent, "127.0.0.1", 0)
        wrong = await asyncio.start_server(garbage, "127.0.0.1", 0)
        refused, still, bad = (
            f"ws://127.0.0.1:{listener.getsockname()[1]}/"
            for listener in (closed, quiet.sockets[0], wrong.sockets[0])
        )
        body = f"""const show = (s) => [s.isConnected(), s.error, s.errorCode, s.status, s.recv(), s.send('a')];
          return [ws.connect('{refused}'), ws.connect(base + '/nothing'), ws.connect('{bad}'),
            ws.connect('{still}', {{ timeout: '50ms' }}), ws.connect('ws://no-such-host.invalid/')].map(show);"""
        found = await evaluate(body, head=base)
        for listener in (quiet, wrong):
            listener.close()
            await listener.wait_closed()
    assert found == [
        [False, "CONNECT", "ECONNREFUSED", 0, None, False],
        [False, "HANDSHAKE", "EPROTO", 404, None, False],
        [False, "HANDSHAKE", "EPROTO", 101, None, False],
        [False, "TIMEOUT", "ETIMEDOUT", 0, None, False],
        [False, "DNS", "ENOTFOUND", 0, None, False],
    ]


async def test_what_is_no_url_or_no_message_is_said(base: str) -> None:
    body = """const tried = (fn) => { try { return fn(); } catch (error) { return error.message; } };
      const socket = ws.connect(base + '/echo');
      return [tried(() => ws.connect('http://127.0.0.1/')), tried(() => ws.connect('ws://:/')),
        tried(() => ws.connect(base, { protocols: ['a b'] })), tried(() => ws.connect(base, { maxRetries: 'x' })),
        tried(() => socket.sendBinary('?')), tried(() => socket.recv('soon')), socket.send('a'), socket.recv()];"""
    found = await evaluate(body, head=base)
    words = ["ws:// or wss://", "not a valid URL", "name of a protocol", "maxRetries", "base64"]
    for part, message in zip(words, found, strict=False):
        assert part in message
    assert "milliseconds" in found[5]
    assert found[6:] == [True, "a"]


async def test_connecting_in_the_init_code_is_refused(base: str) -> None:
    with pytest.raises(Exception, match=r"ws\.connect\(\) cannot be called in the init code"):
        await run(f"{base} ws.connect(base); export default function () {{}}")


async def test_recv_ends_with_null_when_the_server_closes(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      for (const text of ['one', 'two', 'bye']) socket.send(text);
      return [socket.recv(), socket.recv(), socket.recv(), socket.isConnected(), socket.closeCode];"""
    assert await evaluate(body, head=base) == ["one", "two", None, False, 4321]


async def test_recv_waits_only_as_long_as_it_is_told(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      const before = [socket.recv(20), socket.isConnected(), socket.recv(0)];
      socket.send('a');
      return [...before, socket.recv(10000), socket.recv(1)];"""
    assert await evaluate(body, head=base) == [None, True, None, "a", None]


async def test_messages_that_come_during_a_sleep_are_there_afterwards_in_order() -> None:
    pongs = 0

    async def pushing(request: web.Request) -> web.WebSocketResponse:
        nonlocal pongs
        found = web.WebSocketResponse(autoping=False)
        await found.prepare(request)
        for number in range(50):
            await found.send_str(str(number))
        await found.ping(b"there?")
        pongs += (await found.receive()).type is WSMsgType.PONG
        await found.close()
        return found

    async with serving(push=pushing) as address:
        body = f"""const socket = ws.connect('ws://{address}/push');
          sleep(0.3);
          const before = socket.isConnected(); // the server has closed, yet nothing is lost
          const seen = []; for (let text; (text = socket.recv()) !== null;) seen.push(Number(text));
          return [before, seen];"""
        assert await evaluate(body) == [False, list(range(50))]
    assert pongs == 1


async def test_several_coroutines_share_a_connection(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      const readers = [1, 2, 3].map(async () => socket.recv());
      for (const text of ['a', 'b', 'c']) socket.send(text);
      const seen = []; for (const reader of readers) seen.push(await reader);
      const last = (async () => socket.recv())();
      socket.close();
      return [seen, await last];"""
    source = f"{base} export async function setup() {{ {body} }} export default function () {{}}"
    assert (await run(source, workers=1, iterations=1)).setup_data == [["a", "b", "c"], None]


async def test_functions_and_callbacks_that_use_a_connection_wait(base: str) -> None:
    body = """class Client {
        constructor(socket) { this.socket = socket; }
        ask(text) { this.socket.send(text); return this.socket.recv(); }
      }
      const { connect } = ws;
      const client = new Client(connect(base + '/echo'));
      const asked = ['a', 'b'].map((text) => client.ask(text));
      const grouped = group('g', () => client.ask('c'));
      const ok = check(client, { answers: (c) => c.ask('d') === 'd' });
      return [asked, grouped, ok, client?.socket?.send('e'), client.socket?.recv()];"""
    assert await evaluate(body, head=base) == [["a", "b"], "c", True, True, "e"]


async def test_many_workers_talk_at_the_same_time(base: str, server: Server) -> None:
    script = f"""{base} export default function () {{
      const socket = ws.connect(base + '/echo');
      for (let i = 0; i < 10; i++) {{
        const text = `${{__VU}}-${{__ITER}}-${{i}}`;
        socket.send(text);
        check(socket.recv(), {{ mine: (answer) => answer === text }});
      }}
      socket.close(); }}"""
    done = await run(script, workers=100, iterations=2)
    assert (done.summary.checks[0].passes, done.summary.checks[0].fails) == (2000, 0)
    assert len(server.opened) == 200
    await server.until_closed(200)


# ---- back-pressure -------------------------------------------------------------------------------


async def test_sending_waits_while_the_server_takes_nothing() -> None:
    taken = asyncio.Event()
    count = 0

    async def slow(request: web.Request) -> web.WebSocketResponse:
        nonlocal count
        found = web.WebSocketResponse(max_msg_size=0)
        await found.prepare(request)
        await taken.wait()
        async for _ in found:
            count += 1
        return found

    async with serving(slow=slow) as address:
        script = f"""export const options = {{ gracefulStop: '0s' }};
          export default function () {{
            const socket = ws.connect('ws://{address}/slow');
            const text = 'x'.repeat(1 << 20);
            for (;;) {{ socket.send(text); metrics.counterAdd('sends', 1); }} }}"""
        done = await run(script, workers=1, duration_seconds=1)
        taken.set()
    # What the kernel and the buffers hold, and no more.
    assert 1 <= done.summary.metrics["sends"] < 40
    assert done.summary.interrupted_iterations == 1


async def test_a_script_that_reads_slowly_makes_the_server_wait() -> None:
    sent = 0

    async def flood(request: web.Request) -> web.WebSocketResponse:
        nonlocal sent
        found = web.WebSocketResponse()
        await found.prepare(request)
        with suppress(ConnectionError):
            while True:
                await found.send_str("x" * (1 << 16))
                sent += 1
        return found

    async def so_far(request: web.Request) -> web.Response:
        return web.Response(text=str(sent))

    async with serving(flood=flood, sent=so_far) as address:
        body = f"""const socket = ws.connect('ws://{address}/flood');
          sleep(0.5);
          return [Number(http.get('http://{address}/sent').body), socket.recv().length];"""
        sent_meanwhile, length = await evaluate(body)
    assert length == 1 << 16
    # What the kernel and the buffers hold, and no more.
    assert 1 <= sent_meanwhile < 400


# ---- lives of connections ------------------------------------------------------------------------


async def test_what_an_iteration_leaves_open_is_closed(base: str, server: Server) -> None:
    script = f"""{base} export default function () {{
      ws.connect(base + '/echo');
      if (__ITER === 1) throw new Error('in the middle'); }}"""
    done = await run(script, workers=2, iterations=3)
    await server.until_closed(6)
    assert done.summary.failed_iterations == 2
    assert done.summary.metrics["ws_session_duration"].count == 6  # type: ignore[union-attr]


async def test_a_connection_in_worker_state_outlives_the_iteration(
    base: str, server: Server
) -> None:
    script = f"""{base} export default function () {{
      const held = (__WORKER_STATE.pool ??= {{ sockets: [ws.connect(base + '/echo')] }}).sockets;
      held[0].send('x'); check(held[0].recv(), {{ same: (text) => text === 'x' }}); }}"""
    done = await run(script, workers=3, iterations=4)
    assert done.summary.checks[0].passes == 12
    assert len(server.opened) == 3
    await server.until_closed(3)


async def test_a_connection_in_worker_state_ends_with_the_run(base: str, server: Server) -> None:
    script = f"""{base}
      export const options = {{ executor: 'constant-arrival-rate', rate: 20, workers: 2 }};
      export default function () {{ __WORKER_STATE.socket ??= ws.connect(base + '/echo'); }}"""
    done = await run(script, duration_seconds=1)
    opened = len(server.opened)
    assert 1 <= opened <= 2
    assert done.summary.metrics["ws_session_duration"].count == opened  # type: ignore[union-attr]
    await server.until_closed(opened)


async def test_the_end_of_the_run_interrupts_recv_and_closes(base: str, server: Server) -> None:
    script = f"""{base} export const options = {{ gracefulStop: '100ms' }};
      export default function () {{ ws.connect(base + '/echo').recv(); }}"""
    done = await run(script, workers=3, duration_seconds=1)
    assert done.summary.interrupted_iterations == 3
    assert done.summary.metrics["ws_session_duration"].count == 3  # type: ignore[union-attr]
    await server.until_closed(3)


async def test_the_end_of_the_run_interrupts_whatever_waits_for_a_connection(
    server: Server,
) -> None:
    given_up = asyncio.Semaphore(0)

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()  # until the other side has gone
        given_up.release()
        writer.close()

    async def gone(request: web.Request) -> web.StreamResponse:
        found = web.WebSocketResponse()
        await found.prepare(request)
        await found.close()
        return found

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    async with silent, serving(echo=server.echo, gone=gone) as address:
        port = silent.sockets[0].getsockname()[1]
        script = f"""export const options = {{ gracefulStop: '0s' }};
          const url = 'ws://{address}';
          export default async function () {{
            const socket = ws.connect(url + '/echo');
            const reading = (async () => socket.recv())();
            const lost = ws.connect(url + '/gone', {{ reconnect: true, retryDelay: '1h' }});
            const sending = (async () => {{ lost.recv(20); return lost.send('x'); }})();
            ws.connect('ws://127.0.0.1:{port}/'); }}"""
        done = await run(script, workers=2, duration_seconds=1)
        await server.until_closed(2)
        async with asyncio.timeout(20):
            for _ in range(2):
                await given_up.acquire()
    assert done.log == []
    assert (done.summary.interrupted_iterations, done.summary.iterations) == (2, 0)


async def test_a_connection_that_worker_state_holds_no_more_is_closed(
    base: str, server: Server
) -> None:
    script = f"""{base} export default function () {{
      __WORKER_STATE.socket = ws.connect(base + '/echo');
      sleep(0.05); }}"""
    done = await run(script, workers=1, iterations=4)
    await server.until_closed(4)
    assert done.summary.metrics["ws_session_duration"].count == 4  # type: ignore[union-attr]


async def test_setup_and_teardown_may_talk_and_leave_nothing_open(
    base: str, server: Server
) -> None:
    ask = "const socket = ws.connect(base + '/echo'); socket.send(text); return socket.recv();"
    script = f"""{base} function ask(text) {{ {ask} }}
      export const setup = () => ask('a');
      export default function (data) {{ check(data, {{ told: (d) => d === 'a' }}); }}
      export function teardown() {{ ask('z'); }}"""
    done = await run(script, workers=1, iterations=1)
    await server.until_closed(2)
    assert done.summary.checks[0].passes == 1
    assert server.received == ["a", "z"]


# ---- reconnecting --------------------------------------------------------------------------------


async def test_a_lost_connection_is_opened_again_where_that_is_asked_for(
    base: str, server: Server
) -> None:
    body = """const socket = ws.connect(base + '/echo', { reconnect: true, maxRetries: 3, retryDelay: '1ms' });
      const talk = (text) => { socket.send(text); return socket.recv(); };
      const seen = [talk('a')];
      socket.send('break');
      while (socket.isConnected()) sleep(0.001);
      seen.push(talk('b'));
      socket.send('bye');
      while (socket.closeCode !== 4321) sleep(0.001);
      return [...seen, talk('c'), socket.isConnected()];"""
    assert await evaluate(body, head=base) == ["a", "b", "c", True]
    assert len(server.opened) == 3


async def test_connecting_again_is_given_up_after_maxretries() -> None:
    attempts = 0

    async def once(request: web.Request) -> web.StreamResponse:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            return web.Response(status=503)
        found = web.WebSocketResponse()
        await found.prepare(request)
        await found.close()
        return found

    async with serving(once=once) as address:
        body = f"""const socket = ws.connect('ws://{address}/once', {{ reconnect: true, maxRetries: 3, retryDelay: '1ms' }});
          return [socket.recv(), socket.isConnected(), socket.send('x'), socket.recv()];"""
        assert await evaluate(body) == [None, False, False, None]
    assert attempts == 4


async def test_without_reconnect_a_lost_connection_stays_lost(base: str, server: Server) -> None:
    body = """const socket = ws.connect(base + '/echo');
      socket.send('break');
      return [socket.recv(), socket.isConnected(), socket.closeCode, socket.send('x')];"""
    assert await evaluate(body, head=base) == [None, False, 1006, False]
    assert len(server.opened) == 1


# ---- what is measured ----------------------------------------------------------------------------


async def test_connections_and_messages_are_measured(base: str) -> None:
    script = f"""{base}
      export const options = {{ thresholds: {{
        'ws_msgs_sent{{kind:chat}}': ['count == 6'], 'ws_msgs_sent{{kind:other}}': ['count == 0'],
        'ws_connecting{{group:talk}}': ['count == 2'], 'ws_connect_failed': ['rate < 0.1'],
        'data_sent{{kind:chat}}': ['count == 48'] }} }};
      export default function () {{
        group('talk', () => {{
          const socket = ws.connect(base + '/echo', {{ tags: {{ kind: 'chat' }} }});
          for (const text of ['a', 'bc', 'def']) {{ socket.send(text); socket.recv(); }}
          socket.close();
        }});
        ws.connect(base + '/nothing'); }}"""
    done = await run(script, workers=2, iterations=1)
    assert [result.ok for result in done.summary.thresholds] == [True, True, True, False, True]
    metrics = done.summary.metrics
    assert (metrics["ws_msgs_sent"], metrics["ws_msgs_received"]) == (6, 6)
    assert metrics["ws_connect_failed"] == 0.5
    assert metrics["ws_connecting"].count == 2  # type: ignore[union-attr]
    assert metrics["ws_session_duration"].count == 2  # type: ignore[union-attr]
    # Payload and frame headers: 2 bytes, and 4 more for the mask of what a client sends.
    assert done.summary.data_sent_bytes == 2 * (6 + 3 * 6)
    assert done.summary.data_received_bytes == 2 * (6 + 3 * 2)
    assert sum(point["data_sent_bytes"] for point in done.aggregate.series_points()) == 48
    assert done.summary.total_requests == 0


# ---- TLS -----------------------------------------------------------------------------------------


async def test_a_certificate_is_verified_unless_the_options_say_insecure(server: Server) -> None:
    async with serving(server_context(), echo=server.echo) as address:
        script = f"""export const options = {{ OPTION, workers: 1, iterations: 1 }};
          export default function () {{
            const socket = ws.connect('wss://{address}/echo');
            console.log(socket.isConnected(), socket.error, socket.errorCode, socket.send('a'), socket.recv());
          }}"""
        assert (await run(script.replace("OPTION", "insecure: false"))).log == [
            "info: false TLS ECERT false null"
        ]
        for option in ("insecure: true", "ca_certificates: open('ca.pem')"):
            done = await run(script.replace("OPTION", option), files={"ca.pem": authority_pem()})
            assert done.log == ["info: true null null true a"]


async def test_the_example_runs_as_it_is(server: Server) -> None:
    script = (Path(__file__).parents[3] / "examples" / "websocket.js").read_text()
    async with serving(echo=server.echo) as address:
        env = {"FUSILLADE_CHAT": f"ws://{address}/echo"}
        done = await run(script, env=env, workers=3, duration_seconds=1)
    assert done.log == []
    assert len(server.opened) == 3
    assert done.summary.checks[0].fails == 0
    assert done.summary.checks[0].passes == done.summary.iterations > 3


# ---- hostile scripts -----------------------------------------------------------------------------


async def test_a_script_gets_nothing_of_the_engine_through_a_connection(base: str) -> None:
    body = """const socket = ws.connect(base + '/echo');
      const caught = [];
      for (const name of ['owner', 'handle', 'waits', 'number']) {
        Object.defineProperty(Object.prototype, name, { configurable: true, set(value) { caught.push(name); } });
      }
      for (const name of ['has', 'add', 'delete']) Set.prototype[name] = () => { caught.push(name); };
      let forged;
      try { forged = new socket.constructor({ waits: {}, open: true, number: 0 }); } catch (error) { forged = error.message; }
      const second = ws.connect(base + '/echo');
      second.send('a'); const answer = second.recv(); second.close();
      return [caught, forged, answer];"""
    assert await evaluate(body, head=base) == [
        [],
        "connections are made by ws.connect() and sse.connect()",
        "a",
    ]
