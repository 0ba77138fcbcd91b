// The model: what each table must hold, may hold and must not hold, by what was asked and answered.
//
// All rows of one write are a chunk, known by its number. A change is what becomes visible at once: one write, or all of a
// transaction. A read sees each change wholly or not at all: one that was acknowledged before it began for certain, one
// that was refused or began after it never, and any other perhaps.

/** What broke. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Fails unless it is so. */
export function check(isSo: boolean, what: () => string): asserts isSo {
  if (!isSo) throw new Violation(what());
}

let ticks = 0;
/** The time: each call is later than all before. */
export function tick(): number {
  ticks += 1;
  return ticks;
}

/** `open`: not asked to become visible. `asked`: it may be already. `lost`: no answer came. */
export type ChangeState = 'open' | 'asked' | 'done' | 'undone' | 'lost';

/** One write, or a transaction. */
export interface Change {
  readonly what: string;
  state: ChangeState;
  /** From when on it may be seen; Infinity: it may not. */
  begin: number;
  /** From when on it must be seen; Infinity: it need not. */
  end: number;
  /** Somebody saw it. */
  isSeen: boolean;
  readonly steps: Step[];
}

/** What a change does to one chunk. `lost`: it may be a part of the change or not. */
export interface Step {
  readonly kind: 'add' | 'remove' | 'tag';
  readonly change: Change;
  readonly chunk: Chunk;
  readonly tag: number;
  state: 'asked' | 'done' | 'undone' | 'lost';
}

/** The rows of one write. */
export interface Chunk {
  readonly op: number;
  readonly rows: number;
  readonly table: ModelTable;
  readonly added: Step;
  readonly removals: Step[];
  readonly tags: Step[];
}

/** A table. */
export interface ModelTable {
  readonly name: string;
  /** How SQL calls it. */
  readonly sql: string;
  /** `rows`: made once, written by everything. `bulk`: made and replaced by ingests. `stored`: a dataset of the store. */
  readonly kind: 'rows' | 'bulk' | 'stored';
  readonly chunks: Map<number, Chunk>;
  /** Whether it is there; undefined: an answer was lost. */
  exists: boolean | undefined;
  /** The same, before who remakes it began. */
  existsBefore: boolean | undefined;
  /** Until when it may have been missing. */
  missingUntil: number;
  /** When it was last made, replaced or dropped. */
  remadeAt: number;
  /** Who writes: several that add rows, or one that makes, replaces or drops it. */
  writers: number;
  isRemade: boolean;
}

/** Makes a table that is empty, or not there. */
export function modelTable(kind: ModelTable['kind'], name: string, sql: string, exists: boolean): ModelTable {
  return {
    name,
    sql,
    kind,
    chunks: new Map(),
    exists,
    existsBefore: exists,
    missingUntil: exists ? 0 : Infinity,
    remadeAt: 0,
    writers: 0,
    isRemade: false,
  };
}

/** Begins a change that is visible when it is acknowledged. */
export function beginChange(what: string, state: 'open' | 'asked'): Change {
  const begin = state === 'asked' ? tick() : Infinity;
  return { what, state, begin, end: Infinity, isSeen: false, steps: [] };
}

function addStep(change: Change, kind: Step['kind'], chunk: Chunk, tag: number): Step {
  const step: Step = { kind, change, chunk, tag, state: 'asked' };
  change.steps.push(step);
  return step;
}

/** A chunk that a change adds. */
export function addChunk(change: Change, table: ModelTable, op: number, rows: number): Step {
  const chunk: Chunk = {
    op,
    rows,
    table,
    removals: [],
    tags: [],
    get added(): Step {
      return added;
    },
  };
  const added = addStep(change, 'add', chunk, 0);
  table.chunks.set(op, chunk);
  return added;
}

/** A chunk that a change removes. */
export function removeChunk(change: Change, chunk: Chunk): Step {
  const step = addStep(change, 'remove', chunk, 0);
  chunk.removals.push(step);
  return step;
}

