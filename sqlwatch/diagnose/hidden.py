"""What could not be seen, in words: it is named, and never shown as 0."""

from __future__ import annotations

from typing import Final

from sqlwatch.charts import units
from sqlwatch.metrics.observations import Hidden
from sqlwatch.metrics.observed import Observed

ALWAYS_HIDDEN: Final = (
    "threads and connections of one process, contention inside one process, and SQL text: not visible from outside"
)
LOG_HINT: Final = "run with --log FILE, the application's log"


def hidden_words(observed: Observed) -> tuple[str, ...]:
    """Return a phrase for each thing that this observation could not see here and now."""
    words: list[str] = []
    look, busy = observed.look, observed.busy
    if observed.is_silent:
        words.append(f"anything for {units.duration(observed.unheard_ns)}: the sampler was stopped or starved")
    if look is not None:
        hidden = dict.fromkeys(look.hidden)
        if look.waiters is None:
            hidden[Hidden.WAITERS] = None
        if look.open_files is None:
            hidden[Hidden.DESCRIPTORS] = None
        words += [one.value for one in hidden]
    if observed.is_behind:
        due = observed.missed + observed.looks
        words.append(f"{observed.missed} of {due} looks: this machine was too busy to take them all")
    if busy is None:
        words.append(f"busy errors: {LOG_HINT}")
    else:
        words += [f"busy errors: {trouble}" for trouble in busy.trouble]
        if not busy.sources and not busy.trouble:
            words.append("busy errors: there is no log to read yet")
    return tuple(words)
