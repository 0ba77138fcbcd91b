import { FlightServer, RecordBatchStream, connect } from '@peregrine/flight';
import { tableFromArrays } from 'apache-arrow';

const prices = tableFromArrays({ symbol: ['A', 'B'], price: Float64Array.of(1.5, 2.5) });

const server = new FlightServer({
  doGet: () => new RecordBatchStream(prices),
});
await server.listen('grpc+tcp://127.0.0.1:0');

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
for await (const chunk of client.doGet('prices')) {
  for (const row of chunk.data ?? []) console.log(row.toJSON());
}
await client.close();
await server.shutdown();
