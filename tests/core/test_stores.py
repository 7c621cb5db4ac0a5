"""Addresses of stores hold no secrets; files are listed and read many at a time; a store that refuses is named."""

import multiprocessing
import socket
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from emotion.core import stores
from emotion.core.errors import InputError
from emotion.core.stores import (
    StoreAddress,
    StoreFile,
    StoreFileError,
    hide_secrets,
    is_store_address,
    list_store,
    locate,
    parse_address,
    read_store,
    remove_from_store,
    write_store,
)
from tests.stores import SECRET, SlowServer

FILES = {"happy/a.png": b"one", "happy/b [1]*.png": b"two", "sad/ä.png": b"", "notes.txt": b"four"}


# Addresses


@pytest.mark.parametrize(
    "text, address",
    [
        ("s3://bucket/a/b", StoreAddress("s3", "bucket", "a/b")),
        ("S3://bucket", StoreAddress("s3", "bucket")),
        ("gs://bucket//a///b/", StoreAddress("gs", "bucket", "a/b")),
        ("azure://container/a", StoreAddress("azure", "container", "a")),
        ("ssh://me@host:2222/data", StoreAddress("ssh", "me@host:2222", "data")),
        ("ssh://me@host:2222/me@home", StoreAddress("ssh", "me@host:2222", "me@home")),
        ("s3://bucket/me@home/x", StoreAddress("s3", "bucket", "me@home/x")),
        ("s3://bucket/My photos/[1]", StoreAddress("s3", "bucket", "My photos/[1]")),
    ],
)
def test_addresses_are_read(text, address):
    assert parse_address(text) == locate(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text", ["data/raw", "/s3://bucket", "http://host/a.png", "file:///a", "C:/faces", "s3:/bucket"]
)
def test_other_texts_are_paths(text):
    assert not is_store_address(text)
    assert not isinstance(locate(text), StoreAddress)


@pytest.mark.parametrize(
    "text",
    [
        f"s3://key:{SECRET}@bucket/a",
        f"s3://key:{SECRET}/with@slash@bucket/a",
        f"s3://{SECRET}@bucket/a",
        f"ssh://me:{SECRET}@host/a",
        f"ssh://me:{SECRET}/with-slash@host/a",
        f"az://container/a?sig={SECRET}",
        f"s3://bucket/a::file:///{SECRET}",
        f"s3://bucket/{SECRET} ",
        f"s3://key:with blanks {SECRET}@bucket/a",
        "s3://",
        "s3:///a",
        "ssh://me@/a",
    ],
)
def test_addresses_with_secrets_or_without_a_bucket_are_refused_without_a_word_of_them(text):
    with pytest.raises(InputError, match="that cannot be used, expected") as error:
        parse_address(text)
    assert SECRET not in str(error.value)


def test_secrets_in_texts_are_hidden():
    assert hide_secrets(f"x 's3://key:{SECRET}/@b/a' y") == "x 's3://b/a' y"
    assert hide_secrets(f"s3://key:with blanks {SECRET}@b") == "s3://b"
    assert hide_secrets("s3://b/a of me") == "s3://b/a of me"


def test_addresses_have_names_and_files_below_them():
    address = parse_address("s3://bucket/faces")
    assert str(address / "a.png") == "s3://bucket/faces/a.png"
    assert (address.name, parse_address("s3://bucket").name) == ("faces", "bucket")
    assert str(parse_address("s3://bucket") / "a.png") == "s3://bucket/a.png"


@pytest.mark.parametrize("scheme, package", [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("ssh", "sshfs")])
def test_a_missing_package_is_named(scheme, package, monkeypatch):
    monkeypatch.setattr("fsspec.get_filesystem_class", _raise_import_error)
    stores._open_system.cache_clear()
    with pytest.raises(InputError, match=rf"{scheme}:// needs .*`pip install {package}`"):
        list_store(StoreAddress(scheme, "host"))


