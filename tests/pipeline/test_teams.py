"""A team moves the remotes to a shared folder or to S3, and its members exchange experiments there."""

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.pipeline.project import OTHER_MODEL, cached_outputs, checksums, clone, set_up, share, stored

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

S3_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
BUCKET = "emotions"


@pytest.fixture(scope="module")
def s3():
    """A local S3 server with an empty bucket; yields its address and a client."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.create_bucket(Bucket=BUCKET)
    yield address, client
    server.stop()


@pytest.fixture
def team(project, tmp_path):
    """Two members, both set up before the team moves, and their bare repository."""
    bare = share(project, tmp_path / "bare")
    colleague = clone(bare, tmp_path / "colleague")
    set_up(project)
    set_up(colleague)
    return project, colleague


def receives(colleague, name, model):
    """Return whether the experiment brings the colleague this model, and everything that belongs to it."""
    colleague.dvc("exp", "pull", "origin", name)
    colleague.dvc("exp", "apply", name)
    return (colleague.path / "models/model.keras").read_bytes() == model and colleague.status() == {}


def test_two_commands_switch_to_s3(project, s3):
    address, client = s3
    set_up(project)
    project.dvc("remote", "modify", "store", "url", f"s3://{BUCKET}/store")
    set_up(project)
    project.dvc("remote", "modify", "--local", "store", "endpointurl", address)
    project.dvc("push", variables=S3_KEYS)
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert {"".join(key.split("/")[-2:]) for key in keys} == checksums(project, *cached_outputs(project.path))
    assert stored(project) == set()

    project.forget_data()
    project.dvc("pull", variables=S3_KEYS)
    assert project.status() == {}


def test_experiments_from_before_and_after_a_move_to_a_folder_reach_a_colleague(team, tmp_path):
    project, colleague = team
    models = {}
    project.dvc("exp", "run", "--name", "before", *OTHER_MODEL)
    models["before"] = (project.path / "models/model.keras").read_bytes()
    project.git("checkout", "--quiet", ".")
    for name in ("store", "private"):
        project.dvc("remote", "modify", name, "url", str(tmp_path / "shared" / name))
    set_up(project)
    project.git("commit", "--quiet", "--message", "Move to the shared folder", ".dvc/config")
    project.git("push", "--quiet", "origin", "main")
    project.dvc("exp", "run", "--name", "after", "-S", "faces.margin=0.2")
    models["after"] = (project.path / "models/model.keras").read_bytes()
    project.dvc("exp", "push", "origin", "before", "after")
    assert models["before"] != models["after"]
    assert stored(project) == set()

    colleague.git("pull", "--quiet")
    set_up(colleague)
    for name, model in models.items():
        assert receives(colleague, name, model)
        colleague.git("checkout", "--quiet", ".")


def test_moving_one_remote_is_enough_for_images_of_the_team(team, s3):
    project, colleague = team
    project.set_params({"source.remote": "private"})
    project.repro()
    project.dvc("remote", "modify", "private", "url", f"s3://{BUCKET}/private")
    set_up(project)
    project.dvc("remote", "modify", "--local", "private", "endpointurl", s3[0])
    project.environment.update(S3_KEYS)
    project.dvc("push")
    assert stored(project) == checksums(project, "data/sample")
    project.git("add", "--force", "store")  # the sample, as the store of a clone has it
    project.commit("Images of the team, on S3")
    project.git("push", "--quiet", "origin", "main")
    project.dvc("exp", "run", "--name", "other", *OTHER_MODEL)
    model = (project.path / "models/model.keras").read_bytes()
    project.dvc("exp", "push", "origin", "other")

    colleague.git("pull", "--quiet")
    set_up(colleague)
    colleague.dvc("remote", "modify", "--local", "private", "endpointurl", s3[0])
    colleague.environment.update(S3_KEYS)
    assert receives(colleague, "other", model)
    assert not (project.path / "private").exists()
