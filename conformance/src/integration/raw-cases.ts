import type { IntegrationCase } from '../integration-json.ts';

/**
 * Files with types that apache-arrow has no classes for. Our client cannot make such data; our server passes it on
 * as it came, which another implementation's client checks.
 */
export function rawCases(): IntegrationCase[] {
  return [
    { name: 'run_end_encoded', json: JSON.stringify(runEndEncoded) },
    { name: 'list_view', json: JSON.stringify(listView) },
  ];
}

const int32 = { name: 'int', bitWidth: 32, isSigned: true };

function field(name: string, type: object, children: readonly object[] = [], nullable = true): object {
  return { name, type, nullable, children };
}

const runEndEncoded = {
  schema: {
    fields: [
      field('ree', { name: 'runendencoded' }, [
        field('run_ends', int32, [], false),
        field('values', { name: 'utf8' }),
      ]),
    ],
  },
  batches: [
    {
      count: 7,
      columns: [
        {
          name: 'ree',
          count: 7,
          children: [
            { name: 'run_ends', count: 3, VALIDITY: [1, 1, 1], DATA: [2, 3, 7] },
            {
              name: 'values',
              count: 3,
              VALIDITY: [1, 0, 1],
              OFFSET: [0, 3, 3, 8],
              DATA: ['red', '', 'green'],
            },
          ],
        },
      ],
    },
  ],
};

const listView = {
  schema: {
    fields: [
      field('lv', { name: 'listview' }, [field('item', int32)]),
      field('llv', { name: 'largelistview' }, [field('item', int32)]),
    ],
  },
  batches: [
    {
      count: 4,
      columns: [
        {
          name: 'lv',
          count: 4,
          VALIDITY: [1, 1, 0, 1],
          // The first and the last overlap, and the second lies behind both.
          OFFSET: [0, 3, 0, 1],
          SIZE: [2, 2, 0, 2],
          children: [{ name: 'item', count: 5, VALIDITY: [1, 1, 1, 0, 1], DATA: [1, 2, 3, 0, 5] }],
        },
        {
          name: 'llv',
          count: 4,
          VALIDITY: [1, 1, 1, 1],
          OFFSET: ['2', '0', '0', '1'],
          SIZE: ['1', '0', '3', '1'],
          children: [{ name: 'item', count: 3, VALIDITY: [1, 1, 1], DATA: [-1, -2, -3] }],
        },
      ],
    },
  ],
};
