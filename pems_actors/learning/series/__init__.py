"""Day-ahead models of a series: members, their true errors, and bands made of those."""
