"""Reports of a test that has ended, as files here."""

from collections.abc import Iterable

from fusillade.cli.cloud.server import Server, part
from fusillade.cli.outputs import Output


def save_reports(server: Server, test_id: str, wanted: Iterable[Output]) -> None:
    """Write each as the platform has made it.

    Raises :class:`ApiError`, :class:`Unreachable`; :class:`ValidationFailed` when a file cannot be
    written."""
    for output in wanted:
        path = f"/api/v1/tests/{part(test_id)}/report"
        output.keep(server.file(path, {"format": output.kind}))
