// A CDS client that is not this project's: it discovers, prefetches and calls as @medplum/core does.
// Arguments: the folder of node_modules, the service's address, a patient id, a file with the chart by prefetch key.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [modules, base, patient, chartFile] = process.argv.slice(2);
globalThis.WebSocket ??= class {};
const index = `${modules}/@medplum/core/dist/esm/index.mjs`;
const { MedplumClient, buildCdsRequest } = await import(pathToFileURL(index).href);
const chart = JSON.parse(readFileSync(chartFile, 'utf8'));

// The EHR's own FHIR server, as far as the prefetch asks it; everything else goes over the wire.
async function fetchAsEhr(url, options) {
  const { pathname } = new URL(url);
  if (!pathname.startsWith('/fhir/R4/')) return fetch(url, options);
  const kind = pathname.split('/')[3];
  const found = chart[kind[0].toLowerCase() + kind.slice(1)];
  return new Response(JSON.stringify(found), { status: 200, headers: { 'content-type': 'application/fhir+json' } });
}

const client = new MedplumClient({
  baseUrl: `${base}/`, cdsServicesUrl: `${base}/cds-services`, fetch: fetchAsEhr, cacheTime: 0,
});
const { services } = await client.getCdsServices();
const service = services.find((each) => each.hook === 'patient-view');
const user = { resourceType: 'Practitioner', id: '1' };
const request = await buildCdsRequest(client, user, service, { userId: 'Practitioner/1', patientId: patient });
const answer = await client.callCdsService(service.id, request);
console.log(JSON.stringify({ services, keys: Object.keys(request.prefetch), answer }));
