/** DoAction served by grpc-js, messages as bytes. Prints `ready HOST:PORT`. */
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';

const bytes = (value: Buffer): Buffer => value;
const server = new Server();
server.addService(
  {
    doAction: {
      path: '/arrow.flight.protocol.FlightService/DoAction',
      requestStream: false,
      responseStream: true,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  },
  {
    doAction: (call: ServerWritableStream<Buffer, Buffer>) => {
      call.write(Buffer.from([0x0a, 4, 0x70, 0x6f, 0x6e, 0x67]));
      call.end();
    },
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`ready 127.0.0.1:${port}`);
});
