"""The header of `watch`: which database, its journal mode, commits, and how well we see."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, whole_parts, width_of
from sqlwatch.diagnose.hidden import hidden_words
from sqlwatch.metrics.observations import Database, JournalMode
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.tui.header import figure, filled
from sqlwatch.tui.panel import Rows
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import short_path

_LEAST_PATH = 12


class WatchHeader(Rows):
    """One or two lines at the top; the path gets the room that the figures of the first line leave."""

    STAYS_LIVE = True

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return badge, path and figures, and in the second line what did not fit and the facts of the file."""
        badges = _badges(view)
        observed, snapshot = view.observation, view.snapshot
        if observed is None or snapshot is None:
            return [whole_parts(badges, width)]
        figures = _figures(snapshot, observed)
        taken = width_of(whole_parts([*badges, *figures[:3]], 9999)) + 2
        path = (Segment(short_path(observed.database, max(width - taken, _LEAST_PATH)), Ink.STRONG),)
        first, rest = filled([*badges, path, *figures], width)
        if height < 2:
            return [first]
        return [first, whole_parts([*rest, *_facts(observed)], width)]


def _badges(view: View) -> list[Row]:
    """Return the name, and each state that needs attention as a word inside its colour."""
    observed = view.observation
    words = []
    if view.frozen:
        words.append("FROZEN")
    if view.status not in (Status.STARTING, Status.RUNNING, Status.WARMING_UP):
        words.append(view.status.value.upper())
    if observed is not None and observed.absent is not None:
        words.append("NO DATABASE")
    if observed is not None and observed.is_silent:
        words.append(f"NO NEWS {units.duration(observed.unheard_ns)}")
    elif observed is not None and observed.is_behind:
        words.append("BEHIND")
    badges: list[Row] = [(Segment(" sqlwatch watch ", Ink.CONTENDED_BADGE),)]
    if view.status is Status.STARTING:
        badges.append((Segment("starting"),))
    return badges + [(Segment(f" {word} ", Ink.ALERT_BADGE),) for word in words]


def _figures(snapshot: Snapshot, observed: Observed) -> list[Row]:
    """Return the figures, the most important first."""
    look = observed.look
    figures: list[Row] = [(Segment(units.clock(snapshot.elapsed_ns), Ink.STRONG),)]
    if look is not None:
        mode = "WAL" if look.facts.journal_mode is JournalMode.WAL else "rollback journal"
        figures.append((Segment(mode, Ink.STRONG),))
    is_there = observed.absent is None
    figures.append(figure(units.rate(snapshot.commits_per_s if is_there else None), units.RATE_WIDTH, "commits"))
    held = observed.write_utilisation if is_there else None
    figures.append(figure(units.share(held), units.SHARE_WIDTH, "write lock held"))
    if observed.busy is not None and observed.busy.is_read:
        errors = observed.busy.busy_errors
        ink = Ink.WARNING if errors else Ink.STRONG
        figures.append(figure(units.count(errors), 1, "busy errors", ink))
    else:
        why = "no --log" if observed.busy is None else "no log yet"
        figures.append((*figure(units.UNKNOWN, 1, "busy errors"), Segment(f" ({why})", Ink.MUTED)))
    figures.append(_rate(observed))
    figures.append(figure(units.share(snapshot.own_cpu), 3, "own CPU"))
    return figures


def _rate(observed: Observed) -> Row:
    """Say how often we look and, where looks are missed, how many."""
    words = figure(f"{observed.sample_rate_hz:.0f}/s", 1, "looks")
    if not observed.is_behind:
        return words
    due = observed.looks + observed.missed
    return (*words, Segment(f" {units.share(observed.missed / due)} missed", Ink.WARNING))


def _facts(observed: Observed) -> list[Row]:
    """Return what is known of the file, and how much cannot be seen."""
    facts: list[Row] = []
    hidden = len(hidden_words(observed)) - (observed.busy is None)  # the figures say that no log is read
    if hidden:
        some = f"{hidden} things" if hidden > 1 else "1 thing"
        facts.append((Segment(f"{some} not visible, see ?", Ink.MUTED),))
    if observed.look is not None:
        facts += [(Segment(text, Ink.MUTED),) for text in _file_words(observed.look.facts)]
    return facts


def _file_words(facts: Database) -> list[str]:
    words = [f"database {units.size(facts.file_bytes)}, pages of {units.size(facts.page_size)}"]
    if facts.file_system is not None:
        words.append(f"on {clean(facts.file_system)}{', a network file system' * bool(facts.is_network_file_system)}")
    if facts.sqlite_version:
        major, rest = divmod(facts.sqlite_version, 1_000_000)
        words.append(f"written by SQLite {major}.{rest // 1000}.{rest % 1000}")
    if facts.is_mounted_read_only:
        words.append("mounted read-only")
    return words
