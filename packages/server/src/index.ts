// Serving
export {
  type DataServer,
  type DataServerOptions,
  InsecureListenerError,
  serveData,
} from './serve.ts';
export { type FlightServiceOptions, createFlightService } from './service/flight-service.ts';
export { type SqlService, type SqlServiceOptions, createSqlService } from './sql/service.ts';
export { type Dataset, type DatasetInfo, type DatasetStore, createDatasetStore } from './datasets/dataset.ts';
export { createFileDataset } from './datasets/file-dataset.ts';

// HTTP
export {
  type HttpAddress,
  type HttpServer,
  type HttpServerOptions,
  createHttpServer,
} from './http/server.ts';

// Settings
export type { EngineChoice, S3UrlStyle, ServerSettings } from './settings/settings.ts';
export { SettingsError } from './settings/settings.ts';

// SQL engines
export { type AdbcEngineOptions, createAdbcEngine } from './engine/adbc-engine.ts';
export { createDuckDbEngine } from './engine/duckdb.ts';
export type { DuckDbEngineOptions, EngineLimits } from './engine/options.ts';

// The store
export { type StoreOptions, openStore } from './store/store.ts';
export type { S3Options } from './store/s3/options.ts';
export type {
  Store,
  StoreChange,
  StoreFormat,
  StoreProblem,
  StorePutMode,
  StorePutOptions,
  StorePutResult,
  StoreTable,
} from './store/types.ts';
