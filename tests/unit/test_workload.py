from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.quantities import Arrival, BusyPolicy, Checkpointing, Duration, Pause, Size, format_time, parse_time_ns
from simulators.workload import KEYS, Workload, WorkloadError, from_mapping


def test_the_defaults_make_the_difference_obvious() -> None:
    workload = Workload()
    assert (workload.writers, workload.readers) == (16, 2)
    assert (str(workload.hold), str(workload.think)) == ("2ms", "20ms")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"writers": "70"}, ["writers", "'70'", "0 to 64"]),
        ({"writers": -1}, ["writers", "-1", "0 to 64"]),
        ({"readers": "many"}, ["readers", "'many'", "0 to 64"]),
        ({"mode": "sideways"}, ["mode", "'sideways'", "contended, mutex, single-writer"]),
        ({"hold": "2 parsecs"}, ["hold", "2 parsecs", "500us, 2ms or 1.5s"]),
        ({"hold": "61s"}, ["hold", "61s", "0 to 60s"]),
        ({"think": "-1ms"}, ["think", "-1ms", "is not a time"]),
        ({"pin-reader": "2h"}, ["pin-reader", "2h", "0 to 60s"]),
        ({"checkpointer": "passive"}, ["checkpointer", "'passive'", "truncate:1s", "10ms to 60s"]),
        ({"checkpointer": "thorough:1s"}, ["checkpointer", "thorough:1s", "restart:1s"]),
        ({"checkpointer": "full:1ms"}, ["checkpointer", "full:1ms", "10ms to 60s"]),
        ({"journal-mode": "memory"}, ["journal-mode", "'memory'", "wal, delete, truncate, persist"]),
        ({"journal-mode": "delete", "checkpointer": "full:1s"}, ["checkpointer", "full:1s", "journal-mode", "none"]),
        ({"duration": 0}, ["duration", "100ms to 24h"]),
        ({"payload": "2TiB"}, ["payload", "2TiB", "0 to 1TiB"]),
        ({"payload": True}, ["payload", "True"]),
        ({"payload": "1MiB", "rows": 65}, ["payload", "64 MiB"]),
        ({"busy": "constant"}, ["busy", "'constant'", "timeout:5000"]),
        ({"busy": "backoff:100:1"}, ["busy", "backoff:100:1", "0.05 to 60000"]),
        ({"busy": "timeout:700000"}, ["busy", "0 to 600000"]),
        ({"arrival": "rate:0"}, ["arrival", "rate:0", "0.1 to 1000000"]),
        ({"arrival": "rate:"}, ["arrival", "rate:", "0.1 to 1000000"]),
        ({"arrival": "burst:soon"}, ["arrival", "burst:soon", "burst:20ms", "0 to 60s"]),
        ({"arrival": "burst:61s"}, ["arrival", "burst:61s", "0 to 60s"]),
        ({"arrival": "closed:1"}, ["arrival", "closed:1", "burst"]),
        ({"group-commit": "perhaps"}, ["group-commit", "true and false"]),
        ({"statement": "batch", "rows": 20_000}, ["rows", "20000", "1 to 10000"]),
        ({"databases": 3, "writers": 2}, ["databases", "3", "writers"]),
        ({"writers": 0, "readers": 0}, ["writers", "readers"]),
        ({"max-size": "10KiB"}, ["max-size", "1MiB"]),
        ({"wrtiers": 3}, ["wrtiers", "did you mean writers"]),
        ({"colour": "blue"}, ["colour", "known are"]),
        ({"shared-connection": True}, ["shared-connection", "true", "worker-kind process", "worker-kind thread"]),
        ({"shared-connection": True, "worker-kind": "task"}, ["shared-connection", "worker-kind task"]),
        ({"autocheckpoint": 1.5}, ["autocheckpoint", "1.5", "whole number"]),
    ],
)
def test_an_error_names_the_key_the_value_and_what_is_allowed(mapping: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(WorkloadError) as caught:
        from_mapping(mapping)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


WORKLOADS = st.fixed_dictionaries(
    {},
    optional={
        "writers": st.integers(1, 64),
        "readers": st.integers(0, 64),
        "mode": st.sampled_from(["contended", "mutex", "single-writer"]),
        "begin": st.sampled_from(["immediate", "deferred", "exclusive"]),
        "statement": st.sampled_from(["row-by-row", "batch", "read-then-write"]),
        "busy": st.sampled_from(
            ["none", "timeout:0", "timeout:5s", "constant:0.5", "constant:1:90", "backoff:1:100:2s"]
        ),
        "hold": st.sampled_from(["0", "2ms", "exp:1.5ms", 0.25, "17ns"]),
        "arrival": st.sampled_from(["closed", "rate:0.5", "rate:12345.5", "burst", "burst:15ms"]),
        "pin-reader": st.sampled_from(["0", "2s", "exp:1s"]),
        "checkpointer": st.sampled_from(["none", "passive:1s", "full:100ms", "restart:0.5", "truncate:1m"]),
        "group-commit": st.booleans(),
        "duration": st.sampled_from(["1s", "100ms", 3, "1.5m"]),
        "payload": st.integers(0, 1000),
        "seed": st.integers(0, 2**63 - 1),
    },
)


@given(WORKLOADS)
def test_a_workload_reads_back_what_it_writes(mapping: dict[str, Any]) -> None:
    workload = from_mapping(mapping)
    assert from_mapping(workload.to_mapping()) == workload
    assert set(workload.to_mapping()) == set(KEYS)
    assert workload.in_words()


def test_the_words_can_tell_of_other_workers_than_those_asked_for() -> None:
    workload = from_mapping({"writers": 4, "readers": 2})
    assert workload.in_words(6, 3) == from_mapping({"writers": 6, "readers": 3}).in_words()
    assert workload.in_words(0, 0).startswith("0 writers hold")


@given(
    st.dictionaries(
        st.sampled_from(KEYS), st.one_of(st.integers(), st.floats(), st.text(max_size=8), st.none(), st.booleans())
    )
)
def test_any_values_make_a_workload_or_a_sentence(mapping: dict[str, Any]) -> None:
    try:
        assert isinstance(from_mapping(mapping), Workload)
    except WorkloadError as error:
        assert str(error)


@given(st.integers(min_value=0, max_value=10**14))
def test_times_read_back(duration_ns: int) -> None:
    assert parse_time_ns(format_time(duration_ns)) == duration_ns


@pytest.mark.parametrize("text", ["", "s", "ms2", "1 2", "1e3", "nan", "inf", "0x10", "1d", "\uff12ms", "1.2.3s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_time_ns(text)


@pytest.mark.parametrize("kind", [Pause, Duration, Size, Arrival, BusyPolicy, Checkpointing])
@given(text=st.text(max_size=12))
def test_quantities_read_or_raise_valueerror(kind: Any, text: str) -> None:
    try:
        value = kind.parse(text)
    except ValueError:
        return
    assert kind.parse(str(value)) == value


@pytest.mark.parametrize(
    ("arrival", "words"),
    [
        ("closed", "think 20ms"),
        ("rate:500", "arrive at 500/s"),
        ("burst", "arrive together in rounds,"),
        ("burst:50ms", "arrive together in rounds 50ms apart"),
    ],
)
def test_the_words_tell_how_transactions_arrive(arrival: str, words: str) -> None:
    assert words in from_mapping({"arrival": arrival}).in_words()
