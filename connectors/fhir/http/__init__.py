"""HTTP to a FHIR server: one origin, bounded answers, counted retries, pages that end."""
