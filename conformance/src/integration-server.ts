// The server of Arrow's integration protocol: peregrine-integration-server -port=0 [-scenario NAME]
// Prints `Server listening on localhost:PORT` and serves until it is killed. Without a scenario: the JSON mode.
import { FlightServer } from '@peregrine/flight';
import { parseArguments } from './integration/arguments.ts';
import { jsonHandlers } from './integration/json-server.ts';
import type { ScenarioServer } from './integration/scenario.ts';
import { findScenario } from './integration/scenarios.ts';

const values = parseArguments(process.argv.slice(2), ['port', 'scenario', 'host']);
const scenario = values.get('scenario');
const { handlers, options }: ScenarioServer =
  scenario === undefined || scenario === ''
    ? { handlers: jsonHandlers(() => `grpc+tcp://127.0.0.1:${server.port}`) }
    : findScenario(scenario).server();
const server = new FlightServer(handlers, { ...options, signals: true });
await server.listen(`grpc+tcp://${values.get('host') ?? '127.0.0.1'}:${values.get('port') ?? '0'}`);
console.log(`Server listening on localhost:${server.port}`);
