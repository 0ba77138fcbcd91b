/** The name of an enum's number on the wire; `unknown` for numbers that are newer than this library. */
export function statusName<Name extends string>(
  table: Readonly<Record<Name, number>>,
  value: number,
  unknown: NoInfer<Name>,
): Name {
  for (const name in table) {
    if (table[name] === value) return name;
  }
  return unknown;
}
