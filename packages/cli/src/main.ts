#!/usr/bin/env node
import * as module from 'node:module';

// From the second start on, Node takes what it compiled at the first; Node 20 cannot.
if ('enableCompileCache' in module) module.enableCompileCache();

if (process.argv[2] === 'serve') {
  // The engine's threads load while this one loads the server.
  const { startEngineThreads } = await import('@peregrine/server/engine-thread');
  startEngineThreads();
}
await import('./program.ts');
