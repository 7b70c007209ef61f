"""Clean tables from anyone's columns: what was read, what was masked, and what was said."""
