/**
 * Arguments as the integration protocol has them: `-name=value`, `-name value` and the same with two dashes, because
 * each implementation's driver writes them in its own way.
 *
 * @throws Error for a name that is not among `known`, or one without a value
 */
export function parseArguments(args: readonly string[], known: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = '', inline] = /^--?([a-z]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const value = inline ?? rest.shift();
    if (!known.includes(name) || value === undefined) {
      throw new Error(`cannot use ${arg}; there are: ${known.map((each) => `-${each}=VALUE`).join(' ')}`);
    }
    values.set(name, value);
  }
  return values;
}
