"""Addresses of streams are told from files, and no part that can hold a secret is shown."""

import pytest

from emotion.core.errors import InputError
from emotion.inference.stream_address import check_address, file_stem, hide_secrets, is_address, public_name


@pytest.mark.parametrize("text", ["rtsp://host/1", "HTTP://host", "ftp://host/a.mp4", "concat:a.mp4|b", "file:a"])
def test_an_address_begins_with_a_scheme(text):
    assert is_address(text)


@pytest.mark.parametrize("text", ["0", "a.mp4", "./rtsp.mp4", r"C:\videos\a.mp4", "/dev/video0", "a/b:c.mp4", ""])
def test_a_file_is_no_address(text):
    assert not is_address(text)


def test_what_exists_is_no_address_and_long_addresses_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "day:1.mp4").touch()
    assert not is_address("day:1.mp4")
    assert is_address("https://host/" + 400 * "a")


@pytest.mark.parametrize(
    "url",
    ["rtsp://host/1", "rtsps://host:8322/1", "http://u:p@host/a?b=c", "HTTPS://[::1]:8443/live", "rtsp://u:a%40b@h/"],
)
def test_these_addresses_are_taken(url):
    check_address(url)


@pytest.mark.parametrize(
    "url, scheme",
    [
        ("ftp://u:secret@host/a.mp4", "ftp"),
        ("file:///etc/passwd", "file"),
        ("concat:a.mp4|secret.mp4", "concat"),
        ("rtmp://host/live/secret", "rtmp"),
        ("data:text/plain,secret", "data"),
    ],
)
def test_other_schemes_are_refused_by_name(url, scheme):
    with pytest.raises(InputError, match=rf"begins with {scheme}:.*expected one of rtsp, rtsps, http, https") as error:
        check_address(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["rtsp://", "http:///path", "rtsp://u:secret@", "http://host:port/", "http://h:99999/", "rtsp://h/a b"]
)
def test_an_address_without_a_host_or_with_a_wrong_port_is_refused(url):
    with pytest.raises(InputError, match=r"no host or a wrong port; expected .*HOST:PORT") as error:
        check_address(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url, name",
    [
        ("rtsp://192.168.1.20/stream1", "rtsp://192.168.1.20"),
        ("rtsp://user:secret@Camera.local:8554/stream1", "rtsp://camera.local:8554"),
        ("http://host/live?token=secret#secret", "http://host"),
        ("rtsp://host:554/user=admin&password=secret&channel=1.sdp", "rtsp://host:554"),
        ("http://[fe80::1]:81/", "http://[fe80::1]:81"),
        ("rtsp://user:se/cret@host/1", "rtsp://"),
        ("rtsp://user:secret#1@host/1", "rtsp://"),
        ("rtsp://user:secret?1@host/1", "rtsp://"),
        ("rtsp://user:secret@1@host/1", "rtsp://"),
        ("http://host/?mail=me@secret.org", "http://"),
        ("rtsp://user:secret", "rtsp://"),
    ],
)
def test_only_scheme_and_host_are_named_and_no_host_that_may_be_a_password(url, name):
    assert public_name(url) == name


def test_files_are_named_by_the_host():
    assert file_stem("rtsp://user:secret@camera.local:8554/1") == "camera.local-8554"
    assert file_stem("http://[fe80::1]/") == "fe80-1"
    assert file_stem("rtsp://user:se/cret@host/1") == "stream"


def test_addresses_in_a_text_are_hidden():
    text = "unrecognized arguments: rtsp://u:secret@host/1 --x http://h/?token=secret"
    assert hide_secrets(text) == "unrecognized arguments: rtsp://host --x http://h"
