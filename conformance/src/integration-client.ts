// The client of Arrow's integration protocol:
//   peregrine-integration-client -host HOST -port PORT (-path FILE.json | -scenario NAME)
// Exits with 0 when the server did what is expected of it.
import { parseArguments } from './integration/arguments.ts';
import { jsonClient } from './integration/json-client.ts';
import { findScenario } from './integration/scenarios.ts';

const values = parseArguments(process.argv.slice(2), ['host', 'port', 'path', 'scenario']);
const location = `grpc+tcp://${values.get('host') ?? 'localhost'}:${values.get('port') ?? '31337'}`;
const path = values.get('path');
const scenario = values.get('scenario');
try {
  if (path !== undefined && path !== '') await jsonClient(location, path);
  else if (scenario !== undefined) await findScenario(scenario).client(location);
  else throw new Error('give -path FILE.json or -scenario NAME');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
