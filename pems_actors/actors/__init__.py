"""Thin shells: each actor carries the post of one noun and lets a pure function decide.

Actors meet by message, never by import: no module here imports another one except `base` and
`device_writer`. All of an actor's memory is one frozen `state`, which its supervisor keeps after
each good message, so that a successor goes on where the last good message left off.
"""
