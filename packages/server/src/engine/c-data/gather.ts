import type { BatchLayout } from '@peregrine/flight/ipc/messages';
import type { ColumnLayout } from './layout.ts';
import { copy, type Address, readBytes } from './native.ts';
import { copyBits, type Piece, setBits, viewBufferLengths } from './pieces.ts';

/** Bodies are laid out as Arrow recommends: each buffer begins at a multiple of this. */
const alignment = 64;

/** A buffer of a body and how it is filled. */
interface Step {
  readonly kind:
    | 'validity'
    | 'bits'
    | 'fixed'
    | 'offsets'
    | 'data'
    | 'views'
    | 'view-data'
    | 'list-views'
    | 'union-offsets';
  readonly pieces: readonly Piece[];
  /** Which buffer of the pieces' arrays. */
  readonly buffer: number;
  /** Bytes of a value. */
  readonly width: number;
  readonly place: number;
  readonly bytes: number;
  readonly column: ColumnLayout;
}

/** A batch that has been laid out but not copied yet. */
export interface GatherPlan {
  readonly layout: BatchLayout;
  readonly bodyLength: number;
  readonly steps: readonly Step[];
}

/** Memory that a batch is gathered into: of JavaScript, shared by threads, and its address. */
export interface Target {
  readonly bytes: Uint8Array;
  readonly address: Address;
}

/** Lays the pieces of each column out, one after the other, in one body. */
export function planBody(
  columns: readonly ColumnLayout[],
  pieces: readonly (readonly Piece[])[],
  rows: number,
): GatherPlan {
  const nodes: number[] = [];
  const buffers: number[] = [];
  const variadicBufferCounts: number[] = [];
  const steps: Step[] = [];
  let end = 0;

  function add(
    kind: Step['kind'],
    column: ColumnLayout,
    parts: readonly Piece[],
    buffer: number,
    width: number,
    bytes: number,
  ): void {
    buffers.push(end, bytes);
    if (bytes > 0) steps.push({ kind, pieces: parts, buffer, width, place: end, bytes, column });
    end = Math.ceil((end + bytes) / alignment) * alignment;
  }

  function addColumn(column: ColumnLayout, parts: readonly Piece[]): void {
    let count = 0;
    let nullCount = 0;
    for (const part of parts) {
      count += part.count;
      nullCount += part.nullCount;
    }
    const { shape } = column;
    nodes.push(count, nullCount);
    if (shape.kind === 'null') return;
    const bitBytes = Math.ceil(count / 8);
    if (shape.kind !== 'union') add('validity', column, parts, 0, 0, nullCount > 0 ? bitBytes : 0);
    switch (shape.kind) {
      case 'bits':
        add('bits', column, parts, 1, 0, bitBytes);
        break;
      case 'fixed':
        add('fixed', column, parts, 1, shape.width, count * shape.width);
        break;
      case 'bytes': {
        const width = shape.wide ? 8 : 4;
        add('offsets', column, parts, 1, width, (count + 1) * width);
        let bytes = 0;
        for (const part of parts) bytes += part.dataBytes;
        add('data', column, parts, 2, 1, bytes);
        break;
      }
      case 'views': {
        add('views', column, parts, 1, 16, 16 * count);
        let variadic = 0;
        for (const part of parts) {
          for (const [index, length] of viewBufferLengths(part.array).entries()) {
            add('view-data', column, [part], 2 + index, length, length);
            variadic++;
          }
        }
        variadicBufferCounts.push(variadic);
        break;
      }
      case 'list':
        add('offsets', column, parts, 1, shape.wide ? 8 : 4, (count + 1) * (shape.wide ? 8 : 4));
        break;
      case 'list-view': {
        const width = shape.wide ? 8 : 4;
        add('list-views', column, parts, 1, width, count * width);
        add('fixed', column, parts, 2, width, count * width);
        break;
      }
      case 'union':
        add('fixed', column, parts, 0, 1, count);
        if (shape.dense) add('union-offsets', column, parts, 1, 4, 4 * count);
        break;
      case 'fixed-list':
      case 'struct':
    }
    for (let i = 0; i < column.children.length; i++) {
      const child = column.children[i];
      if (child === undefined) continue;
      const below: Piece[] = [];
      for (const part of parts) {
        const piece = part.children[i];
        if (piece !== undefined) below.push(piece);
      }
      addColumn(child, below);
    }
  }

  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column !== undefined) addColumn(column, pieces[i] ?? []);
  }
  return {
    layout: { length: rows, nodes, buffers, variadicBufferCounts, compression: undefined },
    bodyLength: end,
    steps,
  };
}

let scratch = new Uint8Array(16 * 1024);

/** Copies the pieces into the body that was planned. The target is at least as long as the body. */
export function fillBody(plan: GatherPlan, target: Target): void {
  for (const step of plan.steps) {
    fill(step, target);
    // Blocks are used again: what another result left in the padding stays here.
    const end = step.place + step.bytes;
    target.bytes.fill(0, end, Math.ceil(end / alignment) * alignment);
  }
}

function fill(step: Step, target: Target): void {
  const { pieces, buffer, width, place } = step;
  switch (step.kind) {
    case 'validity':
    case 'bits':
      return fillBits(step, target);
    case 'fixed': {
      let at = target.address + place;
      for (const { array, start, count } of pieces) {
        const source = array.buffers[buffer] ?? 0;
        const bytes = count * width;
        if (source !== 0) copy(at, source + start * width, bytes);
        else target.bytes.fill(0, at - target.address, at - target.address + bytes);
        at += bytes;
      }
      return;
    }
    case 'data': {
      let at = target.address + place;
      for (const { array, dataStart, dataBytes } of pieces) {
        if (dataBytes > 0) copy(at, (array.buffers[buffer] ?? 0) + dataStart, dataBytes);
        at += dataBytes;
      }
      return;
    }
    case 'view-data':
      copy(target.address + place, pieces[0]?.array.buffers[buffer] ?? 0, width);
      return;
    case 'offsets':
      return width === 8 ? fillOffsets64(step, target) : fillOffsets32(step, target);
    case 'views':
      return fillViews(step, target);
    case 'list-views':
      return fillListViews(step, target);
    case 'union-offsets':
      return fillUnionOffsets(step, target);
  }
}

