"""The keys of `watch` are those of `simulate` where they mean the same, and every one works."""

from __future__ import annotations

from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.keys import GROUPS, KEYS, bindings
from sqlwatch.tui.watch_app import WatchApp
from sqlwatch.tui.watch_keys import WATCH_KEYS, watch_keys_markdown


def test_every_key_has_an_action() -> None:
    for key in WATCH_KEYS:
        assert hasattr(WatchApp, f"action_{key.action.partition('(')[0]}"), key.action
        assert key.group in GROUPS


def test_no_key_and_no_id_is_used_twice() -> None:
    names = [name for key in WATCH_KEYS for name in key.keys]
    assert len(names) == len(set(names))
    ids = [binding.id for binding in bindings(WATCH_KEYS)]
    assert len(ids) == len(set(ids))


def test_a_key_means_the_same_in_both_dashboards() -> None:
    simulate = {name: key for key in KEYS for name in key.keys}
    for key in WATCH_KEYS:
        for name in key.keys:
            if name in simulate:
                assert (simulate[name].action, simulate[name].shown) == (key.action, key.shown)
                assert simulate[name].id == key.id


def test_the_table_has_a_row_for_every_key() -> None:
    table = watch_keys_markdown().splitlines()
    assert len(table) == len(WATCH_KEYS) + 2
    assert any(row.startswith("| `enter` | show the detail |") for row in table)
    assert not any("workload" in row for row in table)


def test_keys_of_a_page_of_detail_are_those_of_the_dashboard() -> None:
    known = {name for key in WATCH_KEYS for name in key.keys} | {"left", "right"}  # its own: said in its first line
    for binding in DetailScreen.BINDINGS:
        assert set(binding.key.split(",")) <= known  # type: ignore[union-attr]
