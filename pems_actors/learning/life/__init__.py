"""The life of a model: trained, kept, watched, promoted, demoted."""
