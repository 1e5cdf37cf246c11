"""FHIR Bulk Data Access: a server's export, asked for, waited for, downloaded and verified."""
