// A bucket, and servers over it.
import { type FlightClient, connect } from '@peregrine/flight';
import { type ServerSettings, type StoreOptions, serveData } from '@peregrine/server';
import { httpfsFolder } from '../peers.ts';
import { type Node, startNode } from './node.ts';
import { type S3Server, startS3Server } from './s3-server.ts';

/** A bucket, and what stands over it. */
export interface Bucket {
  readonly s3: S3Server;
  /** An engine and its store. */
  readonly openNode: (paths: readonly string[], options?: StoreOptions) => Promise<Node>;
  /** A whole server, and a client of it. */
  readonly serve: (
    data: readonly string[],
    writable?: string,
    more?: Partial<ServerSettings>,
  ) => Promise<BucketServer>;
}

/** A server over a bucket. */
export interface BucketServer {
  readonly client: FlightClient;
  /** `http://host:port`; undefined where HTTP is off, as it is unless `more` says otherwise. */
  readonly httpUrl: string | undefined;
  readonly stop: () => Promise<void>;
}

/** Starts an S3 server. */
export async function openBucket(): Promise<Bucket> {
  const s3 = await startS3Server();
  const extensions = httpfsFolder();
  return {
    s3,
    openNode: (paths, options = {}) =>
      startNode({
        paths,
        extensions,
        s3: { ...s3.keys, endpoint: s3.endpoint },
        pollMs: Infinity,
        ...options,
      }),
    async serve(data, writable, more = {}) {
      const server = await serveData({
        data,
        writable,
        extensions,
        flightPort: 0,
        httpPort: undefined,
        s3AccessKeyId: s3.keys.accessKeyId,
        s3SecretAccessKey: s3.keys.secretAccessKey,
        s3Endpoint: s3.endpoint,
        ...more,
      });
      const client = connect(server.location);
      return {
        client,
        httpUrl: server.httpUrl,
        async stop() {
          await client.close();
          await server.shutdown();
        },
      };
    },
  };
}
