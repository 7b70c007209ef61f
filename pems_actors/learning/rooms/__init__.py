"""The thermal parameters of all rooms together, identified from what was measured."""
