"""Large exports read on disk: SQL for the mass of resources, the mapping for every other one."""
