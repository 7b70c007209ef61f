"""Measurements: one file per `pems bench NAME`, each a `run(quick) -> dict` of figures as data."""
