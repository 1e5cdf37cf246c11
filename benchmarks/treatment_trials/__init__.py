"""The treatment estimates on published trials and one published observational cohort; docs/treatment-trials.md."""
