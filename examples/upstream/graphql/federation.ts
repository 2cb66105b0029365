import type { Bookshop } from "../bookshop.ts";
import { authorNode, bookNode, orNull } from "./books.ts";
import { sdl } from "./schema.ts";

/** The root fields by which the router of a federation learns what there is here, and fetches entities of ours. */
export function createFederationFields(shop: Bookshop) {
  return {
    _service: { sdl },
    _entities: ({ representations }: { representations: readonly unknown[] }) =>
      representations.map((representation) => {
        const { __typename: type, id } = Object(representation);
        return orNull(() =>
          type === "Author" ? authorNode(shop, shop.author(id)) : bookNode(shop, shop.book(id)),
        );
      }),
  };
}
