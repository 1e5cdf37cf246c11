"""A CDS client that is not this project's: HealthChain's SandboxClient; run by the Python that has it.

Arguments: the service's address, a patient id, a file with the chart by prefetch key.
"""

import json
import sys

from healthchain.models.hooks import PatientViewContext
from healthchain.models.responses.cdsresponse import CDSResponse
from healthchain.sandbox import SandboxClient

url, patient, chart = sys.argv[1:]
client = SandboxClient(url=f"{url}/cds-services/prognosis-patient-view", workflow="patient-view")
client.load_from_path(chart)
for request in client.requests:
    request.context = PatientViewContext(userId="Practitioner/1", patientId=patient)
answers = client.send_requests()
cards = [CDSResponse.model_validate(each).model_dump(mode="json") for each in answers]
sys.stdout.write(json.dumps(cards) + "\n")