/** A chunk whose rows a change marks. */
export function tagChunk(change: Change, chunk: Chunk, tag: number): Step {
  const step = addStep(change, 'tag', chunk, tag);
  chunk.tags.push(step);
  return step;
}

/** The change was acknowledged. */
export function done(change: Change): void {
  change.state = 'done';
  change.end = tick();
  for (const step of change.steps) if (step.state === 'asked') step.state = 'done';
}

/** The change was refused, or rolled back. Nobody may have seen it. */
export function undone(change: Change): void {
  check(!change.isSeen, () => `${change.what} was refused or rolled back, and was seen before`);
  change.state = 'undone';
  change.begin = Infinity;
}

/** Nobody told what became of the change. */
export function lost(change: Change): void {
  change.state = 'lost';
  if (change.isSeen) done(change);
}

/** Who reads, and of when the snapshot is. */
export interface Reader {
  readonly from: number;
  readonly to: number;
  /** The transaction that reads: it sees its own steps. */
  readonly own?: Change | undefined;
  /** Nothing runs and nobody else is there: what is seen now is so for good. */
  readonly isQuiet?: boolean | undefined;
}

/** `must`: it is seen. `never`: it is not. */
export type Sight = 'must' | 'may' | 'never';

/** Whether a step is seen by a reader. */
export function sightOf({ change, state }: Step, { from, own, to }: Reader): Sight {
  if (state === 'undone') return 'never';
  let sight: Sight = 'may';
  if (own === change) sight = state === 'done' ? 'must' : 'may';
  else if (change.begin > to) sight = 'never';
  else if (change.end < from) sight = 'must';
  return sight === 'must' && state === 'lost' ? 'may' : sight;
}

/** Whether a chunk is seen. */
export function chunkSight(chunk: Chunk, reader: Reader): Sight {
  const added = sightOf(chunk.added, reader);
  const removals = chunk.removals.map((step) => sightOf(step, reader));
  if (added === 'never' || removals.includes('must')) return 'never';
  return added === 'must' && removals.every((sight) => sight === 'never') ? 'must' : 'may';
}

/** What was read of a chunk: its rows and their mark. */
export interface Seen {
  readonly rows: number;
  readonly tag: number;
}

/** What was read of a table; undefined: it was not there. */
export type Content = ReadonlyMap<number, Seen>;

/** Compares what one snapshot gave with the model. */
export function verify(
  contents: ReadonlyMap<ModelTable, Content | undefined>,
  reader: Reader,
  where: string,
): void {
  /** By change: what shows that it was seen, and that it was not. */
  const shown = new Map<Change, { seen?: string; unseen?: string }>();
  const show = (step: Step, which: 'seen' | 'unseen'): void => {
    if (step.change === reader.own) return;
    // It need not be a part of the change.
    if (which === 'unseen' && (step.state === 'lost' || step.state === 'undone')) return;
    const evidence = shown.get(step.change) ?? {};
    evidence[which] ??= `${step.kind} ${step.chunk.op} in ${step.chunk.table.name}`;
    shown.set(step.change, evidence);
    if (which === 'seen' && step.state === 'lost' && step.change.state === 'done') step.state = 'done';
  };
  for (const [table, content] of contents) {
    if (content === undefined) {
      check(
        table.exists !== true || reader.from <= table.missingUntil,
        () => `${where}: ${table.name} was not there`,
      );
    }
    verifyTable(table, content ?? new Map(), reader, where, show);
  }
  for (const [change, { seen, unseen }] of shown) {
    check(
      seen === undefined || unseen === undefined,
      () => `${where}: ${change.what} was seen in part: ${seen} was, ${unseen} was not`,
    );
    if (seen !== undefined) {
      change.isSeen = true;
      if (change.state === 'lost') done(change);
    } else if (reader.isQuiet === true && change.state === 'lost') undone(change);
  }
}

