import { FlightServerError, FlightUnavailableError } from '@peregrine/flight/errors';
import type { S3Options } from './options.ts';
import { type S3Requests, createS3Requests } from './requests.ts';
import { elementText, elements } from './xml.ts';

/** An object in a listing. */
export interface S3Object {
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly etag: string;
  /** In buckets that keep versions, which of them it is; undefined in a listing and in other buckets. */
  readonly versionId?: string | undefined;
}

/** An upload in parts that was begun. */
export interface S3Upload {
  readonly key: string;
  readonly id: string;
  /** When it was begun. */
  readonly modifiedMs: number;
}

/** The few calls that keep order in a bucket; data goes by the engine. */
export interface S3Client {
  /** All objects below a prefix. @param onClock - told of the server's clock */
  list(prefix: string, limit: number): Promise<S3Object[]>;
  /** @returns undefined when it is not there */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Reads a range of an object as {@link S3Client.head} saw it.
   *
   * @throws FlightError ABORTED when it was replaced since
   */
  getRange(object: S3Object, offset: number, length: number): Promise<Uint8Array>;
  /** @returns undefined when it is not there */
  head(key: string): Promise<S3Object | undefined>;
  /** Writes an object where none is. @returns false when there is one */
  putNew(key: string, body: Uint8Array): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Uploads below a prefix that were begun and neither completed nor ended. */
  uploads(prefix: string): Promise<S3Upload[]>;
  abortUpload(key: string, id: string): Promise<void>;
  /** The server's clock. */
  now(): Promise<number>;
}

/** A bucket and how it is asked. */
interface Bucket extends S3Requests {
  readonly name: string;
}

/** A client of one bucket. */
export function createS3Client(name: string, options: S3Options): S3Client {
  const bucket: Bucket = { name, ...createS3Requests(name, options) };
  return {
    list: (prefix, limit) => listObjects(bucket, prefix, limit),
    get: (key) => getObject(bucket, key),
    getRange: (object, offset, length) => getRange(bucket, object, offset, length),
    head: (key) => headObject(bucket, key),
    putNew: (key, content) => putNew(bucket, key, content),
    remove: (key) => removeObject(bucket, key),
    uploads: (prefix) => listUploads(bucket, prefix),
    async abortUpload(key, id) {
      await bucket.call({ method: 'DELETE', key, query: { uploadId: id } });
    },
    async now() {
      const { headers } = await bucket.call({ method: 'HEAD', key: '' });
      return Date.parse(headers.get('date') ?? '') || Date.now();
    },
  };
}

async function listObjects({ call, fail, name }: Bucket, prefix: string, limit: number): Promise<S3Object[]> {
  const found: S3Object[] = [];
  let token: string | undefined;
  do {
    const { status, body } = await call({
      method: 'GET',
      key: '',
      query: {
        'list-type': '2',
        prefix,
        ...(token === undefined ? {} : { 'continuation-token': token }),
      },
    });
    if (status !== 200) fail({ status, body }, `s3://${name}/${prefix} cannot be listed`);
    const xml = new TextDecoder().decode(body);
    for (const item of elements(xml, 'Contents')) {
      found.push({
        key: elementText(item, 'Key') ?? '',
        size: Number(elementText(item, 'Size') ?? 0),
        modifiedMs: Date.parse(elementText(item, 'LastModified') ?? '') || 0,
        etag: elementText(item, 'ETag') ?? '',
      });
    }
    token =
      elementText(xml, 'IsTruncated') === 'true' ? elementText(xml, 'NextContinuationToken') : undefined;
  } while (token !== undefined && found.length <= limit);
  return found;
}

async function getObject({ call, fail, name }: Bucket, key: string): Promise<Uint8Array | undefined> {
  const { status, body } = await call({ method: 'GET', key });
  if (status === 404) return undefined;
  if (status !== 200) fail({ status, body }, `s3://${name}/${key} cannot be read`);
  return body;
}

async function getRange(
  { call, fail, name }: Bucket,
  { etag, key, versionId }: S3Object,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const { status, body } = await call({
    method: 'GET',
    key,
    query: versionId === undefined ? {} : { versionId },
    headers: {
      range: `bytes=${offset}-${offset + length - 1}`,
      ...(etag === '' ? {} : { 'if-match': etag }),
    },
  });
  if (
    status === 412 ||
    (status === 404 && elementText(new TextDecoder().decode(body), 'Code') !== 'NoSuchBucket')
  ) {
    throw new FlightServerError(
      `s3://${name}/${key} was replaced or removed while it was read; ask for it again`,
      { code: 'ABORTED' },
    );
  }
  if (status !== 206 && status !== 200) fail({ status, body }, `s3://${name}/${key} cannot be read`);
  // A server that knows no ranges sends everything.
  const range = status === 200 && body.length !== length ? body.subarray(offset, offset + length) : body;
  if (range.length !== length) {
    throw new FlightUnavailableError(
      `s3://${name}/${key} gave ${range.length} bytes from ${offset} on, where ${length} were asked for`,
    );
  }
  return range;
}

async function headObject({ call, fail, name }: Bucket, key: string): Promise<S3Object | undefined> {
  const { status, headers, body } = await call({ method: 'HEAD', key });
  if (status === 404) return undefined;
  if (status !== 200) fail({ status, body }, `s3://${name}/${key} cannot be looked at`);
  return {
    key,
    size: Number(headers.get('content-length')),
    modifiedMs: Date.parse(headers.get('last-modified') ?? '') || 0,
    etag: headers.get('etag') ?? '',
    versionId: headers.get('x-amz-version-id') ?? undefined,
  };
}

async function putNew(bucket: Bucket, key: string, content: Uint8Array): Promise<boolean> {
  const { call, fail, name } = bucket;
  let { status, body } = await call({
    method: 'PUT',
    key,
    headers: { 'if-none-match': '*' },
    body: content,
  });
  if (status === 412 || status === 409) return false;
  if (status === 501) {
    // A server of before conditional writes: what is left is to look first.
    if ((await headObject(bucket, key)) !== undefined) return false;
    ({ status, body } = await call({ method: 'PUT', key, body: content }));
  }
  if (status !== 200) fail({ status, body }, `s3://${name}/${key} cannot be written`);
  return true;
}

async function removeObject({ call, fail, name }: Bucket, key: string): Promise<void> {
  const { status, body } = await call({ method: 'DELETE', key });
  if (status !== 200 && status !== 204 && status !== 404)
    fail({ status, body }, `s3://${name}/${key} cannot be removed`);
}

async function listUploads({ call }: Bucket, prefix: string): Promise<S3Upload[]> {
  const { status, body } = await call({ method: 'GET', key: '', query: { uploads: '', prefix } });
  if (status !== 200) return [];
  return elements(new TextDecoder().decode(body), 'Upload').flatMap((upload) => {
    const key = elementText(upload, 'Key');
    const id = elementText(upload, 'UploadId');
    const modifiedMs = Date.parse(elementText(upload, 'Initiated') ?? '') || Date.now();
    return key === undefined || id === undefined ? [] : [{ key, id, modifiedMs }];
  });
}
