import {
  FlightNotFoundError,
  FlightResourceExhaustedError,
  FlightServerError,
} from '@peregrine/flight/errors';
import { bucketOrphanLifeMs, maxStoreFiles, s3RangeBytes, s3RangesAtOnce } from '../limits.ts';
import type { Storage, StoredFile } from '../storage.ts';
import { type S3Client, type S3Object, type S3Upload, createS3Client } from './client.ts';
import type { S3Options } from './options.ts';

/**
 * A bucket, or a prefix of one. Objects appear whole, so a data file is uploaded under its own name.
 *
 * @param prefix - without a slash at its end; empty for the whole bucket
 */
export function createS3Storage(bucket: string, prefix: string, options: S3Options): Storage {
  const client = createS3Client(bucket, options);
  const root = prefix === '' ? '' : `${prefix}/`;
  const url = (path: string): string => `s3://${bucket}/${root}${path}`;
  const fileOf = ({ key, size, modifiedMs, etag }: S3Object): StoredFile => ({
    path: key.slice(root.length),
    size,
    modifiedMs,
    tag: `${etag}-${size}-${modifiedMs}`,
  });

  return {
    root: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`,
    orphanLifeMs: bucketOrphanLifeMs,
    async list(folder = '') {
      const objects = await client.list(folder === '' ? root : `${root}${folder}/`, maxStoreFiles);
      if (objects.length > maxStoreFiles) {
        throw new FlightResourceExhaustedError(
          `there are more than ${maxStoreFiles} objects under ${url('')}: serve a longer prefix, or a glob`,
        );
      }
      // Keys that end in a slash are the folders of consoles.
      return objects
        .filter(({ key }) => !key.endsWith('/'))
        .map(fileOf)
        .sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async stat(path) {
      const found = await client.head(root + path);
      return found === undefined ? undefined : fileOf(found);
    },
    async open(path) {
      const object = await client.head(root + path);
      if (object === undefined) throw new FlightNotFoundError(`${url(path)} is not there`);
      const { etag, modifiedMs, size, versionId = '' } = object;
      return {
        size,
        tag: `${etag}-${size}-${modifiedMs}-${versionId}`,
        read: (offset, length) => readRange(client, object, offset, length),
        close: async () => undefined,
      };
    },
    read: (path) => client.get(root + path),
    publish: (path, bytes) => client.putNew(root + path, bytes),
    async stage(path) {
      return {
        url: url(path),
        async publish() {
          const found = await client.head(root + path);
          if (found === undefined) {
            throw new FlightServerError(`${url(path)} was uploaded and is not there`, { code: 'DATA_LOSS' });
          }
          return found.size;
        },
        async discard() {
          await client.remove(root + path).catch(() => undefined);
          // The engine leaves an upload that failed as it is.
          await endUploads(client, root + path, () => true);
        },
      };
    },
    remove: (path) => client.remove(root + path),
    tidy: async () => undefined,
    endUploads: (isAbandoned) =>
      endUploads(client, root, ({ key, modifiedMs }, now) =>
        isAbandoned({ path: key.slice(root.length), modifiedMs }, now),
      ),
    now: () => client.now(),
    url,
    watch: () => undefined,
  };
}

async function endUploads(
  client: S3Client,
  prefix: string,
  isWanted: (upload: S3Upload, now: number) => boolean,
): Promise<void> {
  const uploads = await client.uploads(prefix).catch(() => []);
  if (uploads.length === 0) return;
  const now = await client.now().catch(() => Date.now());
  for (const upload of uploads) {
    if (isWanted(upload, now)) await client.abortUpload(upload.key, upload.id).catch(() => undefined);
  }
}

/** Long ranges are had in pieces, several at once: one connection to a bucket is slow, and a long answer may time out. */
async function readRange(
  client: S3Client,
  object: S3Object,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  if (length <= s3RangeBytes) return client.getRange(object, offset, length);
  const bytes = new Uint8Array(length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < length) {
      const at = next;
      next += s3RangeBytes;
      bytes.set(await client.getRange(object, offset + at, Math.min(s3RangeBytes, length - at)), at);
    }
  };
  await Promise.all(Array.from({ length: s3RangesAtOnce }, work));
  return bytes;
}
