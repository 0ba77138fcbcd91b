// What tests and checks run with: the environment, without what would change how the programs that they start behave.
import { listSettings, variableOf } from '../packages/server/dist/src/settings/definitions.js';

/** Settings of the command that are none of the server's. */
const commandVariables = [
  'PEREGRINE_TOKEN',
  'PEREGRINE_PASSWORD',
  'PEREGRINE_DEBUG',
  'PEREGRINE_DEBUG_MEMORY',
];

/** Programs of others ask proxies for loopback, too; Node warns on stderr where both of the last two are set. */
const others = /^(?:(?:https?|all|grpc)_proxy|node_use_env_proxy|aws_\w+|force_color|no_color)$/i;

/** @returns a copy of the environment */
export function testEnvironment() {
  const settings = new Set([...listSettings().map(variableOf), ...commandVariables]);
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !settings.has(name.toUpperCase()) && !others.test(name)),
  );
}
