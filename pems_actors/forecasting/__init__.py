"""What we expect of weather, prices, sun, load and rooms: pure models, `now` is an argument.

Each predictor is a frozen value: it learns by returning its successor and always answers with a
whole, finite forecast that says in `source` which rung of its ladder the figures came from. A
predictor that has seen nothing answers from a prior. The actors around them carry the post.

Decisions: plain floats in the core, because a forecast of 200 slots costs less than importing a
data library; the PV physics (pvlib) runs in a worker process (`pv_worker`). Weekly and daily
profiles of consumption follow local time, because people do; those of the sun follow UTC.
"""
