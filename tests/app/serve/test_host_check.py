"""emotion.app.serve.host_check: only requests for this server's own names are answered."""

import socket

import pytest

from emotion.app.serve.host_check import AllowedHosts
from tests.app.serve.serving import make_client


@pytest.fixture(scope="module")
def client(predictor):
    return make_client(predictor)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.2", "", "[::2]"]
)
def test_refuses_other_hosts(client, host):
    for method, path in (("GET", "/"), ("GET", "/api/model"), ("POST", "/api/predict")):
        answer = client.request(method, path, headers={"host": host})
        assert answer.status_code == 421
        assert "does not go by the name" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:1", "[::1]", "[::1]:8000"])
def test_answers_as_localhost(client, host):
    assert client.get("/api/model", headers={"host": host}).status_code == 200


def test_on_a_network_answers_by_its_own_names_and_addresses():
    own = socket.gethostname()
    everywhere, one = AllowedHosts.of("0.0.0.0"), AllowedHosts.of("192.0.2.7")
    assert everywhere.allow("192.0.2.7:8000")
    assert everywhere.allow("[fe80::1]:8000")
    assert everywhere.allow(own)
    assert not everywhere.allow("evil.example")
    assert one.allow("192.0.2.7")
    assert not one.allow("192.0.2.8")
    assert not AllowedHosts.of("127.0.0.1").allow("192.0.2.7")
    assert AllowedHosts.of("images.example").allow("Images.Example:80")
