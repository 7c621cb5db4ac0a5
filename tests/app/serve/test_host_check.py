"""emotion.app.serve.host_check: only requests for this server's own names are answered."""

import socket

import pytest

from tests.app.serve.serving import make_client

OWN = socket.gethostname()


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
        detail = answer.json()["detail"]
        assert repr(host) in detail
        assert "localhost" in detail
        assert "--host" in detail


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:1", "[::1]", "[::1]:8000"])
def test_answers_as_localhost(client, host):
    assert client.get("/api/model", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host, header, allowed",
    [
        ("0.0.0.0", "192.0.2.7:8000", True),
        ("0.0.0.0", "192.0.2.7.", True),
        ("0.0.0.0", "[fe80::1]:8000", True),
        ("::", "[fe80::1]", True),
        ("0.0.0.0", f"{OWN}:8000", True),
        ("0.0.0.0", f"{OWN}.local", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("127.0.0.1", "192.0.2.7", False),
        ("127.0.0.1", OWN, False),
        ("2001:db8::7", "[2001:db8::7]:8000", True),
        ("2001:db8::7", "[2001:db8::8]:8000", False),
        ("images.example", "Images.Example:80", True),
        ("Images.Example", "images.example.", True),
    ],
)
def test_on_a_network_answers_by_its_own_names_and_addresses(predictor, host, header, allowed):
    answer = make_client(predictor, host=host).get("/api/model", headers={"host": header})
    assert answer.status_code == (200 if allowed else 421)
