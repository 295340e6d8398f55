"""A Ray of a benchmark's own. Import this before anything that imports Ray, which reads its
environment once: there it finds the token that nobody else has."""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from actors import names
from actors import platform as ray_platform
from fusillade.private_files import read_or_make_secret

_DIRECTORY = Path(tempfile.mkdtemp(prefix="fusi-bench-", dir="/tmp"))
atexit.register(shutil.rmtree, _DIRECTORY, ignore_errors=True)
read_or_make_secret(_DIRECTORY / "token")
os.environ.update(ray_platform.ray_environment(_DIRECTORY / "token"))


@contextlib.contextmanager
def own_ray(cpus: int) -> Iterator[None]:
    """A head node in Fusillade's namespace, gone at the end."""
    import ray

    ray.init(
        num_cpus=cpus,
        namespace=names.NAMESPACE,
        include_dashboard=False,
        log_to_driver=False,
        _temp_dir=str(_DIRECTORY),
        object_store_memory=ray_platform.OBJECT_STORE_BYTES,
    )
    try:
        yield
    finally:
        ray.shutdown()