def _raise_import_error(protocol):
    raise ImportError(protocol)


# In memory


def test_files_are_listed_written_read_and_removed(memory):
    folder = parse_address("memory://bucket/faces")
    for name, content in FILES.items():
        write_store(folder / name, content)
    assert list(list_store(folder)) == sorted(FILES)
    assert {name: file.size for name, file in list_store(folder).items()} == {n: len(c) for n, c in FILES.items()}
    assert read_store(folder, [*FILES]) == [*FILES.values()]
    assert list(list_store(folder / "notes.txt")) == [""]
    assert read_store(folder / "notes.txt", [""]) == [b"four"]
    assert read_store(folder, []) == []
    remove_from_store(folder, ["notes.txt", "sad/ä.png"])
    remove_from_store(folder, ["notes.txt"])
    assert list(list_store(folder)) == ["happy/a.png", "happy/b [1]*.png"]
    assert list_store(parse_address("memory://bucket/other")) == {}


def test_a_missing_file_is_told_and_the_others_are_read(memory):
    folder = parse_address("memory://bucket")
    write_store(folder / "a", b"one")
    first, missing = read_store(folder, ["a", "b"])
    assert first == b"one"
    assert isinstance(missing, StoreFileError)
    assert "No such file" in str(missing)


def test_a_fault_of_the_network_is_none_of_the_file(memory, monkeypatch):
    write_store(parse_address("memory://bucket/a"), b"one")
    monkeypatch.setattr(type(memory), "cat_file", _fail_on_the_way)
    with pytest.raises(InputError, match=r"memory://bucket cannot be read: .*reset.*memory://host/a") as error:
        read_store(parse_address("memory://bucket"), ["a"])
    assert SECRET not in str(error.value)


def _fail_on_the_way(*arguments, **options):
    raise ConnectionResetError(f"reset at memory://me:{SECRET}@host/a\nmore")


def test_a_file_of_another_store_that_is_closed_is_told(memory, monkeypatch):
    write_store(parse_address("memory://bucket/a"), b"one")
    monkeypatch.setattr(type(memory), "cat_file", _refuse)
    (closed,) = read_store(parse_address("memory://bucket"), ["a"])
    assert "Permission denied" in str(closed)


def _refuse(*arguments, **options):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("moment", ["pipe_file", "mv"])
def test_a_write_that_fails_leaves_no_half_file_on_a_server(memory, monkeypatch, moment):
    monkeypatch.setitem(stores.BACKENDS, "memory", stores.BACKENDS["memory"]._replace(has_users=True))
    folder = parse_address("memory://host/out")
    write_store(folder / "a", b"old")
    pipe_file = type(memory).pipe_file

    def fail(system, path, *arguments):
        pipe_file(system, path, b"half")
        raise OSError("the disk of the server is full")

    monkeypatch.setattr(type(memory), moment, fail)
    with pytest.raises(InputError, match=r"memory://host/out/a cannot be written: .*the disk of the server is full"):
        write_store(folder / "a", b"new")
    assert list(list_store(folder)) == ["a"]
    assert read_store(folder, ["a"]) == [b"old"]


# S3


@pytest.mark.medium
def test_s3_is_read_with_one_request_a_file(s3):
    folder = parse_address(s3.put("raw", FILES))
    s3.requests.clear()
    listed = list_store(folder)
    assert list(listed) == sorted(FILES)
    assert listed["happy/a.png"] == StoreFile(3, '"f97c5d29941bfb1b2fdab0874906ab82"')
    assert s3.requests == {"GET": 1}
    assert read_store(folder, [*FILES]) == [*FILES.values()]
    assert s3.requests == {"GET": 1 + len(FILES)}


