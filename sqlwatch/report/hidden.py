"""What could not be seen, in words: it is named, and never shown as 0."""

from __future__ import annotations

from sqlwatch.metrics.observed import Observed

_ALWAYS = (
    "threads and connections of one process, contention inside one process, and SQL text: not visible from outside"
)
_NO_LOG = "busy errors: run with --log FILE, the application's log"


def hidden_words(observed: Observed) -> tuple[str, ...]:
    """Return a phrase for each thing that this observation could not see, the most telling first."""
    words: list[str] = []
    if observed.look is not None:
        words += [hidden.value for hidden in observed.look.hidden]
    if observed.is_behind:
        words.append(
            f"{observed.missed} of {observed.missed + observed.looks} looks: this machine was too busy to take them all"
        )
    if observed.busy is None:
        words.append(_NO_LOG)
    else:
        words += [f"busy errors: {trouble}" for trouble in observed.busy.trouble]
        if not observed.busy.sources:
            words.append("busy errors: there is no log to read yet")
    return (*words, _ALWAYS)
