"""What `kubectl apply -k` would send is what Kubernetes, Flink's and Prometheus' operators take."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudcoil.models.prometheus_operator.v1 as prometheus
import jsonschema
import kubernetes_validate
import msgspec
import pytest
from jsonschema import Draft202012Validator as Validator

from deploy.download import fetch, pinned
from flink_app.config import load

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
RELEASE = "1.33"
OVERLAYS = ("one-machine", "production")
TEMPLATES = {"Deployment": "template", "StatefulSet": "template", "FlinkDeployment": "podTemplate"}


def documents(text: str) -> list[dict[str, Any]]:
    return [msgspec.yaml.decode(part) for part in text.split("\n---\n")]


def strict(schema: Any) -> Any:
    """The schema of a custom resource that also refuses fields it does not name, which Kubernetes
    would drop in silence."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(value) for name, value in schema.items()}
    free = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and not free:
        found["additionalProperties"] = False
    return found


@pytest.fixture(scope="module")
def flink_deployment() -> Validator:
    """Checks a FlinkDeployment."""
    (jar,) = fetch(pinned("flink-operator"))
    with zipfile.ZipFile(jar) as archive:
        text = archive.read("META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml")
    version = msgspec.yaml.decode(text)["spec"]["versions"][0]
    schema: dict[str, Any] = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] |= {"apiVersion": {"const": "flink.apache.org/v1beta1"}, "kind": {}}
    schema["properties"]["metadata"] = {"type": "object"}
    # The list of releases ends before Flink 2 in this jar; operator 1.15 has it up to v2_4.
    schema["properties"]["spec"]["properties"]["flinkVersion"]["enum"] += ["v2_3"]
    return Validator(schema)


def check(document: dict[str, Any], flink_deployment: Validator) -> None:
    """Raises whatever its validator raises."""
    if document["kind"] == "FlinkDeployment":
        flink_deployment.validate(document)
    elif document["apiVersion"] == "monitoring.coreos.com/v1":
        model = getattr(prometheus, document["kind"]).model_validate(document)
        assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == document
    else:
        kubernetes_validate.validate(document, RELEASE, strict=True)


def base() -> Iterator[dict[str, Any]]:
    for name in ("job", "serve", "metrics", "network"):
        yield from documents((FOLDER / "base" / f"{name}.yaml").read_text())
    yield from documents((FOLDER / "redis" / "redis.yaml").read_text())


@pytest.fixture(params=OVERLAYS)
def built(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """All that an overlay makes."""
    tools = {"kubectl": ["kubectl", "kustomize"], "kustomize": ["kustomize", "build"]}
    found = next((command for name, command in tools.items() if shutil.which(name)), None)
    if found is None:
        pytest.skip("neither kubectl nor kustomize is installed")
    folder = str(FOLDER / "overlays" / request.param)
    return documents(
        subprocess.run([*found, folder], capture_output=True, check=True, text=True).stdout
    )


def test_each_document_of_the_base_is_valid(flink_deployment: Validator) -> None:
    found = list(base())
    for document in found:
        check(document, flink_deployment)
    assert {"FlinkDeployment", "Deployment", "ServiceMonitor", "NetworkPolicy"} <= {
        document["kind"] for document in found
    }


def test_an_overlay_is_valid_and_whole(
    built: list[dict[str, Any]], flink_deployment: Validator
) -> None:
    for document in built:
        check(document, flink_deployment)
        assert document["metadata"].get("namespace", "millirec") == "millirec"
    by_kind = {document["kind"]: document for document in built}
    job, (config,) = by_kind["FlinkDeployment"], [d for d in built if d["kind"] == "ConfigMap"]
    template = job["spec"]["podTemplate"]["spec"]
    volumes = {volume["name"]: volume for volume in template["volumes"]}
    assert volumes["millirec"]["configMap"]["name"] == config["metadata"]["name"]
    assert config["metadata"]["name"] != "millirec"  # a hash is at its end, so a change is seen
    mounts = {mount["name"] for mount in template["containers"][0]["volumeMounts"]}
    assert mounts == {*volumes} >= {"tmp", "scratch", "log"}
    flink = job["spec"]["flinkConfiguration"]
    assert {"execution.checkpointing.dir", "high-availability.storageDir"} <= {*flink}


def test_no_more_task_managers_than_shards_and_one_slot_each(
    built: list[dict[str, Any]], tmp_path: Path
) -> None:
    (job,) = [document["spec"] for document in built if document["kind"] == "FlinkDeployment"]
    (config,) = [document["data"] for document in built if document["kind"] == "ConfigMap"]
    (tmp_path / "millirec.toml").write_text(config["millirec.toml"])
    loaded = load(tmp_path / "millirec.toml", [], {}).config
    assert job["job"]["parallelism"] <= loaded.job.shards
    assert job["flinkConfiguration"]["taskmanager.numberOfTaskSlots"] == "1"
    assert job["flinkConfiguration"]["python.execution-mode"] == "thread"


def test_no_container_may_be_root_write_to_its_image_or_gain_rights() -> None:
    found = 0
    for document in base():
        template = TEMPLATES.get(document["kind"])
        if template is None:
            continue
        pod = document["spec"][template]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"]
        for container in pod["containers"]:
            found += 1
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
            assert rights["capabilities"] == {"drop": ["ALL"]}
    assert found == 4


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("FlinkDeployment", ("spec", "job", "upgradeMod"), "savepoint"),
        ("FlinkDeployment", ("spec", "job", "upgradeMode"), "sometimes"),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "imag"), "x"),
        ("NetworkPolicy", ("spec", "policyTypes"), "Ingress"),
        ("ServiceMonitor", ("spec", "endpointz"), []),
    ],
)
def test_a_mistake_is_refused(
    kind: str, path: tuple[Any, ...], value: Any, flink_deployment: Validator
) -> None:
    document = next(document for document in base() if document["kind"] == kind)
    at: Any = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(
        (jsonschema.ValidationError, kubernetes_validate.ValidationError, AssertionError)
    ):
        check(document, flink_deployment)
