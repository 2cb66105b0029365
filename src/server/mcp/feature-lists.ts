import { hash } from "node:crypto";
import type { CatalogView } from "../../catalog/view.ts";
import { asObject } from "../../json-object.ts";
import type { Offering, Offerings } from "../../model/features.ts";
import type { JsonObject } from "../../model/json.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import { createPages, type Pages } from "./list-pages.ts";
import { reportUnavailable } from "./report-unavailable.ts";
import type { ListDigests } from "./watch-lists.ts";

/** Prompts, resources and templates of one view as clients see them. */
export interface FeatureLists {
  /** By the list of the view, each page with a member that is named like the method names its entries. */
  readonly pages: Readonly<Record<keyof Offerings, Pages>>;
  /** Of what clients see: equal lists have equal digests, whatever else changed in the catalog. */
  readonly digests: Pick<ListDigests, "prompts" | "resources">;
}

/** What the entries of each list are called in its pages. */
const memberNames: Readonly<Record<keyof Offerings, string>> = {
  prompts: "prompts",
  resources: "resources",
  templates: "resourceTemplates",
};

/** Gives the lists of a view, made once for each. */
export function createFeatureLists(): (view: CatalogView) => FeatureLists {
  const lists = new WeakMap<CatalogView, FeatureLists>();
  // Views share their offerings, so each one is digested once, however many views there are.
  const digests = new WeakMap<Offering, string>();
  const digestOf = (offering: Offering): string => {
    const known = digests.get(offering);
    if (known !== undefined) return known;
    const digest = hash("sha256", JSON.stringify(describeOffering(offering)), "base64url");
    digests.set(offering, digest);
    return digest;
  };
  return (view) => {
    const known = lists.get(view);
    if (known !== undefined) return known;
    const made = createLists(view, digestOf);
    lists.set(view, made);
    return made;
  };
}

function createLists(view: CatalogView, digestOf: (offering: Offering) => string): FeatureLists {
  const { offerings } = view;
  const meta = reportUnavailable(view, "mcp");
  const digestOfAll = (list: readonly Offering[]): string =>
    hash("sha256", list.map(digestOf).join(""), "base64url").slice(0, 16);
  const digests = {
    prompts: digestOfAll(offerings.prompts),
    resources: digestOfAll(offerings.resources),
    templates: digestOfAll(offerings.templates),
  };
  const pagesOf = (kind: keyof Offerings): Pages =>
    createPages({
      what: kind === "templates" ? "resource templates" : kind,
      digest: digests[kind],
      length: offerings[kind].length,
      write: (start, end) => ({
        [memberNames[kind]]: offerings[kind].slice(start, end).map(describeOffering),
        ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
      }),
    });
  return {
    pages: {
      prompts: pagesOf("prompts"),
      resources: pagesOf("resources"),
      templates: pagesOf("templates"),
    },
    // Clients are told of resources and templates by one notification.
    digests: { prompts: digests.prompts, resources: `${digests.resources} ${digests.templates}` },
  };
}

/** The entry of a list: what members a client's version does not know do no harm there. */
function describeOffering({ listed, instances }: Offering): JsonObject {
  if (instances === undefined || instances.length < 2) return listed;
  return { ...listed, _meta: { ...asObject(listed["_meta"]), [gatewayMetaKeys.instances]: instances } };
}
