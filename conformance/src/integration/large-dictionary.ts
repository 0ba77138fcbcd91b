import type { IntegrationCase } from '../integration-json.ts';

const values = 45_000;
const batches = 3;
/** Rows of a batch: each uses a part of the values that no other uses. */
const rows = values / batches;

/**
 * A file whose dictionaries take 6 MiB each, below a list too. By default we send a small one with each batch, within
 * the 4 MiB that others take; each batch uses few enough values to stay one message.
 */
export function largeDictionaryCase(): IntegrationCase {
  const json = {
    schema: {
      fields: [
        { name: 'w', type: { name: 'utf8' }, nullable: true, children: [], dictionary: encoding(0) },
        {
          name: 'l',
          type: { name: 'list' },
          nullable: true,
          children: [
            { name: 'item', type: { name: 'utf8' }, nullable: true, children: [], dictionary: encoding(1) },
          ],
        },
      ],
    },
    dictionaries: [0, 1].map((id) => ({ id, data: { count: values, columns: [words(id)] } })),
    batches: Array.from({ length: batches }, (_, batch) => ({
      count: rows,
      columns: [
        indices('w', batch),
        {
          name: 'l',
          count: rows,
          VALIDITY: Array.from({ length: rows }, () => 1),
          OFFSET: Array.from({ length: rows + 1 }, (_, row) => row - (row % 2)),
          children: [indices('item', batch)],
        },
      ],
    })),
  };
  return { name: 'large_dictionary', json: JSON.stringify(json) };
}

function encoding(id: number): object {
  return { id, indexType: { name: 'int', bitWidth: 32, isSigned: true }, isOrdered: false };
}

function words(id: number): object {
  const all = Array.from({ length: values }, (_, i) => `word ${i} of ${id} `.padEnd(140, '.'));
  return {
    name: `DICT${id}`,
    count: values,
    VALIDITY: all.map(() => 1),
    OFFSET: Array.from({ length: values + 1 }, (_, i) => 140 * i),
    DATA: all,
  };
}

function indices(name: string, batch: number): object {
  return {
    name,
    count: rows,
    VALIDITY: Array.from({ length: rows }, (_, row) => (row % 10 === 3 ? 0 : 1)),
    DATA: Array.from({ length: rows }, (_, row) => batches * ((row * 7) % rows) + batch),
  };
}
