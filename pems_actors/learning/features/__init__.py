"""The feature registry: everything a forecast may know about a slot, and from when on."""
