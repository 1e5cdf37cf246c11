"""A package, because one of the benchmarks' dependencies installs another package called `tests`."""
