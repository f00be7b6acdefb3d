"""One hold of the write lock, or one wait for it, as the looks found it, and what others did meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Segment
from sqlwatch.metrics.lane_events import EventKey
from sqlwatch.metrics.lock_spans import KEPT_SPANS, LockSpan, SpanKind
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.span_meanwhile import holders_during, waiters_during
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_track import span_under
from sqlwatch.tui.watch_words import command_of, holder_words, length_words

_MOST: Final = 20
_LEAST_SHARE: Final = 0.001


def span_page(event: EventKey) -> Callable[[View], Page]:
    """Return what makes the page of a hold or a wait; it grows as long as that goes on."""

    def make(view: View) -> Page:
        observed = view.observation
        span = span_under(observed, event) if observed is not None else None
        if observed is None or span is None:
            words = f"It is not kept any more: only the newest {KEPT_SPANS:,} holds and waits of the last minute are."
            return (Section("Hold or wait", Ink.STRONG, (line("", words),)),)
        return _page(span, observed, view)

    return make


def _page(span: LockSpan, observed: Observed, view: View) -> Page:
    who = _name(observed, span.pid)
    if span.kind is SpanKind.WAITED:
        title = f"{who} {'seems' if span.goes_on else 'seemed'} to wait for the lock"
        return (
            Section(title, Ink.WAITS, _what(span, observed, view)),
            Section("How it slept (inferred)", Ink.RUNG, _naps(span)),
            Section("Who held the write lock meanwhile", Ink.HOLDS, _holders(span, observed)),
        )
    title = f"{who} {'holds' if span.goes_on else 'held'} the write lock"
    return (
        Section(title, Ink.HOLDS, _what(span, observed, view)),
        Section("Who seemed to wait meanwhile (inferred)", Ink.WAITS, _waiters(span, observed)),
    )


def _name(observed: Observed, pid: int) -> str:
    return holder_words(pid, observed.process(pid), brief=True)


def _what(span: LockSpan, observed: Observed, view: View) -> tuple[Line, ...]:
    now_ns = view.snapshot.at_ns if view.snapshot is not None else span.until_ns
    label = {(SpanKind.HELD, True): "holds", (SpanKind.HELD, False): "held"}.get((span.kind, span.goes_on))
    label = label or ("waits" if span.goes_on else "waited")
    growing = (" so far, frozen; space lets it grow" if view.frozen else " so far, growing") if span.goes_on else ""
    length = length_words(span, observed.sample_rate_hz)
    lines = [
        line("who", command_of(observed.process(span.pid))),
        line("began", f"{units.duration(now_ns - span.since_ns)} before this picture"),
        Line(label, (Segment(length, Ink.STRONG), Segment(growing, Ink.MUTED))),
        line("", _exactness(span, observed), Ink.MUTED),
    ]
    return tuple(lines)


def _exactness(span: LockSpan, observed: Observed) -> str:
    """Say how far the length of a span can be off."""
    if span.kind is SpanKind.WAITED and not span.length_ns:
        return "inferred by a single look at how it sleeps, of four a second; it may have waited longer"
    if span.kind is SpanKind.WAITED:
        return "at least: looks at how it sleeps are four a second, so it may have waited half a second longer"
    look = units.duration(1e9 / observed.sample_rate_hz)
    if span.is_lower_bound:
        return "at least: it held the lock when the looks began"
    return f"sampled: from the first to the last look that found it, and half of the {look} between looks at either end"


def _naps(span: LockSpan) -> tuple[Line, ...]:
    """Return the rungs of SQLite's ladder on which the looks found it."""
    return tuple(
        line(f"{units.duration(nap_ns)} rung", f"found asleep on it by {looks} look{'s' * (looks != 1)}")
        for nap_ns, looks in span.naps
    ) or (line("", "Unknown."),)


def _holders(span: LockSpan, observed: Observed) -> tuple[Line, ...]:
    holders = holders_during(observed, span)
    if holders is None:
        return (line("", "Unknown: nobody looked, or it is not kept any more."),)
    shown = [one for one in holders if one.share >= _LEAST_SHARE][:_MOST]
    lines = [line(_name(observed, one.pid), f"held it at {units.share(one.share)} of the looks") for one in shown]
    if len(holders) > len(shown):
        lines.append(line("others", f"{len(holders) - len(shown)} more, of whom each held it less"))
    free = max(1 - sum(one.share for one in holders), 0.0)
    words = f"at {units.share(free)} of the looks nobody held it"
    lines.append(line("free", words, Ink.WARNING if free >= 0.1 else Ink.TEXT))
    return tuple(lines)


def _waiters(span: LockSpan, observed: Observed) -> tuple[Line, ...]:
    if observed.look is None or observed.look.waiters is None:
        return (line("", "Not visible: needs root or the same user."),)
    waiters = waiters_during(observed, span)
    if not waiters:
        return (line("", "Nobody, as far as four looks a second tell."),)
    lines = []
    for one in waiters[:_MOST]:
        words = f"for {units.duration(one.waited_ns)} of it" if one.waited_ns else "at one look"
        lines.append(line(_name(observed, one.pid), words))
    if len(waiters) > _MOST:
        lines.append(line("others", f"{len(waiters) - _MOST} more"))
    return tuple(lines)
