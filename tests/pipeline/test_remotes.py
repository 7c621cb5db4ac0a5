"""Where `dvc push` sends what: the store in the repository, S3 by one command, and images that may not be shared."""

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.pipeline.project import cached_outputs, checksums, clone, stored

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

S3_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
BUCKET = "emotions"


@pytest.fixture(scope="module")
def s3():
    """A local S3 server with an empty bucket; yields its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.create_bucket(Bucket=BUCKET)
    yield address, client
    server.stop()


def test_the_store_in_the_repository_serves_a_fresh_clone(project, tmp_path):
    project.dvc("push")
    assert stored(project) == checksums(project, *cached_outputs(project.path))
    project.commit("Results in the store")
    fresh = clone(project, tmp_path / "fresh")
    fresh.dvc("pull")
    assert fresh.status() == {}


def test_one_command_switches_to_s3(project, s3):
    address, client = s3
    project.dvc("remote", "modify", "store", "url", f"s3://{BUCKET}/dvc")
    project.dvc("remote", "modify", "--local", "store", "endpointurl", address)
    project.dvc("push", variables=S3_KEYS)
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    names = {"".join(key.split("/")[-2:]) for key in keys}
    assert names == checksums(project, *cached_outputs(project.path))
    assert stored(project) == set()

    project.forget_data()
    project.dvc("pull", variables=S3_KEYS)
    assert project.status() == {}


def test_images_that_may_not_be_shared_stay_out_of_the_store(project):
    shared = checksums(project, *cached_outputs(project.path))
    project.set_params({"source.remote": "private", "features.image_size": 40})
    project.repro("extract_features")
    project.dvc("push")
    images = checksums(project, "data/pixels.npy", "data/features")
    assert images & shared != images, "other arrays than those of the shared run"
    assert stored(project) & images == set()
    assert stored(project, "private") == images
    project.commit("A run on images that may not be shared")
    assert "private/" not in project.git("ls-files")
