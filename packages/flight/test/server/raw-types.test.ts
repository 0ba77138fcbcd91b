// Types that apache-arrow has no class for, through server and client: untouched where nobody decodes them, and refused
// by name where somebody does.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect, type FlightClient } from '../../src/client/index.ts';
import { FlightError } from '../../src/errors.ts';
import { ipcStreamMessages } from '../../src/ipc/stream-reader.ts';
import { FlightDescriptor, Ticket } from '../../src/model/index.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import { RawIpcStream } from '../../src/stream/raw-ipc-stream.ts';
import type { FlightData } from '../../src/stream/types.ts';
import { fixture } from '../ipc/plain.ts';
import { numbers } from './fixture.ts';

const files = {
  raw_run_end_encoded: /run-end-encoded/,
  raw_list_view: /list-view/,
  raw_large_list_view: /large-list-view/,
} as const;

interface Kept {
  readonly header: Buffer;
  readonly body: Buffer;
}

const keep = ({ dataHeader, dataBody }: FlightData): Kept => ({
  header: Buffer.from(dataHeader),
  body: Buffer.from(dataBody),
});

async function stored(name: string): Promise<Kept[]> {
  const messages: Kept[] = [];
  for await (const { header, body } of ipcStreamMessages(fixture(`${name}.arrows`))) {
    messages.push({ header: Buffer.from(header), body: Buffer.from(body) });
  }
  return messages;
}

/** A server that keeps what is put, message by message, or batch by batch where its path ends so. */
async function serve(): Promise<{ client: FlightClient; put: Map<string, Kept[]> } & AsyncDisposable> {
  const put = new Map<string, Kept[]>();
  const server = new FlightServer({
    doGet: ({ ticket }) =>
      new RawIpcStream(ipcStreamMessages(fixture(`${Buffer.from(ticket).toString()}.arrows`))),
    async doPut(descriptor, reader, writer) {
      const [name = '', level] = descriptor.path ?? [];
      const messages: Kept[] = [];
      if (level === 'batches') for await (const _ of reader) assert.fail('a batch was decoded');
      else for await (const message of reader.raw()) messages.push(keep(message));
      put.set(name, messages);
      await writer.write('done');
    },
    async doExchange(_descriptor, reader, writer) {
      for await (const message of reader.raw()) await writer.writeRaw(message, { releaseBody: true });
    },
  });
  await server.listen('grpc+tcp://127.0.0.1:0');
  const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
  return {
    client,
    put,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.shutdown({ graceMs: 0 });
    },
  };
}

describe('types that apache-arrow has no class for', () => {
  for (const [name, kind] of Object.entries(files)) {
    it(`pass untouched from DoGet to DoPut and through DoExchange: ${name}`, async () => {
      await using running = await serve();
      const { client, put } = running;
      const sent = await stored(name);
      assert.ok(sent.length > 1);
      const descriptor = FlightDescriptor.forPath(name);
      await using call = client.doPut(descriptor);
      for await (const message of client.doGet(new Ticket(name)).raw()) {
        await call.writer.writeRaw(message, { releaseBody: true });
      }
      await call.writer.close();
      assert.deepEqual(put.get(name), sent);

      const exchange = client.doExchange(descriptor);
      for (const message of sent) await exchange.writer.writeRaw(message);
      await exchange.writer.doneWriting();
      const back: Kept[] = [];
      for await (const message of exchange.reader.raw()) back.push(keep(message));
      assert.deepEqual(back, sent);
    });

    it(`are refused with field and type where they are decoded: ${name}`, async () => {
      await using running = await serve();
      const { client, put } = running;
      const refused = (error: unknown): boolean => {
        assert.ok(error instanceof FlightError, String(error));
        assert.equal(error.code, 'UNIMPLEMENTED');
        assert.match(error.message, kind);
        assert.match(error.message, /field "s\.x"/);
        return true;
      };
      await assert.rejects(client.doGet(new Ticket(name)).readAll(), refused);
      await assert.rejects(client.doGet(new Ticket(name)).schema, refused);
      await assert.rejects(async () => {
        await using call = client.doPut(FlightDescriptor.forPath(name, 'batches'));
        for (const message of await stored(name)) await call.writer.writeRaw(message);
        await call.writer.close();
      }, refused);
      assert.equal(put.has(name), false);
    });
  }

  it('do not go with batches in one stream', async () => {
    await using running = await serve();
    const [schema] = await stored('int32');
    assert.ok(schema !== undefined);
    const mixed = { code: 'FAILED_PRECONDITION', message: /raw messages and batches/ };
    await using raw = running.client.doPut(FlightDescriptor.forPath('a'));
    await raw.writer.writeRaw(schema);
    await assert.rejects(raw.writer.writeTable(numbers(1)), mixed);
    await raw.writer.writeMetadata('may be between them');
    await raw.writer.close();
    await using batches = running.client.doPut(FlightDescriptor.forPath('b'));
    await batches.writer.begin(numbers(1).schema);
    await assert.rejects(batches.writer.writeRaw(schema), mixed);
    await batches.writer.close();
  });
});
