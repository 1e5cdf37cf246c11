"""CDS Hooks 2.0: what an EHR asks when a chart is opened or an order is chosen."""
