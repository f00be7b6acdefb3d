"""Pure statistics: events in, one frozen Snapshot out.  No clock, no input or output, no Textual."""
