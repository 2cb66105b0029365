import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** RFC 9110 section 8.3.1, in characters that a header can hold. */
const mediaType = new RegExp(
  `^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"[\\x20-\\x21\\x23-\\x7e]*"))*$`,
);

/** Media types have a type and a subtype, and no boundary of the author's. */
export const badMediaType: Rule = function* (file, look): Generator<Finding> {
  for (const { value, path } of eachMediaType(file)) {
    if (!mediaType.test(value)) {
      yield {
        code: "bad-media-type",
        message: `\`${look.written(path)}\` is no media type. One is written \`type/subtype\`, such as \`application/json\`.`,
        path,
      };
    } else if (/^multipart\/.*;[ \t]*boundary=/i.test(value)) {
      yield {
        code: "bad-media-type",
        message: "The boundary between the parts is chosen for each request. Remove `boundary`.",
        path,
      };
    }
  }
};

function* eachMediaType(file: GatewayFile): Generator<{ readonly value: string; readonly path: NodePath }> {
  for (const { operation, path } of eachOperation(file)) {
    const { accept, body, parameters = [] } = operation;
    for (const value of accept?.split(",") ?? []) yield { value: value.trim(), path: [...path, "accept"] };
    for (const [index, { content }] of parameters.entries()) {
      if (content !== undefined) yield { value: content, path: [...path, "parameters", index, "content"] };
    }
    if (body?.content_type !== undefined) {
      yield { value: body.content_type, path: [...path, "body", "content_type"] };
    }
    for (const [name, encoding] of Object.entries(body?.encoding ?? {})) {
      const { content_type: value } = encoding;
      if (value !== undefined) yield { value, path: [...path, "body", "encoding", name, "content_type"] };
    }
  }
}
