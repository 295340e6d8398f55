"""The small HTTP server that ``fusillade demo`` loads: ``python -m fusillade.cli.demo_target``.

It listens on a socket that its parent made and hands over as descriptor ``--fd``, counts what it
answers, and ends when its parent closes its standard input or dies.
"""

import argparse
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PRODUCTS = b'[{"id": 1, "name": "Crackers"}, {"id": 2, "name": "Rockets"}]'

answered = 0
"""Requests answered so far, without those for ``/answered`` itself."""


async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """A shop of two products, as a bare ASGI application."""
    global answered
    if scope["type"] != "http":
        return
    path, method = scope["path"], scope["method"]
    if path == "/answered":
        await _respond(send, 200, str(answered).encode())
        return
    answered += 1
    if method == "POST" and path == "/orders":
        while (await receive()).get("more_body"):
            pass
        await _respond(send, 201, b'{"ordered": true}')
    elif path == "/products" or path.startswith("/products/"):
        await _respond(send, 200, PRODUCTS)
    elif path == "/":
        await _respond(send, 200, b'{"shop": "open"}')
    else:
        await _respond(send, 404, b'{"error": "no such page"}')


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    listener = socket.socket(fileno=parser.parse_args().fd)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
