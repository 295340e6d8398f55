"""Failed requests of many hosts are one bounded sample."""

import pickle

import msgspec
from failed import failed_request

from fusillade.failures.record import FailedRequest, Timings
from fusillade.failures.sample import Sample
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.recorder import Recorder


def _told(*records: FailedRequest) -> bytes:
    recorder = Recorder()
    for record in records:
        recorder.add_failure(record)
    return recorder.take_delta(1, 0, 1.0)


def test_hosts_together_tell_of_no_more_than_one_sample() -> None:
    aggregate = Aggregate()
    for host in range(30):
        records = [failed_request(f"http://127.0.0.1/{page}") for page in range(5)]
        aggregate.merge(host, _told(*records))
    assert len(aggregate.failures.records) == 25
    again = pickle.loads(pickle.dumps(aggregate))
    again.merge(30, _told(failed_request("http://127.0.0.1/0"), failed_request("http://[::1]/")))
    assert len(again.failures.records) == 26


def test_a_host_tells_of_each_once() -> None:
    recorder, aggregate = Recorder(), Aggregate()
    for number, second in ((1, 0), (2, 1), (3, 2)):
        if number < 3:
            recorder.add_failure(failed_request(f"http://127.0.0.1/{number}"))
        aggregate.merge(0, recorder.take_delta(number, second, 1.0))
    assert len(aggregate.failures.records) == 2


def test_what_is_too_large_or_no_json_is_left_out() -> None:
    sample = Sample()
    odd = Timings(*[float("nan")] * 7)
    assert not sample.add(msgspec.structs.replace(failed_request("http://[::1]/"), timings_ms=odd))
    assert not sample.add(failed_request("http://127.0.0.1/", answer="x" * 100_000))
    assert sample.add(failed_request("http://127.0.0.1/"))
