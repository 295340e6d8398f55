"""The files that a result can become, by the name of their format."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from fusillade.reports.result import Result


class Format(msgspec.Struct, frozen=True):
    """One of them."""

    function: str
    """``module.function`` below ``fusillade.reports``; imported when it is needed."""
    content_type: str
    ending: str
    """Of the file's name."""

    def of(self, result: "Result") -> bytes:
        """The whole file."""
        module, _, name = self.function.partition(".")
        make: Callable[[Result], str | bytes] = getattr(
            importlib.import_module(f"fusillade.reports.{module}"), name
        )
        made = make(result)
        return made if isinstance(made, bytes) else made.encode("utf-8", "replace")


FORMATS = {
    "html": Format("html_page.html_page", "text/html; charset=utf-8", ".html"),
    "junit": Format("junit_xml.junit_xml", "application/xml", ".xml"),
    "csv": Format("series_csv.series_csv", "text/csv; charset=utf-8", ".csv"),
    "json": Format("result_json.result_json", "application/json", ".json"),
    "parquet": Format(
        "series_parquet.series_parquet", "application/vnd.apache.parquet", ".parquet"
    ),
}
"""``csv`` and ``parquet`` have the seconds alone."""
