"""How to read the dashboard of `watch`: a paragraph for each panel, and what cannot be seen."""

from __future__ import annotations

from typing import Final

from sqlwatch.diagnose.hidden import hidden_words
from sqlwatch.tui.common_guide import COMMON_GUIDE
from sqlwatch.tui.help_screen import Guide
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_GUIDE: Final = (
    (
        "What you see",
        "One SQLite database, from outside: who holds its locks, who seems to wait, and what is wrong. The database "
        "is only read, without taking any lock, so the programs that use it notice nothing. '>' and 'at least' stand "
        "where something began before we looked, '~' where a thing is inferred, and a dash where it is not known. "
        "BEHIND in the header: this machine was too busy for a tenth of the looks. NO NEWS: nothing has been seen for "
        "so long, and what is shown is so old.",
    ),
    (
        "Findings",
        "What is wrong now, the gravest first, and for how long. CRITICAL: somebody is blocked, or data is in "
        "danger. WARNING: it costs time, or will. info: worth knowing. Below stands what to do: 'now' frees the lock, "
        "'then' keeps it from happening again. Enter shows the evidence, too.",
    ),
    (
        "Locks now",
        "SQLite lets one process write at a time. 'write' is that right; whoever has it while it sleeps, waits for "
        "the network or is stopped makes all others wait. 'waiting' names processes that sleep just as SQLite does "
        "between two tries. A reader keeps its snapshot of the database as long as its transaction is open. "
        "'checkpoint' copies the WAL into the database. 'exclusive' shuts everybody else out. 'recover' rebuilds the "
        "index of the WAL after a crash. With a rollback journal a writer goes from 'reserved' over 'pending' to "
        "'exclusive', and the last two keep readers out.",
    ),
    (
        "Write lock",
        "A lane a process over the last seconds. {holds} held the write lock in some of the looks up to all of "
        "them; {waiting} seemed to wait; {idle} neither. The figure at the right is its share of the last ten "
        "seconds. We look some hundred times a second, so a hold shorter than the time between two looks may be "
        "missed. [ and ] show less or more time. Left freezes and goes back through the holds and waits of the process "
        "under the cursor, right goes on; enter tells all of one: how long, on which rungs it was found asleep, who "
        "held the lock meanwhile. What two looks or more found is a hold that can be selected so.",
    ),
    (
        "Processes",
        "Everybody who has the database open, holds a lock or seems to wait. 'lock' is the share of the last ten "
        "seconds in which it held the write lock, 'longest' its longest hold since we look, 'waits' how long it has "
        "seemed to wait, 'pins' how many frames it holds back, 'does' the system call it is in. Enter shows all that "
        "is known.",
    ),
    (
        "WAL",
        "Commits are appended to the -wal file. {checkpoint} is a checkpoint: frames are copied into the database. "
        "{reset} is a reset: the next writer begins at the start of the file again; {both} is both at about the "
        "same time. The file does not shrink by itself. 'to do' are frames not copied yet, 'frames' those in use. A "
        "reader with an old snapshot PINS the WAL: frames after its own cannot be copied or reused until it ends, and "
        "the file grows. Tab to this panel and press f: each of the three gets a chart.",
    ),
    (
        "Commits",
        "Commits a second that wrote something, of all processes together, counted from the files themselves.",
    ),
    (
        "Busy errors",
        "'database is locked' is seen only by the program that gets it. It becomes visible here if that program logs "
        "it and you start with --log FILE. Without a log nothing is known, which is not the same as none. On a small "
        "screen the newest lines stand in place of the commits; 5 and 7 choose.",
    ),
    *COMMON_GUIDE,
)


def guide_for(view: View) -> Guide:
    """Return the paragraphs, and what cannot be seen of this database by this user."""
    if view.observation is None:
        return _GUIDE
    hidden = hidden_words(view.observation)
    words = "; ".join(clean(text) for text in hidden) if hidden else "Nothing that we look for is hidden from us."
    never = "Never visible from outside: threads that wait for each other inside one process, and the text of SQL."
    return (*_GUIDE, ("Not visible here and now", f"{_escaped(words)}. {never}"))


def _escaped(text: str) -> str:
    """Return a text whose braces stay braces where the guide's signs are filled in."""
    return text.replace("{", "{{").replace("}", "}}")
