/** The other gRPC of Node on the other end: grpc-js, which stands on node:http2. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { FlightCancelledError, FlightNotFoundError, FlightTimedOutError } from '../../src/errors.ts';
import {
  bytesMessage,
  createServer,
  type GrpcChannel,
  type GrpcServerCall,
  type GrpcServerOptions,
  Metadata,
} from '../../src/grpc/index.ts';
import {
  aborted,
  bytesDecoder,
  bytesOf,
  callWithDeadline,
  channelTo,
  echo,
  message,
  methods,
  textOf,
  type Handler,
  until,
} from './support.ts';

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asIs = (bytes: Buffer): Buffer => bytes;
const gzip: grpc.ChannelOptions = {
  'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
};

/** A server of ours and a client of grpc-js. */
async function foreignClient(
  t: TestContext,
  handlers: Readonly<Record<string, Handler>>,
  options: { server?: Partial<GrpcServerOptions>; client?: grpc.ChannelOptions } = {},
): Promise<grpc.Client> {
  const server = createServer({ lookup: methods(handlers), ...options.server });
  const { port } = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    ...options.client,
  });
  t.after(async () => {
    client.close();
    await server.close();
  });
  return client;
}

interface ForeignAnswer {
  readonly error: grpc.ServiceError | null;
  readonly response: Buffer | undefined;
  readonly headers: grpc.Metadata | undefined;
  readonly status: grpc.StatusObject | undefined;
}

function foreignUnary(
  client: grpc.Client,
  name: string,
  request: Buffer,
  metadata: grpc.Metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
): Promise<ForeignAnswer> {
  return new Promise((resolve) => {
    let headers: grpc.Metadata | undefined;
    let answer: Pick<ForeignAnswer, 'error' | 'response'> | undefined;
    let status: grpc.StatusObject | undefined;
    const done = (): void => {
      if (answer !== undefined && status !== undefined) resolve({ ...answer, headers, status });
    };
    const call = client.makeUnaryRequest(
      `/t.T/${name}`,
      asIs,
      asIs,
      request,
      metadata,
      options,
      (error, response) => {
        answer = { error, response };
        done();
      },
    );
    call.on('metadata', (received) => (headers = received));
    call.on('status', (received) => {
      status = received;
      done();
    });
  });
}

/** A server of grpc-js and a channel of ours. */
async function foreignServer(
  t: TestContext,
  handlers: grpc.UntypedServiceImplementation,
  options: grpc.ServerOptions = {},
): Promise<GrpcChannel> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, ...options });
  const streaming: Readonly<Record<string, readonly [request: boolean, response: boolean]>> = {
    Unary: [false, false],
    ServerStream: [false, true],
    ClientStream: [true, false],
    Both: [true, true],
  };
  const service = Object.fromEntries(
    Object.keys(handlers).map((name) => {
      const [requestStream, responseStream] = streaming[name] ?? [false, false];
      const definition: grpc.MethodDefinition<Buffer, Buffer> = {
        path: `/t.T/${name}`,
        requestStream,
        responseStream,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      };
      return [name, definition];
    }),
  );
  server.addService(service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  t.after(() => server.forceShutdown());
  return channelTo(t, port);
}

