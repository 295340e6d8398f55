"""The files that a script host still has to read once it is confined."""

import os
import ssl
import sys
from importlib.util import find_spec
from pathlib import Path

import fusillade

_SYSTEM = (
    # Names.
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    # Certificates and TLS.
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/pki/ca-trust",
    "/etc/pki/tls",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    # Libraries.
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    # The time zone.
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo",
    # The machine, as SpiderMonkey and the C library ask for it.
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/sys/devices/system/cpu",
)
_PACKAGE_DIRECTORIES = ("site-packages", "dist-packages")


def needed() -> list[Path]:
    """What exists of it, links resolved: files, and directories with all below them."""
    package = Path(fusillade.__file__).parent
    defaults = ssl.get_default_verify_paths()
    places: list[str | Path] = [*_SYSTEM, package, *_python()]
    places += [place for place in (defaults.cafile, defaults.capath) if place]
    # Of a link that leads somewhere else (resolv.conf to /run), what it leads to.
    found = {Path(place).resolve() for place in places if os.path.exists(place)}
    return sorted(found)


def samples() -> list[str | Path]:
    """Some of what Python needs, enough to tell whether a user may read its files."""
    found = [*_python(), fusillade.__file__]
    for module in ("encodings", "pycurl", "pythonmonkey"):
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            found.append(spec.origin)
    return [place for place in found if os.path.exists(place)]


def readable(places: list[str | Path]) -> bool:
    """Whether the effective user may read all of them."""
    return all(os.access(place, os.R_OK, effective_ids=True) for place in places)


def _python() -> list[str | Path]:
    """Where modules come from. A directory that is not Python's own (a checkout of
    this project, say) is left out: there may be anything in it."""
    own = {Path(prefix).resolve() / "lib" for prefix in (sys.prefix, sys.base_prefix)}
    places: list[str | Path] = list(own)
    for entry in sys.path:
        path = Path(entry).resolve()
        if path.name in _PACKAGE_DIRECTORIES or own.intersection(path.parents):
            places.append(entry)
    return places
