import { type Cell, CellRecord } from './cell-record.ts';

/** How numbers that JSON's readers may round are written. */
export interface JsonStyle {
  /**
   * 64-bit and wider integers: `safe` as text only where they are above 2^53, `text` always, `number` never. Default:
   * `safe`.
   */
  readonly bigIntegers?: 'safe' | 'text' | 'number' | undefined;
  /** The numbers that JSON lacks: `null`, or `text`: "NaN", "Infinity" and "-Infinity". Default: `null`. */
  readonly nonFinite?: 'null' | 'text' | undefined;
}

/**
 * A cell as JSON text. Nothing is lost: integers above 2^53 and decimals are strings, bytes are base64. But the numbers
 * that JSON lacks (NaN, infinities) are null as JSON.stringify has it, unless the style says otherwise.
 */
export function cellToJson(cell: Cell, style: JsonStyle = {}): string {
  if (cell === null) return 'null';
  switch (typeof cell) {
    case 'string':
      return JSON.stringify(cell);
    case 'number':
      if (Number.isFinite(cell)) return numberText(cell);
      return style.nonFinite === 'text' ? `"${cell}"` : 'null';
    case 'bigint':
      return isBare(cell, style) ? String(cell) : `"${cell}"`;
    case 'boolean':
      return String(cell);
    default:
      break;
  }
  if (cell instanceof Uint8Array) return `"${Buffer.from(cell).toString('base64')}"`;
  if (!(cell instanceof CellRecord)) return `[${cell.map((item) => cellToJson(item, style)).join(',')}]`;
  const members = cell.entries.map(([name, value]) => `${JSON.stringify(name)}:${cellToJson(value, style)}`);
  return `{${members.join(',')}}`;
}

/** The shortest text that is read back as the number. JavaScript writes -0 without its sign. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function isBare(cell: bigint, { bigIntegers = 'safe' }: JsonStyle): boolean {
  if (bigIntegers !== 'safe') return bigIntegers === 'number';
  return cell >= -9007199254740991n && cell <= 9007199254740991n;
}

/** A cell as people read it: text bare, bytes as hexadecimal, lists and objects as JSON, null as nothing. */
export function cellToText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString('hex');
  if (typeof cell === 'object') return cellToJson(cell, { nonFinite: 'text' });
  return typeof cell === 'number' ? numberText(cell) : String(cell);
}
