"""The limit on requests, through HAProxy and two replicas."""

import http.client
from collections import Counter
from urllib.parse import urlsplit

from platforms import running_platform


def _ask(address: str, path: str, headers: dict[str, str], source: str) -> tuple[int, str | None]:
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), source_address=(source, 0))
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("RateLimit-Limit")
    finally:
        connection.close()


def test_replicas_behind_haproxy_share_the_count_of_each_client() -> None:
    with running_platform(
        FUSILLADE_SERVE_REPLICAS="2",
        FUSILLADE_RATE_LIMIT_REQUESTS="40",
        FUSILLADE_RATE_LIMIT_SECONDS="300",
    ) as platform:
        address = urlsplit(platform.url).netloc
        statuses = Counter()
        for number in range(50):
            invented = {"X-Forwarded-For": f"192.0.2.{number}", "X-Fusillade-Peer": "192.0.2.1"}
            status, limit = _ask(address, "/api/v1/me", invented, "127.0.0.1")
            assert limit == "40"
            statuses[status] += 1
        assert statuses == {401: 40, 429: 10}
        assert _ask(address, "/api/v1/me", {}, "127.0.0.2")[0] == 401
        assert _ask(address, "/health", {}, "127.0.0.1") == (200, None)
