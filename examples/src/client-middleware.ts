// A client whose calls are timed and logged, with a session that lives in a cookie.
import { connect, FlightServer, Ticket } from '@peregrine/flight';
import {
  type CallTiming,
  type ClientMiddlewareFactory,
  cookieMiddleware,
  loggingMiddleware,
  timingMiddleware,
} from '@peregrine/flight/middleware';
import { createSessionHandlers } from '@peregrine/flight/server';
import { tableFromArrays } from 'apache-arrow';

const timings: CallTiming[] = [];

/** Middleware of our own: a number for each call, which the server can write into its log. */
function numbered(): ClientMiddlewareFactory {
  let calls = 0;
  return {
    startCall() {
      calls += 1;
      return { sendingHeaders: () => ({ 'x-call': String(calls) }) };
    },
  };
}

const server = new FlightServer({
  doGet: () => tableFromArrays({ n: Int32Array.of(1, 2, 3) }),
  ...createSessionHandlers(),
});
await server.listen();

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`, {
  middleware: [
    numbered(),
    cookieMiddleware(),
    timingMiddleware((timing) => timings.push(timing)),
    loggingMiddleware((line) => console.log(line)),
  ],
});
await client.setSessionOptions({ 'time zone': 'Europe/Vienna' });
console.log('session:', await client.getSessionOptions());
await client.doGet(new Ticket('numbers')).readAll();
await client.close();
await server.shutdown();

const slowest = timings.toSorted((a, b) => b.totalMs - a.totalMs)[0];
console.log(`${timings.length} calls, the slowest was ${slowest?.method}`);
