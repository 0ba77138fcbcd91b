import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPutResultReader, type PutResults } from '../../src/client/put-results.ts';
import { FlightDataError, FlightNotFoundError } from '../../src/errors.ts';
import { BytesDecoder } from '../../src/grpc/message.ts';
import { maxUnreadPutResultBytes } from '../../src/limits/client.ts';
import { PutResult } from '../../src/model/put-result.ts';
import type { ScriptedCall } from './fake-channel.ts';
import { scriptedCaller } from './scripted-caller.ts';

function begin(script: (call: ScriptedCall) => void | Promise<void>): {
  results: PutResults;
  calls: readonly ScriptedCall[];
} {
  const { caller, calls } = scriptedCaller(script);
  const call = caller.begin({
    method: 'DoPut',
    decoder: () => new BytesDecoder(),
    options: {},
    repeatable: false,
  });
  return { results: createPutResultReader(call), calls };
}

function answers(...texts: string[]): (call: ScriptedCall) => void {
  return (call) => {
    for (const text of texts) call.send(new PutResult(text).serialize());
    call.finish();
  };
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? assert.fail('no answer')).toString();
}

async function readAll(results: PutResults): Promise<string[]> {
  const texts: string[] = [];
  for await (const bytes of results.reader) texts.push(text(bytes));
  return texts;
}

describe('the answers of a DoPut', () => {
  it('are read one after the other, and end', async () => {
    const { results } = begin(answers('a', '', 'b'));
    assert.deepEqual(await readAll(results), ['a', '', 'b']);
    assert.equal(await results.reader.read(), undefined);
  });

  it('can be read after the call was waited for', async () => {
    const { results } = begin(answers('a', 'b', 'c'));
    assert.equal(text(await results.reader.read()), 'a');
    await results.drain();
    assert.deepEqual(await readAll(results), ['b', 'c']);
  });

  it('stay in order when both happen at the same time', async () => {
    const { results } = begin(answers('a', 'b', 'c', 'd'));
    const [read] = await Promise.all([readAll(results), results.drain()]);
    assert.deepEqual(read, ['a', 'b', 'c', 'd']);
  });

  it('are kept up to a limit', async () => {
    const large = 'x'.repeat(maxUnreadPutResultBytes - 300);
    const { results } = begin(answers(large, 'b', 'too much'));
    await results.drain();
    assert.deepEqual(
      (await readAll(results)).map((text) => text.length),
      [large.length, 1],
    );
  });

  it('are kept up to a limit also when they are empty', async () => {
    const most = maxUnreadPutResultBytes / 128;
    const empty = new PutResult('').serialize();
    const { results } = begin((call) => {
      for (let i = 0; i < most + 10; i++) call.send(empty);
      call.finish();
    });
    await results.drain();
    assert.equal((await readAll(results)).length, most);
  });

  it('fail with the call', async () => {
    const { results } = begin((call) => {
      call.send(new PutResult('a').serialize());
      call.finish(new FlightNotFoundError('no such table'));
    });
    await assert.rejects(results.drain(), FlightNotFoundError);
    assert.equal(text(await results.reader.read()), 'a');
    await assert.rejects(results.reader.read(), FlightNotFoundError);
  });

  it('cancel the call when one is not valid', async () => {
    const { results, calls } = begin((call) => call.send(Uint8Array.of(0xff)));
    await assert.rejects(results.reader.read(), FlightDataError);
    assert.notEqual(calls[0]?.cancelled, undefined);
  });
});