function verifyTable(
  table: ModelTable,
  content: Content,
  reader: Reader,
  where: string,
  show: (step: Step, which: 'seen' | 'unseen') => void,
): void {
  for (const op of content.keys()) {
    check(table.chunks.has(op), () => `${where}: ${table.name} has rows of ${op}, which nobody wrote there`);
  }
  for (const chunk of table.chunks.values()) {
    const seen = content.get(chunk.op);
    const sight = chunkSight(chunk, reader);
    const name = (): string => `${where}: ${table.name} ${chunk.op} (${chunk.added.change.what})`;
    if (seen === undefined) {
      check(sight !== 'must', () => `${name()} is missing`);
    } else {
      check(sight !== 'never', () => `${name()} is there, and must not be; ${describe(chunk)}`);
      check(seen.rows === chunk.rows, () => `${name()} has ${seen.rows} rows of ${chunk.rows}`);
      verifyTag(chunk, seen.tag, reader, name, show);
    }
    const removals = chunk.removals.filter((step) => sightOf(step, reader) !== 'never');
    const [only] = removals;
    if (seen !== undefined) {
      show(chunk.added, 'seen');
      for (const step of removals) if (step.state === 'done') show(step, 'unseen');
    } else if (removals.length === 0) {
      if (chunk.added.state === 'done' || reader.isQuiet === true) show(chunk.added, 'unseen');
    } else if (removals.length === 1 && only !== undefined && sightOf(chunk.added, reader) === 'must') {
      show(only, 'seen');
    }
    if (reader.isQuiet === true && seen !== undefined) for (const step of removals) show(step, 'unseen');
  }
}

/** The mark is one that was set, and that none has taken the place of. */
function verifyTag(
  chunk: Chunk,
  tag: number,
  reader: Reader,
  name: () => string,
  show: (step: Step, which: 'seen' | 'unseen') => void,
): void {
  const step = tag === 0 ? chunk.added : chunk.tags.find((candidate) => candidate.tag === tag);
  check(step !== undefined, () => `${name()} has mark ${tag}, which nobody set`);
  check(
    sightOf(step, reader) !== 'never',
    () => `${name()} has mark ${tag}, and must not; ${describe(chunk)}`,
  );
  for (const other of chunk.tags) {
    if (other === step || sightOf(other, reader) !== 'must') continue;
    const isLater =
      other.change === step.change
        ? other.change.steps.indexOf(other) > other.change.steps.indexOf(step)
        : true;
    const isOverwritten =
      isLater &&
      (other.change === step.change || step === chunk.added || isBefore(step.change, other.change, reader));
    check(!isOverwritten, () => `${name()} has mark ${tag} again, after ${other.tag}; ${describe(chunk)}`);
  }
  if (step !== chunk.added) show(step, 'seen');
  if (reader.isQuiet === true) {
    for (const other of chunk.tags) if (other !== step && tag === 0) show(other, 'unseen');
  }
}

/** Whether one change was over before the other began; what a transaction does itself comes after all that it sees. */
function isBefore(first: Change, second: Change, { own }: Reader): boolean {
  return second === own || (first !== own && first.end < second.begin);
}

function describe({ added, removals, tags }: Chunk): string {
  return [added, ...removals, ...tags]
    .map(
      ({ change, kind, state, tag }) =>
        `${kind}${kind === 'tag' ? ` ${tag}` : ''} ${state} by ${change.what}, ${change.state} ${change.begin}..${change.end}`,
    )
    .join('; ');
}

/** Forgets what is over for good, so that the model stays small. Only where nothing is under way. */
export function forgetOld(table: ModelTable): void {
  for (const [op, { added, removals }] of table.chunks) {
    const isGone = removals.some(({ change, state }) => state === 'done' && change.state === 'done');
    if (isGone || added.change.state === 'undone' || added.state === 'undone') table.chunks.delete(op);
  }
}
