import { quoteIdentifier, quoteLiteral } from '../engine/sql-text.ts';

/**
 * Parquet has no unions: a column that is one goes as a struct of its tag and a value for each member, of which all but
 * one are null.
 *
 * ```
 * type   = "UNION(" member *( ", " member ) ")"
 * member = name " " type                  name: a word, or quoted
 * stored = STRUCT(tag VARCHAR, value STRUCT(member…))
 * ```
 */
export interface UnionMember {
  readonly name: string;
  readonly type: string;
}

/** The members of a type; undefined for a type that is no union. */
export function unionMembers(type: string): UnionMember[] | undefined {
  const inner = /^UNION\((.*)\)$/s.exec(type)?.[1];
  if (inner === undefined) return undefined;
  const members: UnionMember[] = [];
  for (const text of splitList(inner)) {
    const found = /^(?:"((?:[^"]|"")*)"|([^\s"(]+)) (.+)$/s.exec(text.trim());
    if (found === null) return undefined;
    const [, quoted, word = '', memberType = ''] = found;
    members.push({ name: quoted?.replaceAll('""', '"') ?? word, type: memberType });
  }
  return members;
}

/** Whether there is a union inside of a type, at any depth. */
export function holdsUnion(type: string): boolean {
  return /\bUNION\(/.test(type.replaceAll(quotedText, '""'));
}

/**
 * SQL that makes of a union what is stored.
 *
 * @param value - SQL of the union
 * @param storable - the type that a member of a type is stored as
 */
export function packUnion(
  value: string,
  members: readonly UnionMember[],
  storable: (type: string) => string,
): string {
  const values = members.map(
    ({ name, type }) =>
      `${quoteIdentifier(name)} := CAST(union_extract(${value}, ${quoteLiteral(name)}) AS ${storable(type)})`,
  );
  return (
    `CASE WHEN ${value} IS NULL AND union_tag(${value}) IS NULL THEN NULL ELSE ` +
    `struct_pack("tag" := CAST(union_tag(${value}) AS VARCHAR), "value" := struct_pack(${values.join(', ')})) END`
  );
}

/** SQL that makes the union again, of the column that is stored. */
export function unpackUnion(column: string, type: string, members: readonly UnionMember[]): string {
  const stored = quoteIdentifier(column);
  const cases = members.map(({ name, type: memberType }) => {
    const member = quoteIdentifier(name);
    const value = `CAST(${stored}."value".${member} AS ${memberType})`;
    return `WHEN ${quoteLiteral(name)} THEN CAST(union_value(${member} := ${value}) AS ${type})`;
  });
  return `CASE ${stored}."tag" ${cases.join(' ')} END`;
}

const quotedText = /"(?:[^"]|"")*"|'(?:[^']|'')*'/g;

/** Splits at the commas that are in no parentheses and no quotes. */
function splitList(text: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  // Quoted text of the same length, so that places stay.
  const bare = text.replaceAll(quotedText, (quoted) => '_'.repeat(quoted.length));
  for (let at = 0; at < bare.length; at += 1) {
    if (bare[at] === '(') depth += 1;
    if (bare[at] === ')') depth -= 1;
    if (bare[at] !== ',' || depth > 0) continue;
    items.push(text.slice(from, at));
    from = at + 1;
  }
  items.push(text.slice(from));
  return items;
}
