"""The command line: a file a command; options in, exit code out.  Importing it imports neither Textual nor apsw."""
