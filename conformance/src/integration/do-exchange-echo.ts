import assert from 'node:assert/strict';
import {
  FlightDescriptor,
  FlightInvalidArgumentError,
  FlightUnimplementedError,
  connect,
} from '@peregrine/flight';
import { compareSchemas } from '../integration-json.ts';
import { numbersBatch, numbersSchema, text } from './expect.ts';
import type { Scenario } from './scenario.ts';

/** Every message of a DoExchange comes back as it went, with its metadata or without. */
export const doExchangeEcho: Scenario = {
  name: 'do_exchange:echo',
  server: () => ({
    handlers: {
      doExchange: async (descriptor, reader, writer) => {
        if (descriptor.type !== 'CMD')
          throw new FlightInvalidArgumentError('Must provide command descriptor');
        if (text(descriptor.command) !== 'echo') {
          throw new FlightUnimplementedError(`Scenario not implemented: ${text(descriptor.command)}`);
        }
        let begun = false;
        for await (const { data, appMetadata } of reader) {
          if (data === undefined) {
            if (appMetadata !== undefined) await writer.writeMetadata(appMetadata);
            continue;
          }
          if (!begun) await writer.begin(data.schema);
          begun = true;
          if (appMetadata === undefined) await writer.writeBatch(data);
          else await writer.writeWithMetadata(data, appMetadata);
        }
      },
    },
  }),
  client: async (location) => {
    await using client = connect(location);
    const schema = numbersSchema(undefined, 'x');
    await using call = client.doExchange(FlightDescriptor.forCommand('echo'));
    await call.writer.begin(schema);
    for (let i = 0; i < 4; i++) {
      const values = Array.from({ length: 10 }, (_, row) => i + row);
      const metadata = i % 2 === 0 ? `${i}` : undefined;
      if (metadata === undefined) await call.writer.writeBatch(numbersBatch(schema, values));
      else await call.writer.writeWithMetadata(numbersBatch(schema, values), metadata);
      const chunk = await call.reader.readNext();
      assert.deepEqual([...(chunk?.data?.getChildAt(0) ?? [])], values);
      assert.equal(chunk?.appMetadata === undefined ? undefined : text(chunk.appMetadata), metadata);
      if (i === 0) assert.equal(compareSchemas(schema, await call.reader.schema), undefined);
    }
    await call.writer.doneWriting();
    assert.equal(await call.reader.readNext(), undefined);
    await call.writer.close();
  },
};
