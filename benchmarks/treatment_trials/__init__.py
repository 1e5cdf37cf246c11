"""The treatment estimates on published trials and one observational cohort: docs/treatment-trials.md."""
