"""The files for clusters: Ray's own code, a mocked AWS and a shell take them as they are."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from ray import __version__ as ray_version
from ray.autoscaler._private.aws.config import bootstrap_aws
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.tags import TAG_RAY_NODE_KIND, TAG_RAY_NODE_NAME, TAG_RAY_USER_NODE_TYPE
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig

from actors.platform import NODE_ENVIRONMENT, forwards_peers

ROOT = Path(__file__).parents[3]
AWS = ROOT / "cluster.yaml"
GCP = ROOT / "docs" / "clusters" / "gcp.yaml"
ON_PREMISE = ROOT / "docs" / "clusters" / "on-premise.yaml"
KUBERAY = ROOT / "docs" / "clusters" / "kuberay.yaml"
REGIONS = ["eu-hel1", "us-east-1"]
"""Those of the files."""

launched = pytest.mark.parametrize("file", [AWS, GCP, ON_PREMISE], ids=lambda file: file.name)
scaling = pytest.mark.parametrize("file", [AWS, GCP], ids=lambda file: file.name)


def load(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text()))


@launched
def test_rays_own_validation_passes(file: Path) -> None:
    validate_config(prepare_config(load(file)))


@scaling
def test_the_autoscaler_reads_a_type_for_each_region_from_zero_and_a_head_without_load(
    file: Path,
) -> None:
    config = AutoscalingConfig(load(file), skip_content_hash=True)
    types = config.get_node_type_configs()
    head = types.pop(config.get_head_node_type())
    assert (head.resources, head.labels) == ({"CPU": 0}, {"ray.io/region": "head"})
    assert list(types) == REGIONS
    for name, kind in types.items():
        assert kind.labels == {"ray.io/region": name}
        assert kind.min_worker_nodes == 0
        assert kind.max_worker_nodes > 0
        assert kind.resources["CPU"] > 0
    assert config.get_max_num_worker_nodes() >= max(one.max_worker_nodes for one in types.values())


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An AWS in this process, with an account that Ray has been used with before."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        iam = boto3.resource("iam")
        name = "ray-autoscaler-v1"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName=name).add_role(RoleName=name)
        yield


@pytest.mark.usefixtures("cloud")
def test_aws_launches_each_type_as_ray_up_asks_for_it() -> None:
    config = load(AWS)
    ec2 = boto3.client("ec2", region_name=config["provider"]["region"])
    ubuntu = {"Name": "name", "Values": ["ubuntu/*"]}
    image = ec2.describe_images(Filters=[ubuntu])["Images"][0]["ImageId"]
    for kind in config["available_node_types"].values():
        kind["node_config"]["ImageId"] = image  # the first of the lines that people change
    config = bootstrap_aws(prepare_config(config))
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for name, kind in config["available_node_types"].items():
        tags = {
            TAG_RAY_NODE_KIND: "worker",
            TAG_RAY_USER_NODE_TYPE: name,
            TAG_RAY_NODE_NAME: name,
        }
        provider.create_node(kind["node_config"], tags, 1)

    reservations = ec2.describe_instances()["Reservations"]
    instances = [instance for one in reservations for instance in one["Instances"]]
    found = {}
    for instance in instances:
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        found[tags[TAG_RAY_USER_NODE_TYPE]] = instance["InstanceType"]
    assert found == {
        name: kind["node_config"]["InstanceType"]
        for name, kind in config["available_node_types"].items()
    }
    (group,) = ec2.describe_security_groups(GroupNames=["fusillade"])["SecurityGroups"]
    open_to = {
        rule["FromPort"]: [one["CidrIp"] for one in rule["IpRanges"]]
        for rule in group["IpPermissions"]
        if rule["IpRanges"]
    }
    assert open_to == {22: ["0.0.0.0/0"], 8000: ["10.0.0.0/8"]}


class Machine:
    """A home directory as the setup commands leave it, whose `ray` says how it was called."""

    def __init__(self, home: Path, address: str) -> None:
        self._home = home
        tools, ours = home / "tools", home / "venv" / "bin"
        for directory in (tools, ours):
            directory.mkdir(parents=True)
        self._write(tools / "sudo", "exit 0")
        self._write(tools / "hostname", f"echo '{address} fe80::1'")
        self._write(ours / "ray", f'echo "$@" >> {home}/called; env -0 > {home}/environment')
        fusillade = f"exec {shutil.which('fusillade', path=str(Path(sys.executable).parent))}"
        up = f'echo "$FUSILLADE_REGIONS" > {home}/regions'
        self._write(ours / "fusillade", f'case "$1" in up) {up} ;; *) {fusillade} "$@" ;; esac')

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """As the launcher runs it there."""
        return subprocess.run(
            ["bash", "-c", command],
            env={
                "HOME": str(self._home),
                "PATH": f"{self._home}/tools:/usr/bin:/bin",
                "RAY_HEAD_IP": "10.0.0.10",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def called(self) -> str:
        """What `ray` was called with."""
        return (self._home / "called").read_text()

    @property
    def regions(self) -> list[str]:
        """Those that a platform was told of."""
        return (self._home / "regions").read_text().strip().split(",")

    @property
    def environment(self) -> dict[str, str]:
        """What the last `ray` saw."""
        words = (self._home / "environment").read_text().split("\0")
        return dict(word.split("=", 1) for word in words if word)

    def _write(self, file: Path, line: str) -> None:
        file.write_text(f"#!/bin/bash\n{line}\n")
        file.chmod(0o755)


@launched
def test_every_node_is_started_with_what_ray_has_to_know_there(file: Path, tmp_path: Path) -> None:
    config = load(file)
    for where in ("head", "worker"):
        machine = Machine(tmp_path / where, "10.0.1.11")
        for command in config[f"{where}_start_ray_commands"]:
            done = machine.run(command)
            assert (done.returncode, done.stderr) == (0, "")
        assert machine.environment.items() >= NODE_ENVIRONMENT.items()
        assert forwards_peers(machine.environment)
        assert machine.called.startswith("stop\nstart --")
        if where == "head":
            assert machine.regions == REGIONS


def test_on_premise_a_node_has_the_region_of_its_address(tmp_path: Path) -> None:
    config = load(ON_PREMISE)
    (start,) = [line for line in config["worker_start_ray_commands"] if "ray start" in line]
    for number, address in enumerate(config["provider"]["worker_ips"]):
        machine = Machine(tmp_path / str(number), address)
        machine.run(start)
        region = "eu-hel1" if address.startswith("10.0.1.") else "us-east-1"
        assert f"--address=10.0.0.10:6379 --labels=ray.io/region={region} " in machine.called
    machine = Machine(tmp_path / "elsewhere", "10.0.9.1")
    assert "No region has the addresses 10.0.9.1" in machine.run(start).stderr
    (head,) = [line for line in config["head_start_ray_commands"] if "ray start" in line]
    assert "--num-cpus=0 --labels=ray.io/region=head " in head


def test_kuberay_gets_a_group_for_each_region_from_zero_with_fields_that_it_knows() -> None:
    manifest = load(KUBERAY)
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayCluster")
    spec = manifest["spec"]
    # The fields of the RayCluster CRD, ray.io/v1 of KubeRay 1.5.1, as far as they are used here.
    assert spec.keys() <= {
        "authOptions",
        "autoscalerOptions",
        "enableInTreeAutoscaling",
        "headGroupSpec",
        "rayVersion",
        "workerGroupSpecs",
    }
    assert spec["enableInTreeAutoscaling"] is True
    assert spec["authOptions"] == {"mode": "token"}
    options = spec["autoscalerOptions"]
    assert options.keys() <= {"version", "idleTimeoutSeconds", "upscalingMode", "resources"}
    assert options["version"] == "v2"
    assert spec["rayVersion"] == ray_version
    assert f"rayproject/ray:{ray_version}-py311" in (KUBERAY.with_name("Dockerfile")).read_text()

    head, groups = spec["headGroupSpec"], spec["workerGroupSpecs"]
    assert head.keys() == {"labels", "rayStartParams", "template"}
    assert head["labels"] == {"ray.io/region": "head"}
    assert head["rayStartParams"]["num-cpus"] == "0"
    for group in groups:
        counts = {"replicas", "minReplicas", "maxReplicas"}
        assert group.keys() == head.keys() | counts | {"groupName"}
        assert group["labels"] == {"ray.io/region": group["groupName"]}
        assert (group["replicas"], group["minReplicas"]) == (0, 0)
        assert group["maxReplicas"] > 0
    assert [group["groupName"] for group in groups] == REGIONS
    (container,) = head["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "FUSILLADE_REGIONS", "value": ",".join(REGIONS)}]

    # Its own commands instead of KubeRay's, so each of them has to start Ray, and be a command.
    assert manifest["metadata"]["annotations"] == {"ray.io/overwrite-container-cmd": "true"}
    for group in (head, *groups):
        (container,) = group["template"]["spec"]["containers"]
        (script,) = container["args"]
        assert container["command"] == ["/bin/bash", "-c"]
        assert 'eval "$(fusillade ray-environment)"' in script
        assert 'bash -c "$KUBERAY_GEN_RAY_START_CMD"' in script
        assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        assert container["resources"]["limits"] == container["resources"]["requests"]
