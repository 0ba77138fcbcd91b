#!/usr/bin/env node

if (process.argv[2] === 'serve') {
  // The engine's threads load while this one loads the server.
  const { startEngineThreads } = await import('@peregrine/server/engine-thread');
  startEngineThreads();
}
await import('./run.ts');
