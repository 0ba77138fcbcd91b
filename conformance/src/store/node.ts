// One server's part in checks of the store: an engine and a store, without the network before them.
import { IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';
import { type Store, type StoreOptions, createDuckDbEngine, openStore } from '@peregrine/server';

type Engine = Awaited<ReturnType<typeof createDuckDbEngine>>;

/** An engine and its store. */
export interface Node {
  readonly engine: Engine;
  readonly store: Store;
  /** The first row of a query, as texts. */
  one(sql: string): Promise<string[]>;
  close(): Promise<void>;
}

/** @param database - the engine's file; none: in memory */
export async function startNode(options: StoreOptions, database?: string): Promise<Node> {
  const engine = await createDuckDbEngine({ database });
  const store = await openStore({ ...options, engine });
  const connection = await engine.connect();
  return {
    engine,
    store,
    async one(sql) {
      const result = await connection.query(sql);
      const decoder = new IpcDecoder();
      decoder.decode(decodeMessageHeader(result.schema), new Uint8Array(0));
      let row: string[] = [];
      for await (const message of result) {
        const batch = decoder.decode(decodeMessageHeader(message.header), message.body);
        if (batch !== undefined && batch.numRows > 0)
          row = Object.values(batch.get(0)?.toJSON() ?? {}).map(String);
        message.release();
      }
      return row;
    },
    async close() {
      await connection.close();
      await store.close();
      await engine.close();
    },
  };
}
