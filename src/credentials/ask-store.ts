import { complainOnce } from "../complain-once.ts";
import { GatewayError } from "../errors.ts";
import { StoreError } from "../store/store.ts";
import { VaultError } from "../vault/vault.ts";
import { MalformedRecordError } from "./check-record.ts";

/** Does something over the store, and makes every failure a `GatewayError`. */
export interface AskStore {
  /** `conflict` for a compare-and-swap that lost, `store_unavailable` for everything else that the store or a record is the cause of. */
  <Answer>(what: () => Promise<Answer>): Promise<Answer>;
  /** The same at once. */
  now<Answer>(what: () => Answer): Answer;
}

/** @param log hears of what made credentials unavailable, without anything secret. */
export function createAskStore(log: (message: string, cause?: unknown) => void, now: () => number): AskStore {
  const complain = complainOnce(log, now);
  const failure = (error: unknown): GatewayError => {
    if (error instanceof GatewayError) return error;
    if (error instanceof StoreError && error.code === "conflict") {
      return new GatewayError(
        "conflict",
        "The credential was changed by somebody else meanwhile. Try again.",
        {
          cause: error,
          retryable: true,
        },
      );
    }
    if (error instanceof VaultError || error instanceof MalformedRecordError) {
      complain(
        error instanceof VaultError
          ? "A stored credential can't be opened, and is left as it is. Its key may be missing (`gateway keys status` tells), or something else has written to the store."
          : "A stored credential is not as this gateway writes it, and was not believed. Put a backup of the store in its place.",
        error,
      );
      return new GatewayError(
        "store_unavailable",
        "A stored credential can't be read. It is still there; the gateway's operator finds the reason in the log.",
        { cause: error },
      );
    }
    complain(
      "The store of the credentials could not be read or written, and whoever needed it was refused.",
      error,
    );
    return new GatewayError(
      "store_unavailable",
      "The gateway can't read or write stored credentials at the moment. Try again later.",
      { cause: error, retryable: true },
    );
  };
  const ask = async <Answer>(what: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await what();
    } catch (error) {
      throw failure(error);
    }
  };
  return Object.assign(ask, {
    now<Answer>(what: () => Answer): Answer {
      try {
        return what();
      } catch (error) {
        throw failure(error);
      }
    },
  });
}
