"""What the house learns from its own past: forecasts and room models that earn their trust.

Pure: tables in, frozen models and quantiles out. It knows pandas, xgboost, statsmodels and pvlib, and is
imported by workers, benches and commands only, never by the core process.
"""
