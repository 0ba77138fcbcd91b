#!/usr/bin/env node
// Checked in, so that `npm ci` can link it before anything is built.
import { statSync } from 'node:fs';
import * as module from 'node:module';

// From the second start on, Node takes what it compiled at the first; Node 20 cannot.
if ('enableCompileCache' in module) module.enableCompileCache();

// Stacks in the words of the source: the bundle's lines are packed.
if (process.env.PEREGRINE_DEBUG === '1') process.setSourceMapsEnabled(true);

const timeOf = (path) => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// Only where it is built from source the bundle can be older than the modules that it was made of.
const compiled = timeOf('../dist/.tsbuildinfo');
const others = compiled === 0 ? [] : ['flight', 'server'].map((name) => `../../${name}/dist/.tsbuildinfo`);
const isBundled = Math.max(compiled, ...others.map(timeOf)) < timeOf('../dist/bundle/main.js');

await import(isBundled ? '../dist/bundle/main.js' : '../dist/src/main.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !String(error.message).includes('main.js')) throw error;
  process.stderr.write('peregrine: not built yet; run `npm run build` first\n');
  process.exitCode = 1;
});
