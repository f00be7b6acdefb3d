"""What is left of a session when it is over: as text for people, as JSON for programs, and as a verdict for scripts."""