describe('a client of grpc-js and our server', () => {
  it('make unary calls with metadata, text and binary, both ways', async (t) => {
    const client = await foreignClient(t, {
      Meta: async (call) => {
        assert.deepEqual(call.metadata.getAll('k'), ['v1', 'v2']);
        assert.deepEqual(call.metadata.getBinary('k-bin'), Uint8Array.of(0, 1, 250));
        call.initialMetadata.set('h', '1');
        call.initialMetadata.set('h-bin', Uint8Array.of(9, 8));
        call.trailers.append('t-bin', Uint8Array.of(1));
        call.trailers.append('t-bin', Uint8Array.of(2, 3));
        call.write(bytesMessage((await call.read()) ?? assert.fail()));
      },
    });
    const metadata = new grpc.Metadata();
    metadata.add('k', 'v1');
    metadata.add('k', 'v2');
    metadata.add('k-bin', Buffer.from([0, 1, 250]));
    const { error, response, headers, status } = await foreignUnary(
      client,
      'Meta',
      Buffer.from('x'),
      metadata,
    );
    assert.equal(error, null);
    assert.equal(response?.toString(), 'x');
    assert.deepEqual(headers?.get('h'), ['1']);
    assert.deepEqual(headers?.get('h-bin'), [Buffer.from([9, 8])]);
    assert.deepEqual(status?.metadata.get('t-bin'), [Buffer.from([1]), Buffer.from([2, 3])]);
  });

  it('stream from the server', async (t) => {
    const client = await foreignClient(t, {
      Count: async (call) => {
        for (let n = 0; n < 500; n += 1) if (!call.write(message(String(n)))) await call.drained();
      },
    });
    const call = client.makeServerStreamRequest('/t.T/Count', asIs, asIs, Buffer.from(''));
    let next = 0;
    for await (const bytes of call) assert.equal(String(bytes), String(next++));
    assert.equal(next, 500);
  });

  it('stream from the client', async (t) => {
    const client = await foreignClient(t, {
      Sum: async (call) => {
        let sum = 0;
        for (let bytes = await call.read(); bytes !== undefined; bytes = await call.read())
          sum += bytes.byteLength;
        call.write(message(String(sum)));
      },
    });
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      const call = client.makeClientStreamRequest<Buffer, Buffer>(
        '/t.T/Sum',
        asIs,
        asIs,
        (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        },
      );
      for (let n = 0; n < 100; n += 1) call.write(Buffer.alloc(n));
      call.end();
    });
    assert.equal(String(answer), '4950');
  });

  it('stream both ways', async (t) => {
    const client = await foreignClient(t, { Echo: echo });
    const call = client.makeBidiStreamRequest('/t.T/Echo', asIs, asIs);
    const received: string[] = [];
    call.on('data', (bytes: Buffer) => {
      received.push(String(bytes));
      if (received.length < 20) call.write(Buffer.from(`m${received.length}`));
      else call.end();
    });
    call.write(Buffer.from('m0'));
    await new Promise((resolve) => call.on('end', resolve));
    assert.equal(received.join(), Array.from({ length: 20 }, (_, n) => `m${n}`).join());
  });

  it('pass errors with all of their parts', async (t) => {
    const client = await foreignClient(t, {
      Fail: (call) => {
        call.initialMetadata.set('h', '1');
        throw new FlightNotFoundError('nö 100%', { extraInfo: Uint8Array.of(7) });
      },
    });
    const { error } = await foreignUnary(client, 'Fail', Buffer.from(''));
    assert.equal(error?.code, grpc.status.NOT_FOUND);
    assert.equal(error.details, 'nö 100%');
    assert.deepEqual(error.metadata.get('grpc-status-details-bin'), [Buffer.from([7])]);
    assert.deepEqual(error.metadata.get('x-arrow-status'), ['2']);
    assert.deepEqual(error.metadata.get('h'), ['1']);
    assert.equal(
      (await foreignUnary(client, 'None', Buffer.from(''))).error?.code,
      grpc.status.UNIMPLEMENTED,
    );
  });

  it('pass deadlines and cancellation to the handler', async (t) => {
    const calls: GrpcServerCall<Uint8Array>[] = [];
    const client = await foreignClient(t, {
      Wait: (call) => {
        calls.push(call);
        return aborted(call.signal);
      },
    });
    const { error } = await callWithDeadline(
      (ms) => foreignUnary(client, 'Wait', Buffer.from(''), undefined, { deadline: Date.now() + ms }),
      () => calls.length > 0,
    );
    assert.equal(error?.code, grpc.status.DEADLINE_EXCEEDED);
    const call = client.makeServerStreamRequest('/t.T/Wait', asIs, asIs, Buffer.from(''));
    call.on('error', () => undefined);
    await until(() => calls.some(({ deadline }) => deadline === undefined));
    call.cancel();
    await until(() => calls.every(({ isCancelled }) => isCancelled));
    assert.ok(calls[0]?.deadline instanceof Date);
  });

  it('compress in both directions', async (t) => {
    const client = await foreignClient(t, { Echo: echo }, { server: { compression: 'gzip' }, client: gzip });
    const text = 'abcdef'.repeat(50_000);
    const { response } = await foreignUnary(client, 'Echo', Buffer.from(text));
    assert.equal(String(response), text);
  });

  it('exchange big messages', async (t) => {
    const client = await foreignClient(t, { Echo: echo });
    const big = Buffer.alloc(20 << 20, 'abcdefg');
    const { response } = await foreignUnary(client, 'Echo', big);
    assert.equal(response?.equals(big), true);
  });
});

