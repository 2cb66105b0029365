/** What official clients send with each request. */
const usual = "application/json, text/event-stream";
const usualTypes: readonly string[] = usual.split(", ");

/** Whether a client takes a media type; one that says nothing takes all (RFC 9110, section 12.5.1). */
export function accepts(accepted: string | undefined, type: string): boolean {
  if (accepted === usual && usualTypes.includes(type)) return true;
  return accepted === undefined || rank(accepted, type) !== undefined;
}

/** Whether a client would rather have an event stream than JSON: by its weights, and by what it names first where they are equal. */
export function prefersEvents(accepted: string | undefined): boolean {
  if (accepted === undefined || accepted === usual) return false;
  const events = rank(accepted, "text/event-stream");
  const json = rank(accepted, "application/json");
  if (events === undefined || json === undefined) return json === undefined && events !== undefined;
  return events.weight > json.weight || (events.weight === json.weight && events.place < json.place);
}

/** What a header says of a type by its own name, or else by the first wildcard that fits it. */
function rank(
  accepted: string,
  type: string,
): { readonly weight: number; readonly place: number } | undefined {
  const [group] = type.split("/", 1);
  const items = accepted.split(",").map((item, place) => {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return { name, place, weight: weight === undefined ? 1 : Number.parseFloat(weight) };
  });
  return (
    items.find(({ name }) => name === type) ??
    items.find(({ name }) => name === `${group}/*`) ??
    items.find(({ name }) => name === "*/*")
  );
}
