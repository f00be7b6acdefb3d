"""Getting things out of a dashboard: files of what is on screen, and its text for the clipboard."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlwatch.tui.panel import Panel, Rows

if TYPE_CHECKING:
    from sqlwatch.tui.export import Exporter
    from sqlwatch.tui.listed_app import ListedApp
    from sqlwatch.tui.view import View


def export(app: ListedApp, exporter: Exporter, view: View) -> str:
    """Write picture, text and figures of what is on screen; return a sentence for the notice."""
    texts = {".svg": app.export_screenshot(title="sqlwatch"), ".txt": screen_text(app)}
    if view.snapshot is not None:
        texts |= exporter.figures(view.snapshot, view.headline, view.findings, view.lesson)
    return exporter.write(texts, datetime.now())


def copied_text(app: ListedApp) -> tuple[str, str]:
    """Return what to copy, in words, and its text: the screen above the panels, or the panel that has the focus.

    Without either it is the headline and the table.
    """
    if app.page_text:
        return "this page", app.page_text
    if isinstance(app.focused, Panel):
        return app.focused.TITLE, app.focused.text.rstrip()
    headline = app.screen_stack[0].query_one("#headline", Rows).text
    return f"headline and {app.table.THINGS}", f"{headline.rstrip()}\n\n{app.table.text.rstrip()}"


def screen_text(app: ListedApp) -> str:
    """Return the text of what is on screen: of the screen above the panels, or of each panel, the upper ones first."""
    if app.page_text:
        return app.page_text
    shown = [rows for rows in app.screen_stack[0].query(Rows) if rows.display and rows.id != "footer"]
    shown.sort(key=lambda rows: (rows.region.y, rows.region.x))
    return "\n\n".join(rows.text.rstrip() for rows in shown if rows.text.strip())
