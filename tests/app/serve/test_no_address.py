"""The page and the API fetch nothing: an address that somebody sends is not followed."""

import json

import pytest

from emotion.app.serve.security_headers import SECURITY_HEADERS
from tests.app.serve.serving import make_client
from tests.clips import plain_image
from tests.streams import HttpServer, running

pytestmark = pytest.mark.medium


@pytest.mark.parametrize("kind", ["image/jpeg", "image/svg+xml", "text/plain", "application/json", "text/uri-list"])
def test_an_address_as_the_body_is_refused_and_not_followed(kind, predictor):
    with running(HttpServer([plain_image(9, (96, 128))])) as camera:
        url = f"http://{camera.place}/live"
        image = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>'
        client = make_client(predictor)
        for path in ("/api/predict", f"/api/predict?url={url}", f"/api/track?session=12345678&seconds=0&url={url}"):
            for body in (url, json.dumps({"url": url}), image):
                answer = client.post(path, content=body.encode(), headers={"content-type": kind})
                assert answer.status_code in (415, 422)
        assert camera.asked == []


def test_the_api_has_no_parameter_for_an_address(predictor):
    description = make_client(predictor).get("/openapi.json").json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    names = {parameter["name"] for operation in operations for parameter in operation.get("parameters", [])}
    assert names == {"session", "seconds"}
    assert '"uri"' not in json.dumps(description)


def test_the_page_may_reach_its_own_server_only():
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "connect-src" not in policy
