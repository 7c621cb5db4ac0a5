"""Another thread works ahead or behind, in order, and loses no error."""

import threading
import time

import pytest

from emotion.inference.ahead import WAITING, CallsBehind, iterate_ahead, map_ahead


def test_items_come_in_their_order():
    assert list(iterate_ahead(iter(range(20)))) == list(range(20))
    assert list(iterate_ahead(iter([]))) == []


def test_few_items_are_made_ahead():
    made: list[int] = []

    def make():
        for number in range(20):
            made.append(number)
            yield number

    for number in iterate_ahead(make()):
        assert len(made) <= number + 2 + WAITING


def test_an_error_comes_after_the_items_before_it():
    def make():
        yield 1
        raise ValueError("broken")

    items = iterate_ahead(make())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_results_come_with_their_items_in_order():
    def square(number):
        time.sleep(0.002 * (number % 3))
        return number**2

    assert list(map_ahead(square, range(20), 2)) == [(number, number**2) for number in range(20)]
    assert list(map_ahead(square, [], 2)) == []


def test_few_results_are_made_ahead():
    made: list[int] = []
    for number, _ in map_ahead(made.append, range(20), 2):
        assert len(made) <= number + 3


def test_an_error_comes_with_its_item():
    results = map_ahead(lambda number: 1 // number, [1, 0, 1], 2)
    assert next(results) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_calls_are_made_in_their_order():
    calls: list[int] = []
    call = CallsBehind(calls.append)
    for number in range(20):
        call(number)
    call.finish()
    assert calls == list(range(20))


def test_few_calls_wait():
    go = threading.Event()
    call = CallsBehind(go.wait)
    for _ in range(WAITING):
        call(10)
    late = threading.Thread(target=call, args=(10,))
    late.start()
    late.join(0.05)
    assert late.is_alive()
    go.set()
    late.join(10)
    assert not late.is_alive()
    call.finish()


def test_an_error_of_a_call_is_raised():
    def fail():
        raise OSError("full")

    call = CallsBehind(fail)
    call()
    with pytest.raises(OSError, match="full"):
        call.finish()
