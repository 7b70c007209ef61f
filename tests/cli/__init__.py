"""The command line: every command against a real control socket with canned answers."""
