"""``cluster.yaml`` is one that Ray's cluster launcher accepts."""

from pathlib import Path
from typing import Any

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

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
