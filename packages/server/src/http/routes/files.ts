import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight/errors';
import type { RangeSource } from '../../datasets/range-source.ts';
import { type ByteRange, namesTag, parseByteRange } from '../byte-range.ts';
import type { HttpContext } from '../context.ts';
import { withStatus } from '../problem.ts';

/** How much of a file is read at a time, in bytes: few reads, and little memory for each reader. */
const pieceBytes = 1 << 20;

/**
 * `GET` and `HEAD /files/{table}.{ending}`: the file that a table lies in, as it is, with ranges and conditions
 * (RFC 9110): what reads Parquet over HTTP fetches its footer and then the columns that it needs.
 */
export function fileRoutes(app: FastifyInstance, context: HttpContext): void {
  const answer = async (
    request: FastifyRequest<{ Params: { file: string } }>,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const { contentType, modifiedMs, source } = await openFile(context, request.params.file);
    let isTaken = false;
    try {
      const tag = `"${createHash('sha256').update(source.tag).digest('base64url').slice(0, 27)}"`;
      void reply.headers({
        'accept-ranges': 'bytes',
        // It may be another at any time: whoever keeps it asks whether it still is the same.
        'cache-control': 'no-cache',
        'content-type': contentType,
        etag: tag,
        'last-modified': new Date(modifiedMs).toUTCString(),
      });
      const { headers } = request;
      if (headers['if-match'] !== undefined && !namesTag(headers['if-match'], tag, 'strong'))
        throw withStatus(
          new FlightInvalidArgumentError(
            `${request.params.file} is another than the one of If-Match: read it anew`,
          ),
          412,
        );
      if (headers['if-none-match'] !== undefined && namesTag(headers['if-none-match'], tag, 'weak'))
        return await reply.code(304).send();
      const ifRange = headers['if-range'];
      const range =
        ifRange === undefined || ifRange === tag ? parseByteRange(headers.range, source.size) : undefined;
      if (range === 'unsatisfiable') {
        void reply.header('content-range', `bytes */${source.size}`);
        throw withStatus(
          new FlightInvalidArgumentError(
            `${request.params.file} has ${source.size} bytes, and none in ${headers.range}`,
          ),
          416,
        );
      }
      const { first, last } = range ?? { first: 0, last: source.size - 1 };
      if (range !== undefined)
        void reply.code(206).header('content-range', `bytes ${first}-${last}/${source.size}`);
      void reply.header('content-length', last - first + 1);
      if (request.method === 'HEAD') return await reply.send();
      // A reader that no longer reads would keep the file open.
      reply.raw.setTimeout(context.limits.stallTimeoutMs, () => reply.raw.destroy());
      isTaken = true;
      return await reply.send(Readable.from(piecesOf(source, { first, last }), { objectMode: false }));
    } finally {
      if (!isTaken) await source.close();
    }
  };
  app.get('/files/:file', answer);
  app.head('/files/:file', answer);
}

async function* piecesOf(source: RangeSource, { first, last }: ByteRange): AsyncGenerator<Uint8Array> {
  try {
    for (let at = first; at <= last; at += pieceBytes) {
      yield await source.read(at, Math.min(pieceBytes, last - at + 1));
    }
  } finally {
    await source.close();
  }
}

async function openFile(
  { store }: HttpContext,
  written: string,
): Promise<{ readonly contentType: string; readonly modifiedMs: number; readonly source: RangeSource }> {
  const [, name = written, ending] = /^(.+?)\.([a-z0-9]+(?:\.(?:gz|zst))?)$/i.exec(written) ?? [];
  const table = store?.get(name);
  if (store === undefined || table === undefined) {
    throw new FlightNotFoundError(`there is no file of a table ${name}; GET /tables names the tables`);
  }
  const query = `/?query=${encodeURIComponent(`FROM "${table.name}"`)}&format=parquet`;
  const file = store.fileOf(table.name);
  if (file === undefined) {
    throw new FlightNotFoundError(`${table.name} is not one file as it stands; GET ${query} gives its rows`);
  }
  if (file.ending !== ending?.toLowerCase()) {
    const path = `/files/${encodeURIComponent(table.name)}.${file.ending}`;
    throw new FlightNotFoundError(
      `the file of ${table.name} is ${path}; GET ${query} gives its rows as Parquet`,
    );
  }
  return {
    contentType: mediaTypes[ending?.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream',
    modifiedMs: table.modifiedMs,
    source: await file.open(),
  };
}

/** By the last part of a file's ending; what else it may be is for the reader to see. */
const mediaTypes: Readonly<Record<string, string>> = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv; charset=utf-8',
  tsv: 'text/tab-separated-values; charset=utf-8',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
  arrows: 'application/vnd.apache.arrow.stream',
  arrow: 'application/vnd.apache.arrow.file',
  feather: 'application/vnd.apache.arrow.file',
  ipc: 'application/vnd.apache.arrow.file',
  gz: 'application/gzip',
  zst: 'application/zstd',
};
