import type { JsonValue } from "../model/json.ts";
import type { JsonType } from "./json-type.ts";
import type { Location } from "./location.ts";

/** One thing in which a value differs from its schema. */
export interface Violation {
  readonly location: Location | undefined;
  readonly keyword: string;
  readonly problem: Problem;
}

/** A problem as data while alternatives may still be joined, else as the end of a sentence about the place. */
export type Problem =
  | {
      /** The value is none of those named. */
      readonly kind: "choice";
      readonly types: readonly JsonType[];
      readonly values: readonly JsonValue[];
      /** The type of the value; the value itself may be secret. */
      readonly actual: JsonType;
    }
  | {
      /** A property that the schema has no place for. */
      readonly kind: "unknown-name";
      readonly name: string;
      readonly known: readonly string[];
      /** False when there may be further names that would be allowed. */
      readonly isComplete: boolean;
    }
  | { readonly kind: "clause"; readonly text: string };
