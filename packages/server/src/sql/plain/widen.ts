import type { ArrowType } from '@peregrine/flight/ipc';
import type { Column } from './columns.ts';

/** Bits of an unsigned integer. */
export type UnsignedBits = 8 | 16 | 32 | 64;

/** What has room for all values of an unsigned integer and a sign, and its bytes. */
export const widened: Readonly<Record<UnsignedBits, { readonly type: ArrowType; readonly width: number }>> = {
  8: { type: { kind: 'int', bitWidth: 16, signed: true }, width: 2 },
  16: { type: { kind: 'int', bitWidth: 32, signed: true }, width: 4 },
  32: { type: { kind: 'int', bitWidth: 64, signed: true }, width: 8 },
  64: { type: { kind: 'decimal', precision: 20, scale: 0, bitWidth: 128 }, width: 16 },
};

/** Whether a type is an unsigned integer. */
export function isUnsigned(
  type: ArrowType,
): type is Extract<ArrowType, { kind: 'int' }> & { readonly signed: false } {
  return type.kind === 'int' && !type.signed;
}

/** The same numbers in the next type with a sign: zeros above them, as all is little-endian. */
export function widen(column: Column, bits: UnsignedBits): Column {
  const [validity = noBytes, values = noBytes] = column.buffers;
  const from = bits / 8;
  const { width } = widened[bits];
  const wide = new Uint8Array(column.length * width);
  for (let i = 0; i < column.length; i++) {
    for (let k = 0; k < from; k++) wide[i * width + k] = values[i * from + k] ?? 0;
  }
  return {
    ...column,
    layout: { ...column.layout, shape: { kind: 'fixed', width } },
    buffers: [validity, wide],
  };
}

const noBytes = new Uint8Array(0);
