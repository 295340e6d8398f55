"""Seconds from a command to the first request that reaches the target, Fusillade and k6.

Both run the same script with one user and one iteration, in turns; the target is a socket of this
program, which notes when the first byte comes. Prints a Markdown table.

    python benchmarks/first_request.py [--rounds 10]
"""

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import program

SCRIPT = """
import http from "k6/http";
export const options = {{ vus: 1, iterations: 1 }};
export default function () {{ http.get("http://127.0.0.1:{port}/"); }}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
LONGEST_SECONDS = 30


def seconds_to_first_request(command: list[str], listener: socket.socket) -> float:
    """From just before the command is executed to the first byte of its request."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    try:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(LONGEST_SECONDS)
            connection.recv(65536)
            taken = time.perf_counter() - began
            connection.sendall(ANSWER)
        process.communicate(timeout=LONGEST_SECONDS)
    except (TimeoutError, subprocess.TimeoutExpired):
        process.kill()
        output, _ = process.communicate()
        sys.exit(f"{' '.join(command)} did not do its request:\n{output.decode(errors='replace')}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    taken: dict[str, list[float]] = {"Fusillade": [], "k6": []}
    with tempfile.TemporaryDirectory() as directory, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(LONGEST_SECONDS)
        script = Path(directory, "script.js")
        script.write_text(SCRIPT.format(port=listener.getsockname()[1]))
        commands = {
            "Fusillade": [program("fusillade"), "run", str(script)],
            "k6": [program("k6"), "run", "--no-usage-report", str(script)],
        }
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(seconds_to_first_request(command, listener))
    print(f"Seconds to the first request, {rounds} rounds\n")
    print("| command | median | fastest | slowest |")
    print("| --- | ---: | ---: | ---: |")
    for name, values in taken.items():
        cells = (statistics.median(values), min(values), max(values))
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in cells)} |")


if __name__ == "__main__":
    main()