@pytest.mark.medium
def test_a_listing_sees_what_changed(s3):
    folder = parse_address(s3.put("raw", FILES))
    before = list_store(folder)
    s3.put("raw", {"happy/a.png": b"ONE", "new": b""})
    s3.client.delete_object(Bucket="faces", Key="raw/notes.txt")
    after = list_store(folder)
    assert after.keys() ^ before.keys() == {"new", "notes.txt"}
    assert {name for name in before if name in after and before[name] != after[name]} == {"happy/a.png"}


@pytest.mark.medium
def test_a_store_is_written_whole(s3):
    write_store(parse_address("s3://faces/out/a"), b"content")
    assert s3.get("out/a") == b"content"
    with pytest.raises(InputError, match="s3://gone/a cannot be written: there is no s3://gone"):
        write_store(parse_address("s3://gone/a"), b"content")


@pytest.mark.medium
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_forked_processes_read_with_connections_of_their_own(s3):
    folder = parse_address(s3.put("raw", FILES))
    assert read_store(folder, [*FILES]) == [*FILES.values()]
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting = [pool.submit(read_store, folder, [*FILES]) for _ in range(12)]
        for future in waiting:
            assert future.result(timeout=60) == [*FILES.values()]
    assert read_store(folder, [*FILES]) == [*FILES.values()]


@pytest.mark.medium
def test_a_store_that_refuses_is_named_within_ten_seconds(s3, monkeypatch):
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    cases = [
        ({}, "s3://gone/x", "there is no s3://gone"),
        ({"AWS_ENDPOINT_URL": closed}, "s3://faces/x", "does not answer .*Could not connect"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nowhere"},
            "s3://faces/x",
            "no user and pass",
        ),
    ]
    for variables, address, said in cases:
        with monkeypatch.context() as changed:
            for name, value in variables.items():
                changed.setenv(name, value) if value else changed.delenv(name)
            stores._open_system.cache_clear()
            start = time.monotonic()
            with pytest.raises(InputError, match=rf"{address} cannot be read: .*{said}") as error:
                list_store(parse_address(address))
            assert time.monotonic() - start < 10
            assert SECRET not in str(error.value)
    free.close()


@pytest.mark.medium
@pytest.mark.parametrize("code", ["AccessDenied", "403", "InvalidObjectState"])
def test_a_closed_file_is_told(s3, monkeypatch, code):
    folder = parse_address(s3.put("raw", FILES))
    refuse_by_s3(monkeypatch, code, "closed")
    (closed,) = read_store(folder, ["notes.txt"])
    assert "Permission denied" in str(closed)


@pytest.mark.medium
@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccountProblem"])
def test_a_user_who_is_refused_is_no_fault_of_the_file(s3, monkeypatch, code):
    folder = parse_address(s3.put("raw", FILES))
    refuse_by_s3(monkeypatch, code, f"The token of s3://{SECRET}@faces has expired.")
    with pytest.raises(
        InputError, match=r"s3://faces/raw cannot be read: access is denied \(The token .*expired"
    ) as error:
        read_store(folder, ["notes.txt"])
    assert SECRET not in str(error.value)


def refuse_by_s3(monkeypatch, code, message):
    """Have S3 refuse the content of files with an error, as s3fs passes it on."""
    from botocore.exceptions import ClientError
    from s3fs.errors import translate_boto_error

    async def refuse(*arguments, **options):
        raise translate_boto_error(ClientError({"Error": {"Code": code, "Message": message}}, "GetObject"))

    monkeypatch.setattr("s3fs.S3FileSystem._cat_file", refuse)


@pytest.mark.medium
def test_many_files_are_read_at_the_same_time(s3, monkeypatch):
    """One after the other, each with a request for its size, they would take 20 seconds."""
    with SlowServer(seconds=0.05) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        stores._open_system.cache_clear()
        start = time.monotonic()
        contents = read_store(parse_address("s3://faces"), [f"{number}.png" for number in range(200)])
        seconds = time.monotonic() - start
    assert contents == [b"face"] * 200
    assert server.requests == {"GET": 200}
    assert server.at_once > 8
    assert seconds < 10