function fillBits({ kind, pieces, buffer, place }: Step, target: Target): void {
  let count = 0;
  for (const piece of pieces) count += piece.count;
  target.bytes.fill(0, place, place + Math.ceil(count / 8));
  let bit = 0;
  for (const piece of pieces) {
    const source = piece.array.buffers[buffer] ?? 0;
    if (kind === 'validity' && (piece.nullCount === 0 || source === 0)) {
      setBits(target.bytes, place, bit, piece.count);
    } else if (source !== 0 && piece.count > 0) {
      if (scratch.byteLength < piece.count / 8 + 2) scratch = new Uint8Array(piece.count / 4);
      copyBits(source, piece.start, piece.count, target.bytes, place, bit, scratch);
    }
    bit += piece.count;
  }
}

function fillOffsets32({ pieces, buffer, place, column }: Step, target: Target): void {
  const first = (target.bytes.byteOffset + place) / 4;
  const offsets = new Int32Array(target.bytes.buffer);
  let at = first;
  let end = 0;
  offsets[at] = 0;
  for (const { array, start, count, dataStart, dataBytes, children } of pieces) {
    const source = array.buffers[buffer] ?? 0;
    const length = column.shape.kind === 'bytes' ? dataBytes : (children[0]?.count ?? 0);
    if (count === 0) continue;
    if (source === 0) offsets.fill(end, at, at + count + 1);
    else {
      copy(target.address + place + 4 * (at - first), source + 4 * start, 4 * (count + 1));
      const delta = end - dataStart;
      const last = at + count;
      if (delta !== 0) for (let i = at; i <= last; i++) offsets[i] = (offsets[i] ?? 0) + delta;
    }
    at += count;
    end += length;
  }
}

function fillOffsets64({ pieces, buffer, place, column }: Step, target: Target): void {
  const first = (target.bytes.byteOffset + place) / 8;
  const offsets = new BigInt64Array(target.bytes.buffer);
  let at = first;
  let end = 0;
  offsets[at] = 0n;
  for (const { array, start, count, dataStart, dataBytes, children } of pieces) {
    const source = array.buffers[buffer] ?? 0;
    const length = column.shape.kind === 'bytes' ? dataBytes : (children[0]?.count ?? 0);
    if (count === 0) continue;
    if (source === 0) offsets.fill(BigInt(end), at, at + count + 1);
    else {
      copy(target.address + place + 8 * (at - first), source + 8 * start, 8 * (count + 1));
      const delta = BigInt(end - dataStart);
      const last = at + count;
      if (delta !== 0n) for (let i = at; i <= last; i++) offsets[i] = (offsets[i] ?? 0n) + delta;
    }
    at += count;
    end += length;
  }
}

/** view := int32 length, 12 bytes | int32 length, 4 bytes prefix, int32 buffer index, int32 offset */
function fillViews({ pieces, place }: Step, target: Target): void {
  const words = new Int32Array(target.bytes.buffer);
  let at = place;
  let buffersBefore = 0;
  for (const { array, start, count } of pieces) {
    if (count > 0) copy(target.address + at, (array.buffers[1] ?? 0) + 16 * start, 16 * count);
    const first = (target.bytes.byteOffset + at) / 4;
    const shifted = buffersBefore > 0 ? count : 0;
    for (let i = 0; i < shifted; i++) {
      const word = first + 4 * i;
      if ((words[word] ?? 0) > 12) words[word + 2] = (words[word + 2] ?? 0) + buffersBefore;
    }
    buffersBefore += viewBufferLengths(array).length;
    at += 16 * count;
  }
}

function fillListViews({ pieces, place, width }: Step, target: Target): void {
  const view = new DataView(target.bytes.buffer, target.bytes.byteOffset);
  let at = place;
  let base = 0;
  for (const { array, start, count, children } of pieces) {
    if (count > 0) copy(target.address + at, (array.buffers[1] ?? 0) + width * start, width * count);
    const shifted = base > 0 ? count : 0;
    for (let i = 0; i < shifted; i++) {
      const each = at + width * i;
      if (width === 8) view.setBigInt64(each, view.getBigInt64(each, true) + BigInt(base), true);
      else view.setInt32(each, view.getInt32(each, true) + base, true);
    }
    at += width * count;
    base += children[0]?.count ?? 0;
  }
}

function fillUnionOffsets({ pieces, place, column }: Step, target: Target): void {
  const { shape } = column;
  if (shape.kind !== 'union') return;
  const bases = column.children.map(() => 0);
  const offsets = new Int32Array(target.bytes.buffer);
  let at = (target.bytes.byteOffset + place) / 4;
  let copied = 0;
  for (const { array, start, count, children } of pieces) {
    if (count > 0) copy(target.address + place + 4 * copied, (array.buffers[1] ?? 0) + 4 * start, 4 * count);
    const ids = new Int8Array(readBytes((array.buffers[0] ?? 0) + start, count).buffer);
    for (let i = 0; i < count; i++, at++) {
      offsets[at] = (offsets[at] ?? 0) + (bases[shape.childOf.get(ids[i] ?? 0) ?? 0] ?? 0);
    }
    copied += count;
    for (const [index, child] of children.entries()) bases[index] = (bases[index] ?? 0) + child.count;
  }
}
