"""What the house learns from its own past: forecasts and room models that earn their trust.

Pure: tables in, frozen models and quantiles out. Anyone's columns become clean `tables`, tables
become sheets of local `days`, sheets become `features`; `series` and `pv` learn from them, `rooms`
from heat and temperatures, and `life` trains, keeps score and decides who serves. What learns knows
pandas, xgboost, statsmodels and pvlib and is imported by workers, benches and commands only. What
keeps score (`card`, `contest`, `drift`, `trust`, `champion`, `store`, `jobs`, `past` of `life`, and
`room_jobs` and `room_model` beside them) is plain Python: the core imports that alone.

Decisions: trust belongs to a recipe and its versions inherit it, because a weekly refit is the same
procedure; a new version that does worse on days new to both is refused. All rivals are kept as
issued, and only issues made before the fact are scored. A model is held against whatever would
serve in its place, so whoever is taken down is replaced by something that does better just now.
Bands are stretched by their live record until eight in ten truths lie inside.

Rooms are trusted one by one, by free runs through days that came later, against the same rooms as
configured: that is what would serve in their place. A gain of 15 % over seven days is asked, since
a plan stands on it for two; an error under 0.15 K is never called a drift, as sensors are no finer.
The trusted ones are joined with the others to one house model; it goes to the estimator and from
there with every state to planner, check and frost outlook, so that none can reckon by another. The
rooms' own rules and the floors' limits stay with the configuration: safety must not depend on
learning.
"""
