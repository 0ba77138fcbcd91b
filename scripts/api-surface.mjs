// Writes docs/api-surface.md, the list of every name that the library exports. Needs the tests to be built.
import { writeFileSync } from 'node:fs';
import { describeApi, publicApi } from '../packages/flight/dist/test/api-surface.js';

writeFileSync(new URL('../docs/api-surface.md', import.meta.url), describeApi(publicApi()));
