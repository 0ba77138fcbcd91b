/** Formats of results and inserts. */
export const httpFormatNames = [
  'json',
  'json-compact',
  'ndjson',
  'ndjson-compact',
  'csv',
  'csv-bare',
  'tsv',
  'tsv-bare',
  'markdown',
  'arrow',
  'arrow-file',
  'parquet',
] as const;

/** One of {@link httpFormatNames}. */
export type HttpFormatName = (typeof httpFormatNames)[number];

/** What a format is called, and what it can do. */
export interface HttpFormat {
  readonly name: HttpFormatName;
  /** For people, in the documentation. */
  readonly description: string;
  /** What `Content-Type` says. */
  readonly contentType: string;
  /** Media types that ask for it, and with which inserts come. */
  readonly mediaTypes: readonly string[];
  /** Names in ClickHouse's FORMAT clause; the first is the one that `X-ClickHouse-Format` says. */
  readonly clickHouse: readonly string[];
  /** Other names that `?format=` and `"format"` know. */
  readonly others: readonly string[];
  /** What a file of it ends in. */
  readonly ending: string;
  /** Whether inserts can come in it. */
  readonly insertable: boolean;
  /** Whether compressing it again is of use. */
  readonly compressible: boolean;
}

/** All formats. The order decides between those that a client likes the same. */
export const httpFormats: readonly HttpFormat[] = [
  {
    name: 'json',
    description: 'one object with `meta`, `data` (an object a row), `rows` and `statistics`',
    contentType: 'application/json; charset=utf-8',
    mediaTypes: ['application/json', 'text/json'],
    clickHouse: ['JSON'],
    others: [],
    ending: 'json',
    insertable: true,
    compressible: true,
  },
  {
    name: 'json-compact',
    description: 'the same with an array a row; `Accept: application/json;format=compact`',
    contentType: 'application/json; charset=utf-8; format=compact',
    mediaTypes: [],
    clickHouse: ['JSONCompact'],
    others: ['compact'],
    ending: 'json',
    insertable: true,
    compressible: true,
  },
  {
    name: 'ndjson',
    description: 'an object a line',
    contentType: 'application/x-ndjson; charset=utf-8',
    mediaTypes: [
      'application/x-ndjson',
      'application/ndjson',
      'application/jsonl',
      'application/x-jsonlines',
    ],
    clickHouse: ['JSONEachRow', 'NDJSON', 'JSONLines'],
    others: ['jsonl'],
    ending: 'ndjson',
    insertable: true,
    compressible: true,
  },
  {
    name: 'ndjson-compact',
    description: 'an array a line, by position',
    contentType: 'application/x-ndjson; charset=utf-8; format=compact',
    mediaTypes: [],
    clickHouse: ['JSONCompactEachRow'],
    others: [],
    ending: 'ndjson',
    insertable: true,
    compressible: true,
  },
  {
    name: 'csv',
    description: 'RFC 4180 with a line of names; null is an empty field, the empty text `""`',
    contentType: 'text/csv; charset=utf-8; header=present',
    mediaTypes: ['text/csv'],
    clickHouse: ['CSVWithNames'],
    others: [],
    ending: 'csv',
    insertable: true,
    compressible: true,
  },
  {
    name: 'csv-bare',
    description: 'the same without names; `Accept: text/csv;header=absent`',
    contentType: 'text/csv; charset=utf-8; header=absent',
    mediaTypes: [],
    clickHouse: ['CSV'],
    others: [],
    ending: 'csv',
    insertable: true,
    compressible: true,
  },
  {
    name: 'tsv',
    description:
      'tabs between fields, with a line of names; `\\t`, `\\n`, `\\\\` are escaped and null is `\\N`',
    contentType: 'text/tab-separated-values; charset=utf-8; header=present',
    mediaTypes: ['text/tab-separated-values'],
    clickHouse: ['TabSeparatedWithNames', 'TSVWithNames'],
    others: [],
    ending: 'tsv',
    insertable: true,
    compressible: true,
  },
  {
    name: 'tsv-bare',
    description: 'the same without names; `Accept: text/tab-separated-values;header=absent`',
    contentType: 'text/tab-separated-values; charset=utf-8; header=absent',
    mediaTypes: [],
    clickHouse: ['TabSeparated', 'TSV'],
    others: [],
    ending: 'tsv',
    insertable: true,
    compressible: true,
  },
  {
    name: 'markdown',
    description: 'a table for people and language models',
    contentType: 'text/markdown; charset=utf-8',
    mediaTypes: ['text/markdown'],
    clickHouse: ['Markdown', 'MD'],
    others: [],
    ending: 'md',
    insertable: false,
    compressible: true,
  },
  {
    name: 'arrow',
    description: 'Arrow IPC stream, the batches as the engine made them',
    contentType: 'application/vnd.apache.arrow.stream',
    mediaTypes: ['application/vnd.apache.arrow.stream'],
    clickHouse: ['ArrowStream'],
    others: ['arrows', 'arrow-stream'],
    ending: 'arrows',
    insertable: true,
    compressible: true,
  },
  {
    name: 'arrow-file',
    description: 'Arrow IPC file (Feather V2)',
    contentType: 'application/vnd.apache.arrow.file',
    mediaTypes: ['application/vnd.apache.arrow.file'],
    clickHouse: ['Arrow'],
    others: ['feather'],
    ending: 'arrow',
    insertable: true,
    compressible: true,
  },
  {
    name: 'parquet',
    description: 'Parquet with ZSTD, written by the engine, then sent',
    contentType: 'application/vnd.apache.parquet',
    mediaTypes: ['application/vnd.apache.parquet', 'application/x-parquet'],
    clickHouse: ['Parquet'],
    others: [],
    ending: 'parquet',
    insertable: true,
    compressible: false,
  },
];

/** The format of a name. */
export function httpFormat(name: HttpFormatName): HttpFormat {
  const found = httpFormats.find((format) => format.name === name);
  if (found === undefined) throw new TypeError(`no format ${name}`);
  return found;
}

/** The format that a FORMAT clause, `default_format` or `X-ClickHouse-Format` names, as ClickHouse understands it. */
export function findClickHouseFormat(name: string): HttpFormat | undefined {
  const wanted = name.toLowerCase();
  return httpFormats.find((format) => format.clickHouse.some((known) => known.toLowerCase() === wanted));
}

/** The format that `?format=` or `"format"` names: ours in lower case, else ClickHouse's. */
export function findFormat(name: string): HttpFormat | undefined {
  return (
    httpFormats.find((format) => format.name === name || format.others.includes(name)) ??
    findClickHouseFormat(name)
  );
}

/** The format of a media type and its parameters (in lower case). */
export function findMediaType(
  mediaType: string,
  parameters: ReadonlyMap<string, string> = new Map(),
): HttpFormat | undefined {
  const found = httpFormats.find((format) => format.mediaTypes.includes(mediaType));
  if (found?.name === 'json' && parameters.get('format') === 'compact') return httpFormat('json-compact');
  if (parameters.get('header') === 'absent') {
    if (found?.name === 'csv') return httpFormat('csv-bare');
    if (found?.name === 'tsv') return httpFormat('tsv-bare');
  }
  return found;
}

/** All names that can be asked for, for messages. */
export function formatNames(): string {
  return httpFormats.map((format) => format.clickHouse[0]).join(', ');
}
