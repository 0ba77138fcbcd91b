import type { Engine } from './types.ts';

/** The same engine, whose connections are made by `connect`. */
export function withConnect(engine: Engine, connect: Engine['connect']): Engine {
  return {
    get info() {
      return engine.info;
    },
    get state() {
      return engine.state;
    },
    get statistics() {
      return engine.statistics;
    },
    connect,
    onState: (listener) => engine.onState(listener),
    close: () => engine.close(),
  };
}
