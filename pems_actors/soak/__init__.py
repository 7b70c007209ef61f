"""The soak: many seeded stories of the whole appliance on virtual time, each one judged.

`stories.py` draws a story from a seed, `witness.py` swears to what happens in it, the judge is
`simulation/invariants`. `telling.py` tells one, `crew.py` many on several processes, `shrinking.py`
finds the least that still fails, `figures.py` sums up.
"""
