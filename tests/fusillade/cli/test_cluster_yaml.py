"""``cluster.yaml`` is one that Ray's cluster launcher accepts."""

import subprocess
from pathlib import Path
from typing import Any

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from actors.platform import forwards_peers

CLUSTER = Path(__file__).parents[3] / "cluster.yaml"


def load() -> dict[str, Any]:
    return dict(yaml.safe_load(CLUSTER.read_text()))


def test_rays_own_validation_passes() -> None:
    validate_config(prepare_config(load()))


def test_every_type_of_node_carries_its_region_and_load_nodes_start_from_zero() -> None:
    config = load()
    for name, kind in config["available_node_types"].items():
        assert kind["labels"] == {"ray.io/region": name}
        if name != config["head_node_type"]:
            assert kind["min_workers"] == 0
            assert kind["max_workers"] > 0


def test_every_nodes_haproxy_tells_who_the_client_is() -> None:
    config = load()
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        (start,) = [command for command in commands if "/ray start" in command]
        exported = start[start.index("export") : start.index("~/venv")]
        shell = ["bash", "-c", f"{exported} env -0"]
        output = subprocess.run(shell, stdout=subprocess.PIPE, check=True).stdout.decode()
        environment = dict(line.split("=", 1) for line in output.split("\0") if line)
        assert forwards_peers(environment)
        assert environment["FORWARDED_ALLOW_IPS"] == ""