describe('our client and a server of grpc-js', () => {
  it('make unary calls with metadata, text and binary, both ways', async (t) => {
    const channel = await foreignServer(t, {
      Unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
        // node:http2 joins them
        assert.deepEqual(call.metadata.get('k'), ['v1, v2']);
        assert.deepEqual(call.metadata.get('k-bin'), [Buffer.from([0, 1, 250])]);
        const headers = new grpc.Metadata();
        headers.add('h', '1');
        headers.add('h-bin', Buffer.from([9, 8]));
        call.sendMetadata(headers);
        const trailers = new grpc.Metadata();
        trailers.add('t-bin', Buffer.from([1]));
        trailers.add('t-bin', Buffer.from([2, 3]));
        callback(null, call.request, trailers);
      },
    });
    const metadata = Metadata.from({ k: ['v1', 'v2'], 'k-bin': Uint8Array.of(0, 1, 250) });
    const { response, headers, trailers } = await channel.unary('/t.T/Unary', message('x'), { metadata });
    assert.equal(textOf(response), 'x');
    assert.equal(headers.get('h'), '1');
    assert.deepEqual(headers.getBinary('h-bin'), Uint8Array.of(9, 8));
    assert.deepEqual(trailers.getAllBinary('t-bin'), [Uint8Array.of(1), Uint8Array.of(2, 3)]);
  });

  it('stream from the server, from the client, and both ways', async (t) => {
    const channel = await foreignServer(t, {
      ServerStream: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        for (let n = 0; n < 500; n += 1) call.write(Buffer.from(String(n)));
        call.end();
      },
      ClientStream: (
        call: grpc.ServerReadableStream<Buffer, Buffer>,
        callback: grpc.sendUnaryData<Buffer>,
      ) => {
        let sum = 0;
        call.on('data', (bytes: Buffer) => (sum += bytes.byteLength));
        call.on('end', () => callback(null, Buffer.from(String(sum))));
      },
      Both: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (bytes: Buffer) => call.write(bytes));
        call.on('end', () => call.end());
      },
    });
    const down = channel.call('/t.T/ServerStream', bytesDecoder);
    down.write(message(''));
    down.end();
    for (let n = 0; n < 500; n += 1) assert.equal(textOf(await down.read()), String(n));
    assert.equal(await down.read(), undefined);

    const up = channel.call('/t.T/ClientStream', bytesDecoder);
    for (let n = 0; n < 100; n += 1) up.write(bytesMessage(new Uint8Array(n)));
    up.end();
    assert.equal(textOf(await up.read()), '4950');
    assert.equal(await up.read(), undefined);

    const both = channel.call('/t.T/Both', bytesDecoder);
    for (let n = 0; n < 20; n += 1) {
      both.write(message(`m${n}`));
      assert.equal(textOf(await both.read()), `m${n}`);
    }
    both.end();
    assert.equal(await both.read(), undefined);
  });

  it('pass errors with their details, before and after messages', async (t) => {
    const channel = await foreignServer(t, {
      Unary: (_call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
        const metadata = new grpc.Metadata();
        metadata.add('grpc-status-details-bin', Buffer.from([7]));
        metadata.add('x', 'y');
        callback({ code: grpc.status.NOT_FOUND, details: 'nö 100%', metadata });
      },
      ServerStream: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        call.write(Buffer.from('1'));
        call.emit('error', { code: grpc.status.ALREADY_EXISTS, details: 'twice' });
      },
    });
    const call = channel.call('/t.T/Unary', bytesDecoder);
    call.write(message(''));
    call.end();
    await assert.rejects(call.read(), (error) => {
      assert.ok(error instanceof FlightNotFoundError);
      assert.equal(error.rawMessage, 'nö 100%');
      assert.deepEqual(error.extraInfo, Uint8Array.of(7));
      return true;
    });
    assert.equal((await call.headers).get('x'), 'y');
    const stream = channel.call('/t.T/ServerStream', bytesDecoder);
    stream.write(message(''));
    stream.end();
    assert.equal(textOf(await stream.read()), '1');
    await assert.rejects(stream.read(), { code: 'ALREADY_EXISTS', rawMessage: 'twice' });
    await assert.rejects(channel.unary('/t.T/None', message('')), { code: 'UNIMPLEMENTED' });
  });

  it('pass deadlines and cancellation to the handler', async (t) => {
    const calls: grpc.ServerUnaryCall<Buffer, Buffer>[] = [];
    const channel = await foreignServer(t, {
      Unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>) => void calls.push(call),
    });
    const before = Date.now();
    await callWithDeadline(
      (timeoutMs) =>
        assert.rejects(channel.unary('/t.T/Unary', message(''), { timeoutMs }), FlightTimedOutError),
      () => calls.length > 0,
    );
    const deadline = Number(calls[0]?.getDeadline());
    assert.ok(deadline > before && deadline < Infinity, String(deadline));
    const known = calls.length;
    const call = channel.call('/t.T/Unary', bytesDecoder);
    call.write(message(''));
    call.end();
    await until(() => calls.length > known);
    call.cancel();
    await assert.rejects(call.read(), FlightCancelledError);
    await until(() => calls.every(({ cancelled }) => cancelled));
  });

  it('compress in both directions', async (t) => {
    const channel = await foreignServer(
      t,
      {
        Both: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
          call.on('data', (bytes: Buffer) => call.write(bytes));
          call.on('end', () => call.end());
        },
      },
      gzip,
    );
    const text = 'abcdef'.repeat(50_000);
    const call = channel.call('/t.T/Both', bytesDecoder, { compression: 'gzip' });
    call.write(message(text));
    call.end();
    assert.equal(textOf(await call.read()), text);
    assert.equal(await call.read(), undefined);
  });

  it('exchange big messages', async (t) => {
    const channel = await foreignServer(t, {
      Unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) =>
        callback(null, call.request),
    });
    const big = asBuffer(new Uint8Array(20 << 20).fill(3));
    const { response } = await channel.unary('/t.T/Unary', bytesMessage(big));
    assert.equal(big.equals(response), true);
    assert.equal(
      textOf((await channel.unary('/t.T/Unary', bytesMessage(bytesOf('small')))).response),
      'small',
    );
  });
});
