#!/usr/bin/env node
// Checked in, so that `npm ci` can link it before anything is built.
await import('../dist/src/main.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !String(error.message).includes('main.js')) throw error;
  process.stderr.write('peregrine: not built yet; run `npm run build` first\n');
  process.exitCode = 1;
});
