// Arrow's integration JSON: reading, writing, comparing, and the files of Arrow's integration tests made anew.
export { readIntegrationJson, type IntegrationData } from './integration-json/read.ts';
export { toIntegrationJson, writeIntegrationJson } from './integration-json/write.ts';
export {
  compareAllBatches,
  compareBatches,
  compareSchemas,
  type CompareOptions,
} from './integration-json/compare.ts';
export { integrationCases, type IntegrationCase } from './integration-json/generate.ts';
export type { JsonFile } from './integration-json/format.ts';
