import { didYouMean } from "../../did-you-mean.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** The methods of the HTTP Method Registry that APIs use, and others in use. */
const knownMethods = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE"],
  ...["ACL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE", "MKCALENDAR", "MKCOL"],
  ...["MOVE", "NOTIFY", "ORDERPATCH", "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH"],
  ...["SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE", "UPDATE"],
];

/** A method is any token (RFC 9110 section 9.1), but its case counts, and some are no request to a resource. */
export const badMethod: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, path: operationPath } of eachOperation(file)) {
    const { method } = operation;
    if (knownMethods.includes(method)) continue;
    const path = [...operationPath, "method"];
    const written = look.written(path);
    const upper = method.toUpperCase();
    const suggestion = didYouMean(method, knownMethods);
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) {
      const message = `\`${written}\` can't be a method: it is one word, such as \`GET\`, without spaces.`;
      yield { code: "bad-method", message, path };
    } else if (upper === "CONNECT") {
      const message = "`CONNECT` opens a tunnel and is no request that a tool can make. Use another method.";
      yield { code: "bad-method", message, path };
    } else if (knownMethods.includes(upper)) {
      const message = `Methods are told apart by case, and \`${written}\` is none of HTTP's. Did you mean \`${upper}\`?`;
      yield { code: "bad-method", message, path };
    } else if (suggestion !== undefined) {
      const message = `\`${written}\` is no method that is in common use. Did you mean \`${suggestion}\`?`;
      yield { severity: "warning", code: "bad-method", message, path };
    }
  }
};
