"""What was asked and answered, written before the answer goes out, as a chain that shows any change."""

from prognosis.serve.audit.entry import Entry
from prognosis.serve.audit.log import AuditLog
from prognosis.serve.audit.verify import Verified, verify_audit

__all__ = ["AuditLog", "Entry", "Verified", "verify_audit"]
