"""Repeated creations, minutes and blocked targets on a whole platform."""

import contextlib
import threading
import time
from typing import Any
from uuid import uuid4

from client import Answer, Client
from platforms import Platform

SCRIPT = "export default function () { sleep(0.05); }"
GONE = (OSError, ValueError)
"""How a request fails whose API process is gone: without an answer, or with the proxy's HTML."""
TO_THE_END = "/api/v1/tests?wait=true&wait_for=completed"


def _form(duration: int) -> dict[str, Any]:
    return {"name": "Once", "script": SCRIPT.encode(), "workers": 1, "duration": duration}


def _named_once(user: Client) -> list[Any]:
    return list(user.get("/api/v1/tests?search=Once").body["tests"])


def test_who_repeats_a_creation_while_it_runs_gets_the_same_answer(user: Client) -> None:
    before = len(_named_once(user))
    key = {"Idempotency-Key": uuid4().hex}
    answers: list[Answer] = []

    def create() -> None:
        answers.append(user.post(TO_THE_END, form=_form(2), headers=key))

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.append(user.post(TO_THE_END, form=_form(2), headers=key))
    assert {answer.status for answer in answers} == {201}
    assert {answer["status"] for answer in answers} == {"completed"}
    assert len({answer["test_id"] for answer in answers}) == 1
    assert len(_named_once(user)) == before + 1


def test_a_creation_can_be_repeated_after_its_api_process_was_killed(
    platform: Platform, user: Client
) -> None:
    before = {test["id"] for test in _named_once(user)}
    key = {"Idempotency-Key": uuid4().hex}
    first: list[Answer] = []

    def create() -> None:
        with contextlib.suppress(*GONE):
            first.append(user.post(TO_THE_END, form=_form(4), headers=key))

    thread = threading.Thread(target=create)
    thread.start()
    deadline = time.monotonic() + 30
    while not (created := {test["id"] for test in _named_once(user)} - before):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (replica,) = platform.processes("ServeReplica")
    replica.kill()
    thread.join()
    assert not any(answer.status == 201 for answer in first)
    again = None
    while again is None or again.status >= 500:
        assert time.monotonic() < deadline + 60
        try:
            again = user.post(TO_THE_END, form=_form(4), headers=key)
        except GONE:
            time.sleep(0.2)  # Serve has not started another one yet
    assert (again.status, again["status"]) == (201, "completed")
    assert created == {again["test_id"]}
    assert {test["id"] for test in _named_once(user)} - before == created


def test_the_minutes_of_a_run_are_settled_when_it_ends(user: Client) -> None:
    before = user.get("/api/v1/quota").body
    test = user.run(SCRIPT, duration=2)
    after = user.get("/api/v1/quota").body
    assert test["status"] == "completed"
    assert after["minutes_reserved"] == before["minutes_reserved"]
    assert after["minutes_used"] > before["minutes_used"]
    assert after["minutes_limit"] is None


def test_metadata_addresses_are_blocked_at_the_upload_and_in_the_run(user: Client) -> None:
    body = "export default function () { http.get('http://169.254.169.254/'); }"
    answer = user.create(body)
    assert (answer.status, answer["code"]) == (403, "domain_blocked")
    assert "169.254.169.254" in answer["error"]
    hidden = body.replace("'http://169.254.169.254/'", "'http://' + [169, 254, 169, 254].join('.')")
    test = user.run(hidden.replace("; }", "; sleep(0.1); }"))
    assert set(test["summary"]["errors"]) == {"EBLOCKED"}
