#!/usr/bin/env node

if (process.argv[2] === 'serve') {
  // The engine's first thread loads while this one loads the server.
  const { startEngineThread } = await import('@peregrine/server/engine-thread');
  startEngineThread();
}
await import('./run.ts');
