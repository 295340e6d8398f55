"""Tests that come as a ZIP: what is in it, and what must not be."""

import io
import stat
import zipfile

import pytest

from fusillade.errors import FusilladeError, ScriptTooLarge, ValidationFailed
from fusillade.script.archive import is_archive, main_module, unpack


def archive(
    *files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as made:
        for name, text in files:
            made.writestr(name, text)
    return content.getvalue()


def unpacked(content: bytes, most_files: int = 10, most_bytes: int = 1000) -> dict[str, bytes]:
    return unpack(content, most_files=most_files, most_bytes=most_bytes)


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    return made


def test_files_keep_their_paths() -> None:
    content = archive(
        ("main.js", b"a"),
        (entry("lib/", stat.S_IFDIR), b""),
        ("lib/ż.ts", b"b"),
        ("./data/users.csv", b"\x00\xff"),
        ("__MACOSX/._main.js", b"x"),
    )
    assert is_archive(content)
    assert unpacked(content) == {"main.js": b"a", "lib/ż.ts": b"b", "data/users.csv": b"\x00\xff"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../main.js", "'../main.js' cannot be a file of a test: a path must not lead out"),
        ("lib/../../main.js", "must not lead out"),
        ("/etc/passwd", "'/etc/passwd' cannot be a file of a test: a path must be relative"),
        ("C:/main.js", "must be relative"),
        ("lib\\main.js", "must be written with /"),
        ("main.js\0.png", r"'main.js\?.png' cannot be a file of a test"),
        ("a//b.js", "must name a file"),
        ("x" * 300, "1 to 200 characters"),
    ],
)
def test_a_path_that_is_not_a_plain_relative_one_is_refused_by_name(name: str, words: str) -> None:
    made = zipfile.ZipInfo("x")
    made.filename = name  # as written: ZipInfo itself would tidy it up
    with pytest.raises(ValidationFailed, match=words):
        unpacked(archive((made, b"")))


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (
            archive((entry("a", stat.S_IFLNK | 0o777), b"/etc/passwd")),
            ValidationFailed,
            "'a' is neither",
        ),
        (archive((entry("a", stat.S_IFIFO), b"")), ValidationFailed, "'a' is neither"),
        (archive(("a", b"x"), ("./a", b"y")), ValidationFailed, "'a' more than once"),
        (archive(*((f"{i}", b"") for i in range(11))), ValidationFailed, "may have 10 files"),
        (
            archive(*((f"{i}" * 20, b"") for i in range(5000))),
            ValidationFailed,
            "may have 10 files",
        ),
        (archive(("a", b"x" * 600), ("b", b"x" * 600)), ScriptTooLarge, "1,000 bytes together"),
        (archive(("a", b"x" * 50_000_000)), ScriptTooLarge, "1,000 bytes together"),
        (
            archive(("a", b"x"), method=zipfile.ZIP_LZMA),
            ValidationFailed,
            "'a' is encrypted or packed",
        ),
        (b"PK\x03\x04nonsense", ValidationFailed, "cannot be read"),
        (archive(("a", b"some text"))[:-30], ValidationFailed, "cannot be read"),
        (
            archive(("a", b"some text"), method=zipfile.ZIP_STORED).replace(b"some", b"sume"),
            ValidationFailed,
            "cannot be read: Bad CRC",
        ),
    ],
    ids=[
        "link",
        "pipe",
        "twice",
        "too many",
        "far too many",
        "too large together",
        "bomb",
        "unknown method",
        "nonsense",
        "cut off",
        "damaged",
    ],
)
def test_an_archive_that_is_wrong_or_too_large_is_refused(
    content: bytes, error: type[FusilladeError], words: str
) -> None:
    with pytest.raises(error, match=words):
        unpacked(content)


def test_an_archive_that_understates_its_sizes_gains_nothing() -> None:
    content = bytearray(archive(("a", b"x" * 100_000)))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(FusilladeError, match=r"cannot be read|together"):
        unpacked(bytes(content))


@pytest.mark.parametrize(
    ("paths", "named", "expected"),
    [
        (["load.ts", "lib/main.js", "users.csv"], None, "load.ts"),
        (["a.js", "index.mjs", "b.js"], None, "index.mjs"),
        (["test.js", "main.js"], None, "main.js"),
        (["a.js", "b/c.ts"], "./b/c.ts", "b/c.ts"),
    ],
)
def test_the_main_module_is_named_or_known(
    paths: list[str], named: str | None, expected: str
) -> None:
    assert main_module(paths, named) == expected


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        (["a.js", "b.js"], None),
        (["data.csv", "lib/a.js"], None),
        (["a.js"], "b.js"),
        (["a.csv"], "a.csv"),
    ],
)
def test_without_a_main_module_the_entry_is_asked_for(paths: list[str], named: str | None) -> None:
    with pytest.raises(ValidationFailed, match=r"^entry"):
        main_module(paths, named)
