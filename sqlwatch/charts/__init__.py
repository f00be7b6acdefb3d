"""Charts as text: pure functions from values to rows of styled text, used by the dashboard and by the reports."""
