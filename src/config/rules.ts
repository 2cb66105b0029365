import type { Rule } from "./rule.ts";
import { ambiguousConnection } from "./rules/ambiguous-connection.ts";
import { authProvider } from "./rules/auth-provider.ts";
import { badAlias } from "./rules/bad-alias.ts";
import { badClaim } from "./rules/bad-claim.ts";
import { badClient } from "./rules/bad-client.ts";
import { badDefault } from "./rules/bad-default.ts";
import { badHeader } from "./rules/bad-header.ts";
import { badHost } from "./rules/bad-host.ts";
import { badIssuer } from "./rules/bad-issuer.ts";
import { badMediaType } from "./rules/bad-media-type.ts";
import { badMethod } from "./rules/bad-method.ts";
import { badNetwork } from "./rules/bad-network.ts";
import { badPolicy } from "./rules/bad-policy.ts";
import { badQueryToken } from "./rules/bad-query-token.ts";
import { badRedirect } from "./rules/bad-redirect.ts";
import { badScope } from "./rules/bad-scope.ts";
import { badSelection } from "./rules/bad-selection.ts";
import { badTenant } from "./rules/bad-tenant.ts";
import { badUrl } from "./rules/bad-url.ts";
import { baseUrl } from "./rules/base-url.ts";
import { bodyDeclaration } from "./rules/body-declaration.ts";
import { bodyWithoutMeaning } from "./rules/body-without-meaning.ts";
import { callTime } from "./rules/call-time.ts";
import { connectionMode } from "./rules/connection-mode.ts";
import { connectionParam } from "./rules/connection-param.ts";
import { credentialTarget } from "./rules/credential-target.ts";
import { credentialValue } from "./rules/credential-value.ts";
import { defaultDatastore } from "./rules/default-datastore.ts";
import { duplicateAlias } from "./rules/duplicate-alias.ts";
import { duplicateOperation } from "./rules/duplicate-operation.ts";
import { encryptionKeyTwice } from "./rules/encryption-key-twice.ts";
import { graphqlOperation } from "./rules/graphql-operation.ts";
import { graphqlRefresh } from "./rules/graphql-refresh.ts";
import { incompleteAuth } from "./rules/incomplete-auth.ts";
import { insecureUrl } from "./rules/insecure-url.ts";
import { limitOrder } from "./rules/limit-order.ts";
import { limitRange } from "./rules/limit-range.ts";
import { literalSecret } from "./rules/literal-secret.ts";
import { managedParameter } from "./rules/managed-parameter.ts";
import { mcpOauthSurface } from "./rules/mcp-oauth-surface.ts";
import { mcpTransport } from "./rules/mcp-transport.ts";
import { mcpUrlTwice } from "./rules/mcp-url-twice.ts";
import { noEffectYet } from "./rules/no-effect-yet.ts";
import { noEncryptionKey } from "./rules/no-encryption-key.ts";
import { noProvider } from "./rules/no-provider.ts";
import { noSurface } from "./rules/no-surface.ts";
import { nobodyAllowed } from "./rules/nobody-allowed.ts";
import { oauthParameter } from "./rules/oauth-parameter.ts";
import { pagination } from "./rules/pagination.ts";
import { parameterClash } from "./rules/parameter-clash.ts";
import { parameterSchema } from "./rules/parameter-schema.ts";
import { parameterStyle } from "./rules/parameter-style.ts";
import { passthroughHeader } from "./rules/passthrough-header.ts";
import { passthroughSurface } from "./rules/passthrough-surface.ts";
import { pathParameter } from "./rules/path-parameter.ts";
import { pathTemplate } from "./rules/path-template.ts";
import { providerName } from "./rules/provider-name.ts";
import { queryToken } from "./rules/query-token.ts";
import { schemaKeyword } from "./rules/schema-keyword.ts";
import { sessionTime } from "./rules/session-time.ts";
import { toolPrefix } from "./rules/tool-prefix.ts";
import { unknownConnection } from "./rules/unknown-connection.ts";
import { unknownTenant } from "./rules/unknown-tenant.ts";
import { unmatchedRate } from "./rules/unmatched-rate.ts";
import { unprotectedHost } from "./rules/unprotected-host.ts";
import { unresolvedReference } from "./rules/unresolved-reference.ts";
import { unusedConnection } from "./rules/unused-connection.ts";
import { unusedRole } from "./rules/unused-role.ts";
import { weakKey } from "./rules/weak-key.ts";
import { withheldFeatures } from "./rules/withheld-features.ts";

/** Every rule; their order does not matter, as what they find is sorted by place. */
export const rules: readonly Rule[] = [
  ambiguousConnection,
  authProvider,
  badAlias,
  badClaim,
  badClient,
  badDefault,
  badHeader,
  badHost,
  badIssuer,
  badMediaType,
  badMethod,
  badNetwork,
  badPolicy,
  badQueryToken,
  badRedirect,
  badScope,
  badSelection,
  badTenant,
  badUrl,
  baseUrl,
  bodyDeclaration,
  bodyWithoutMeaning,
  connectionMode,
  connectionParam,
  credentialTarget,
  credentialValue,
  defaultDatastore,
  duplicateAlias,
  duplicateOperation,
  encryptionKeyTwice,
  graphqlOperation,
  graphqlRefresh,
  incompleteAuth,
  insecureUrl,
  literalSecret,
  managedParameter,
  mcpOauthSurface,
  mcpTransport,
  mcpUrlTwice,
  noEffectYet,
  noEncryptionKey,
  noProvider,
  noSurface,
  nobodyAllowed,
  oauthParameter,
  pagination,
  parameterClash,
  parameterSchema,
  parameterStyle,
  passthroughHeader,
  passthroughSurface,
  pathParameter,
  pathTemplate,
  providerName,
  queryToken,
  schemaKeyword,
  sessionTime,
  callTime,
  limitOrder,
  limitRange,
  unmatchedRate,
  toolPrefix,
  unknownConnection,
  unknownTenant,
  unprotectedHost,
  unresolvedReference,
  unusedConnection,
  unusedRole,
  weakKey,
  withheldFeatures,
];
