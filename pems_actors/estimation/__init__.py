"""What we believe about states that nobody measures, and how far a measurement may be believed.

`freshness` judges one sensor by its own timer, `thermal_filter` carries screed, air and structure
of every room through gaps, `house_state` assembles the one frozen picture that planning starts
from. `inspection` holds each picture against the model: `sensor_watch` (stuck, jumping, slipped),
`window_watch`, `relay_watch` with `heat_runs`; `wording` says what was found and `striking` takes
it out of the picture. Everything is pure: `now` is an argument, a new belief is a new value.

Decisions: the filter has one constant gain per room with the neighbours taken as known, because
the walls between rooms couple weakly; a silent room then needs no gain of its own, it is only
predicted, and one minute of 17 rooms costs some 20 µs instead of a covariance of 68 states.
A fault is judged against a model that nobody corrects meanwhile: one that is corrected every
minute learns the fault. Thresholds stand where days of healthy simulated houses, with true
parameters 10 to 25 % off, never came; each is written down with what was found.
"""
