"""How to read the dashboard of `simulate`: a paragraph for each panel."""

from __future__ import annotations

from typing import Final

from sqlwatch.tui.common_guide import COMMON_GUIDE

GUIDE: Final = (
    (
        "What you see",
        "Many processes want to write to one SQLite database, and SQLite lets one write at a time. A writer that "
        "finds the write lock taken does not queue: it sleeps and looks again. Who looks at the right moment "
        "wins. Blue is that fight (contended), orange one writer that serves a queue (single-writer); green-blue holds "
        "the write lock, grey waits, red is waste, an error or somebody who starves.",
    ),
    (
        "Lock waits",
        "A lock wait is the time from asking for the write lock until having it. To the right is longer, from 1us "
        "to 30s, ten times longer with each tick; the axis never moves. A bar is the share of a mode's waits of "
        "that length. {rung} marks SQLite's backoff rungs: a waiter sleeps 1, 2, 5, 10, 15, 20, 25, 25, 25, 50, "
        "50ms and then 100ms each time, so it can only notice a free lock after 1, 3, 8, 18, 33, 53, 78, 103, "
        "128, 178, 228ms, and every 100ms from there. Bars that stand on the rungs are waits that slept past the "
        "moment the lock was free. The row 'waiting' counts the writers that wait at this moment, by their wait "
        "so far: a digit far to the right is a writer that starves, and + stands for ten or more.",
    ),
    (
        "Lock timeline",
        "The last moments, a lane a worker; w is a writer, r a reader, s the single writer. {holds} holds the write "
        "lock, {full} all of the time. {waiting} ({partly_asleep}) waits asleep: it cannot notice that the lock is "
        "free until it looks again, at {rung}, where it finds the lock taken once more and sleeps longer. {queued} "
        "({partly_queued}) waits awake or in a queue, {reading} ({partly_reading}) reads; the signs in brackets stand "
        "for less than half of the time. {error} is a busy error, {idle} nothing of all that. On top 'held' says when "
        "anybody had the lock, and 'wasted' when nobody had it while somebody waited: look down such "
        "a column, and you see them all asleep. That is where the throughput goes, "
        "and it is what one press of m takes away. At the right: each worker's share of the time in sight. Where "
        "short transactions are only counted, {shades} shows how much of the time they held, the title says "
        "'sampled', and a ~ stands before the share. [ and ] show less or more time. Space freezes; then left and "
        "right go from wait to wait of the selected worker, up and down to another worker, and enter tells which "
        "rungs it slept and who held the lock meanwhile, also of a wait or hold that still goes on: there space lets "
        "it grow, and when it ends, the page tells its end. With a mouse, click on an event, and again for its page; "
        "the wheel zooms. What is newer than 0.2s is still on its way and not drawn; while the workload is paused, the "
        "last moments before that stay. Where not all lanes have room, the selected worker's has, then those of who "
        "wins and who starves.",
    ),
    (
        "Throughput",
        "Commits a second of all writers. {mode} marks a change of mode, {ended} the end of a worker; the colour of "
        "the bars is the mode's. The first ones are grey: the warm-up (--warm-up), which counts in no phase. Where the "
        "workload was paused, the line of marks says so, and for how long.",
    ),
    (
        "WAL",
        "Commits are appended to the -wal file. {checkpoint} is a checkpoint: frames are copied into the "
        "database. {reset} is a reset: the next writer begins at the start of the file again; {both} is both "
        "at about the same time. 'frames' are those in use; the file itself does not shrink. A reader that keeps an "
        "old snapshot pins the WAL, and it grows.",
    ),
    (
        "Workers",
        "'waits' is the wait for the lock that is growing now, 'longest' the longest one; 'done' are commits "
        "(reads for a reader), 'share' is a writer's part of all commits. STARVED: it has waited longer than its "
        "fair turn ten times over, and over 1s. In single-writer mode one process owns the write lock, and "
        "'queue' says how many wait for it: the waiting moved, it did not vanish.",
    ),
    (
        "Modes compared",
        "The same figures for the newest phase of each mode that has run, or in a lesson for its phases: the one that "
        "the others are measured against, and those that ran last. The ratio says how many times the first one's "
        "figure the last one's is. "
        "Latency p99: 99 of 100 commits were faster, measured in the "
        "client until the commit was acknowledged. 'wasted' is the time in which the lock was free while a writer "
        "waited, asleep. Jain's index is 1 where all writers got the same and 1/n where one got everything. A ~ "
        "stands before a sampled figure.",
    ),
    (
        "Lesson",
        "A lesson asks a question and answers it by phases: the same workload with one thing changed. The panel says "
        "which phase runs now and what to watch in it; as phases end, it says which expected effects have shown, with "
        "the figure measured here (what was expected stands in brackets; 5x is five times the figure of the other "
        "phase). n ends the present phase early, N holds phases until n is pressed, L hides the panel, and enter on "
        "the focused panel shows all that the lesson says. m works here too, but what runs in another mode than the "
        "phase's own is a phase apart (switched in ...) and counts for nothing in the lesson; m goes back, and what "
        "runs from there counts. After the last phase the comparison opens by itself.",
    ),
    (
        "Comparison",
        "c puts the phases side by side, at any time, as far as they have run: verdict, effects, figures with ratios, "
        "what the source published, why, and when it would not happen. Without a lesson it compares the modes: run "
        "one, press m, run the other, press c. It opens by itself where such a run ends by itself.",
    ),
    (
        "Findings",
        "What is wrong in the phase that runs now, the gravest first, as the summary will say it: a change of mode or "
        "0 begins anew. Enter shows the evidence, with its figures, and what to do.",
    ),
    (
        "A worker",
        "Enter shows all that is known of the worker under the cursor: its part of the commits against a fair "
        "share, its own lock waits on the same axis as those of all, its longest streak (commits in a row; a dash "
        "where short ones were only counted), what it did in the last seconds (samples of its state, 20 a second), "
        "its errors in SQLite's words, and its newest transactions. Left and right go to its neighbours.",
    ),
    *COMMON_GUIDE,
)
"""Title and words; the signs of the glyph set stand in braces."""
