/** One error of the schema validator (ajv). */
export interface SchemaViolation {
  /** JSON pointer to the value. */
  readonly instancePath: string;
  /** The keyword of JSON Schema that the value does not satisfy. */
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The name of a member, when it is not the value that is wrong. */
  readonly propertyName?: string;
  readonly message?: string;
}

/** One way in which a document differs from the specification. */
export interface LintFinding {
  /** Keys from the root of the document; items of lists by index. */
  readonly path: readonly string[];
  /** Whether the value at `path` is wrong, or its name, or what is in it. */
  readonly target: "key" | "value";
  readonly message: string;
}

/** Keywords that only say that something inside of them failed. */
const combining: ReadonlySet<string> = new Set(["oneOf", "anyOf", "if", "propertyNames"]);

const listed = new Intl.ListFormat("en", { type: "disjunction" });

/**
 * Makes findings for people of a validator's errors. Where several forms are allowed, a validator reports each of them; here
 * the ones that were not meant are left out, as far as one can tell: those that fail at the very value of which another one
 * fails further inside.
 *
 * @param version how messages name the specification.
 */
export function reduceViolations(
  violations: readonly SchemaViolation[],
  version: string,
): readonly LintFinding[] {
  const groups = Map.groupBy(
    violations.filter((violation) => !isMistaken(violation, version)),
    ({ instancePath }) => instancePath,
  );
  const parents = new Set(
    [...groups].flatMap(([path, group]) => (group.some(speaks) ? ancestorsOf(path) : [])),
  );
  return [...groups].flatMap(([path, group]) => reduceGroup(path, group, parents.has(path), version));
}

/** What the library's schemas get wrong: the one of 3.1 is a draft from before the publication of that version. */
function isMistaken({ instancePath, keyword }: SchemaViolation, version: string): boolean {
  if (!version.endsWith("3.1")) return false;
  // It lacks keys, and says of each object with a mistake inside that it has unknown ones.
  if (keyword === "unevaluatedProperties" || instancePath === "/info/license") return true;
  // It takes extensions of callbacks for callbacks.
  return /\/callbacks\/.*\/x-[^/]*$/.test(instancePath);
}

/** Whether an error says something of its own. */
function speaks({ keyword, params }: SchemaViolation): boolean {
  return !combining.has(keyword) && params["missingProperty"] !== "$ref";
}

function ancestorsOf(pointer: string): readonly string[] {
  const ancestors: string[] = [];
  for (let end = pointer.lastIndexOf("/"); end >= 0; end = pointer.lastIndexOf("/", end - 1)) {
    ancestors.push(pointer.slice(0, end));
    if (end === 0) break;
  }
  return ancestors;
}

function reduceGroup(
  pointer: string,
  group: readonly SchemaViolation[],
  hasDeeper: boolean,
  version: string,
): readonly LintFinding[] {
  const path = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const hasForms = group.some(({ keyword }) => keyword === "oneOf" || keyword === "anyOf");
  const spoken = group.filter(speaks);
  if (spoken.length === 0) {
    if (hasDeeper || !hasForms) return [];
    const isSeveral = group.some(({ params }) => Array.isArray(params["passingSchemas"]));
    const message = isSeveral
      ? `This has two forms at once, and ${version} allows one of them here.`
      : `This has none of the forms that ${version} allows here.`;
    return [{ path, target: "key", message }];
  }
  const findings: LintFinding[] = [];
  const missing = namesOf(spoken, "required", "missingProperty");
  if (hasForms && !hasDeeper && missing.length > 0) {
    findings.push({ path, target: "key", message: describeMissing(listed.format(missing), version) });
  }
  for (const violation of spoken) {
    const { keyword, params } = violation;
    const unknown = params["additionalProperty"];
    if (typeof unknown === "string") {
      if (unknown === "$ref" && hasDeeper) continue;
      const message = `\`${unknown}\` is not a key that ${version} has here. Remove it, or begin its name with \`x-\`.`;
      findings.push({ path: [...path, unknown], target: "key", message });
    } else if (!hasForms || (!hasDeeper && keyword !== "required")) {
      const { propertyName: name } = violation;
      const target = name !== undefined || keyword === "required" ? "key" : "value";
      const message = describe(violation, version);
      findings.push({ path: name === undefined ? path : [...path, name], target, message });
    }
  }
  const unique = new Map(findings.map((finding) => [finding.message, finding]));
  return [...unique.values()];
}

function namesOf(
  violations: readonly SchemaViolation[],
  wanted: string,
  parameter: string,
): readonly string[] {
  const names = violations.flatMap(({ keyword, params }) => {
    const name = params[parameter];
    return keyword === wanted && typeof name === "string" ? [`\`${name}\``] : [];
  });
  return [...new Set(names)];
}

function describe(violation: SchemaViolation, version: string): string {
  const { keyword, params, propertyName, message = "" } = violation;
  const subject = propertyName === undefined ? "This" : `The name \`${propertyName}\``;
  switch (keyword) {
    case "required":
      return describeMissing(`\`${String(params["missingProperty"])}\``, version);
    case "type":
      return `${subject} has to be of type ${listed.format([params["type"]].flat().map(String))} in ${version}.`;
    case "enum": {
      const values = [params["allowedValues"]].flat().map((value) => `\`${String(value)}\``);
      return `${subject} has to be ${listed.format(values)} in ${version}.`;
    }
    case "const":
      return `${subject} has to be \`${JSON.stringify(params["allowedValue"])}\` in ${version}.`;
    case "pattern":
      return `${subject} has to match \`${String(params["pattern"])}\` in ${version}.`;
    case "minItems":
    case "minProperties":
      return `${subject} has to have at least ${String(params["limit"])} member in ${version}.`;
    default:
      return `${subject} ${message.replace("NOT", "not")} in ${version}.`;
  }
}

function describeMissing(names: string, version: string): string {
  return `${names} is missing here, which ${version} requires.`;
}
