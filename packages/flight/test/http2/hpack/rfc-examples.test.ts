// The examples of RFC 7541, appendix C: bytes that are not ours.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack/encoder.ts';
import type { HeaderField } from '../../../src/http2/types.ts';

interface Example {
  readonly name: string;
  readonly tableSize: number;
  readonly steps: readonly {
    readonly hex: string;
    readonly fields: readonly HeaderField[];
    readonly size: number;
  }[];
}

const requests: readonly (readonly HeaderField[])[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];

const responses: readonly (readonly HeaderField[])[] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

const requestSizes = [57, 110, 164];
const responseSizes = [222, 222, 215];

const examples: readonly Example[] = [
  {
    name: 'C.2.1, a literal that is indexed',
    tableSize: 4096,
    steps: [
      {
        hex: '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
        fields: [['custom-key', 'custom-header']],
        size: 55,
      },
    ],
  },
  {
    name: 'C.2.2, a literal that is not indexed',
    tableSize: 4096,
    steps: [{ hex: '040c2f73616d706c652f70617468', fields: [[':path', '/sample/path']], size: 0 }],
  },
  {
    name: 'C.2.3, a literal that is never indexed',
    tableSize: 4096,
    steps: [{ hex: '100870617373776f726406736563726574', fields: [['password', 'secret']], size: 0 }],
  },
  {
    name: 'C.2.4, an indexed field',
    tableSize: 4096,
    steps: [{ hex: '82', fields: [[':method', 'GET']], size: 0 }],
  },
  example('C.3, requests without Huffman', 4096, requests, requestSizes, [
    '828684410f7777772e6578616d706c652e636f6d',
    '828684be58086e6f2d6361636865',
    '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
  ]),
  example('C.4, requests with Huffman', 4096, requests, requestSizes, [
    '828684418cf1e3c2e5f23a6ba0ab90f4ff',
    '828684be5886a8eb10649cbf',
    '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
  ]),
  example('C.5, responses without Huffman, with eviction', 256, responses, responseSizes, [
    '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d',
    '4803333037c1c0bf',
    '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
  ]),
  example('C.6, responses with Huffman, with eviction', 256, responses, responseSizes, [
    '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
    '4883640effc1c0bf',
    '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
  ]),
];

function example(
  name: string,
  tableSize: number,
  lists: readonly (readonly HeaderField[])[],
  sizes: readonly number[],
  blocks: readonly string[],
): Example {
  return {
    name,
    tableSize,
    steps: lists.map((fields, i) => ({ hex: blocks[i] ?? '', fields, size: sizes[i] ?? -1 })),
  };
}

describe('HpackDecoder on the examples of RFC 7541', () => {
  for (const { name, tableSize, steps } of examples) {
    it(`reads ${name}`, () => {
      const decoder = new HpackDecoder({ maxTableSize: tableSize, maxHeaderListSize: 65536 });
      if (tableSize < 4096) {
        // The examples begin with a table of this size, which only an update can set.
        assert.deepEqual(decoder.decode(Buffer.from('3fe101', 'hex')), []);
      }
      for (const { hex, fields, size } of steps) {
        assert.deepEqual(decoder.decode(Buffer.from(hex, 'hex')), fields);
        assert.equal(decoder.tableSize, size);
      }
    });
  }
});

describe('HpackEncoder on the examples of RFC 7541', () => {
  it('writes the Huffman coded request C.4.1 byte by byte', () => {
    const encoder = new HpackEncoder({ maxTableSize: 4096 });
    assert.equal(
      Buffer.from(encoder.encode(requests[0] ?? [])).toString('hex'),
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
    );
    assert.equal(encoder.tableSize, 57);
  });
});
