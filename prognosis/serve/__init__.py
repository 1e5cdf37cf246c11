"""The service: risks over HTTP and CDS Hooks, with who may ask, and an audit of what was answered."""
