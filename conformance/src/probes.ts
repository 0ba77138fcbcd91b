/** Those who watch a server: gRPC's health client for Python, Prometheus' parser, a validator of OpenAPI. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightServer, createHealthService } from '@peregrine/flight';
import { type DataServer, serveData } from '@peregrine/server';
import { conformanceFile, pythonPath, startPeer } from './peers.ts';

const script = conformanceFile('python/probe_checks.py');

describe('those who watch a server', () => {
  let server: DataServer;
  before(async () => {
    server = await serveData({ flightPort: 0, httpPort: 0 });
  });
  after(() => server.shutdown());

  it('read the health of the data server by gRPC, and hear of its end', async () => {
    const own = await serveData({ flightPort: 0, httpPort: undefined });
    const peer = startPeer(pythonPath(), [script, 'health', new URL(own.location).host]);
    await peer.line(/^check '' SERVING$/);
    await peer.line(/^check 'arrow\.flight\.protocol\.FlightService' SERVING$/);
    await peer.line(/^check 'nothing' NOT_FOUND$/);
    await peer.line(/^watch SERVING$/);
    await own.shutdown();
    await peer.line(/^watch NOT_SERVING$/);
    await peer.line(/^watch ended UNAVAILABLE$/);
    assert.equal(await peer.exit, 0, peer.output());
  });

  it('hear of each change', async () => {
    const health = createHealthService();
    const flight = new FlightServer({}, { services: [health] });
    await flight.listen();
    const peer = startPeer(pythonPath(), [script, 'health', `127.0.0.1:${flight.port}`]);
    await peer.line(/^watch SERVING$/);
    health.setStatus('NOT_SERVING');
    await peer.line(/^watch NOT_SERVING$/);
    health.setStatus('SERVING');
    while (peer.output().split('watch SERVING').length < 3) await new Promise((next) => setTimeout(next, 20));
    await flight.shutdown();
    assert.equal(await peer.exit, 0, peer.output());
  });

  it('find metrics, the description of the API and the answers of every route valid', async () => {
    const peer = startPeer(pythonPath(), [script, 'http', server.httpUrl ?? assert.fail('HTTP is off')]);
    assert.equal(await peer.exit, 0, peer.output());
    for (const line of ['openapi valid', 'answers as described', 'metrics valid']) {
      assert.ok(peer.output().includes(line), peer.output());
    }
  });
});
