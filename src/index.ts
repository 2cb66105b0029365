// The public API: what a program needs to check and to serve a configuration itself. Everything else is internal.
export { type LoadedConfig, loadConfig } from "./config/load-config.ts";
export type { Diagnostic } from "./diagnostics/diagnostic.ts";
export { renderHuman } from "./diagnostics/render-human.ts";
export { Gateway, type GatewayOptions } from "./gateway.ts";
export type { Catalog, ProviderCatalog, Tool } from "./model/catalog.ts";
export type { GatewayConfig } from "./model/config.ts";
