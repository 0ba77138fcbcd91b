// A server that stores and commits as fast as it can until it is killed. What it is about to do and what it has
// acknowledged it writes to stdout, at once:
//   node kill-victim.js STORE DATABASE FIRST
//   ready
//   try create|replace|append|commit ID ROWS
//   ack ID
import { writeSync } from 'node:fs';
import { startNode } from './node.ts';
import { numbers } from './numbers.ts';

const [folder = '', database = '', first = ''] = process.argv.slice(2);
const node = await startNode(
  { writable: folder, catalog: 'files', pollMs: Infinity, retainMs: -1 },
  database,
);
const connection = await node.engine.connect();
await connection.execute(
  'CREATE TABLE IF NOT EXISTS a (id INTEGER); CREATE TABLE IF NOT EXISTS b (id INTEGER)',
);
let id = Number(first);

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

function begin(kind: string, rows: number): number {
  id += 1;
  say(`try ${kind} ${id} ${rows}`);
  return id;
}

async function putForever(): Promise<never> {
  for (;;) {
    const rows = 1 + Math.floor(Math.random() * 60_000);
    const created = begin('create', rows);
    const data = numbers(0, rows, created);
    await node.store.put(`d${created}`, 'create', data.schema, data.batches);
    say(`ack ${created}`);

    const replaced = begin('replace', rows);
    await node.store.put('current', 'replace', data.schema, numbers(0, rows, replaced).batches);
    say(`ack ${replaced}`);

    const appended = begin('append', 100);
    await node.store.put('log', 'create_append', data.schema, numbers(0, 100, appended).batches);
    say(`ack ${appended}`);
  }
}

async function commitForever(): Promise<never> {
  for (;;) {
    const own = begin('commit', 10);
    await connection.begin();
    await connection.execute(`INSERT INTO a SELECT ${own} FROM range(10)`);
    await connection.execute(`INSERT INTO b SELECT ${own} FROM range(10)`);
    await connection.commit();
    say(`ack ${own}`);
  }
}

say('ready');
await Promise.all([putForever(), commitForever()]);
