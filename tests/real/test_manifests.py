"""The manifests of conf/kubernetes, as kubectl apply --dry-run=server would ask: a real API server checks
every field of every object and keeps none."""

import os
import re

import pytest

from cluster import TREE, ApiError

FOLDER = os.path.join(TREE, "conf", "kubernetes")


def objects(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        documents = re.split(r"^---\n", file.read(), flags=re.MULTILINE)
    return [each for each in documents if re.search(r"^kind: ", each, re.MULTILINE)]


def dry_run(cluster, document):
    # Server-side apply of the whole object: what exists already is no reason to refuse it.
    kind = re.search(r"^kind: (\w+)$", document, re.MULTILINE).group(1)
    name = re.search(r"^  name: (\S+)$", document, re.MULTILINE).group(1)
    path = f"{cluster._path_of(kind, document)}/{name}"  # pylint: disable=protected-access
    return cluster.call("PATCH", f"{path}?dryRun=All&fieldManager=test&fieldValidation=Strict&force=true",
                        document, "application/apply-patch+yaml")


@pytest.mark.parametrize("name", sorted(os.listdir(FOLDER)))
def test_server_takes_every_object(name, cluster):
    found = objects(name)
    assert found
    for document in found:
        answer = dry_run(cluster, document)
        assert answer["metadata"]["name"] in document


def test_server_refuses_a_misspelt_field(cluster):
    role = next(each for each in objects("rbac.yaml") if "\nkind: Role\n" in each)
    with pytest.raises(ApiError) as refused:
        dry_run(cluster, role.replace("resourceNames:", "resourceName:"))
    assert refused.value.status in (400, 422, 500)
