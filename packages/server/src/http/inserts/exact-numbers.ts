const quote = 0x22;
const backslash = 0x5c;
const noBytes = new Uint8Array(0);

/** Numbers up to this length are exact as doubles, or integers of 64 bits. */
const exactLength = 15;

/**
 * Puts quotes around the numbers of JSON that DuckDB would read as doubles and round before it looks at the column's
 * type: long ones with a fraction or an exponent. As text it reads them exactly, whatever the type.
 *
 * @param source - UTF-8, cut anywhere
 */
export async function* exactNumbers(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let inText = false;
  let escaped = false;
  let carried: Uint8Array = noBytes;
  for await (const piece of source) {
    const bytes = carried.byteLength === 0 ? piece : Buffer.concat([carried, piece]);
    carried = noBytes;
    const pieces: Uint8Array[] = [];
    let copied = 0;
    for (let at = 0; at < bytes.byteLength; at++) {
      const byte = bytes[at] ?? 0;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
        continue;
      }
      if (byte === quote) {
        inText = true;
        continue;
      }
      if (!startsNumber(byte)) continue;
      let end = at + 1;
      while (end < bytes.byteLength && continuesNumber(bytes[end] ?? 0)) end++;
      if (end === bytes.byteLength) {
        // It may go on in the next piece.
        pieces.push(bytes.subarray(copied, at));
        carried = bytes.slice(at);
        copied = end;
        break;
      }
      if (isRounded(bytes, at, end)) {
        pieces.push(bytes.subarray(copied, at), quoted(bytes.subarray(at, end)));
        copied = end;
      }
      at = end - 1;
    }
    pieces.push(bytes.subarray(copied));
    for (const part of pieces) if (part.byteLength > 0) yield part;
  }
  if (carried.byteLength > 0) yield isRounded(carried, 0, carried.byteLength) ? quoted(carried) : carried;
}

/** `-` or a digit */
function startsNumber(byte: number): boolean {
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
}

/** A digit, `+`, `-`, `.`, `e`, `E` */
function continuesNumber(byte: number): boolean {
  return startsNumber(byte) || byte === 0x2b || byte === 0x2e || byte === 0x65 || byte === 0x45;
}

function isRounded(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= exactLength) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x2e || byte === 0x65 || byte === 0x45) return true;
  }
  return false;
}

function quoted(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(quote), bytes, Buffer.of(quote)]);
}
