"""One patient under each arm of a task: what is expected, the difference, why, or why nothing is said."""
