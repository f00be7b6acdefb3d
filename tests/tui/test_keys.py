"""Keys are defined once, and every definition works."""

from __future__ import annotations

from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.keys import GROUPS, KEYS, bindings, keys_markdown


def test_every_key_has_an_action() -> None:
    for key in KEYS:
        assert hasattr(SimulateApp, f"action_{key.action.partition('(')[0]}"), key.action
        assert key.group in GROUPS


def test_no_key_and_no_id_is_used_twice() -> None:
    names = [name for key in KEYS for name in key.keys]
    assert len(names) == len(set(names))
    ids = [binding.id for binding in bindings()]
    assert len(ids) == len(set(ids))


def test_the_table_has_a_row_for_every_key() -> None:
    table = keys_markdown().splitlines()
    assert len(table) == len(KEYS) + 2
    assert "| `q`, `ctrl+c` | quit | End the workload and print the summary. |" in table
