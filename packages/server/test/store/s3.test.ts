import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FlightUnavailableError } from '@peregrine/flight';
import { bucketOrphanLifeMs } from '../../src/store/limits.ts';
import { createS3Client } from '../../src/store/s3/client.ts';
import { findHttpfs, secretSql } from '../../src/store/s3/httpfs.ts';
import { s3Settings } from '../../src/store/s3/options.ts';
import { createS3Storage } from '../../src/store/s3/s3-storage.ts';
import { signRequest } from '../../src/store/s3/sign.ts';
import { elementText } from '../../src/store/s3/xml.ts';
import { sweep } from '../../src/store/sweep.ts';
import { beginWriting, newPartName } from '../../src/store/writer-id.ts';

let server: Server;
let endpoint: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[];

before(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  endpoint = `http://127.0.0.1:${address.port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

describe('Signatures of S3', () => {
  // The examples of Amazon's documentation of Signature Version 4 for S3.
  const settings = s3Settings({
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
    endpoint: 'https://s3.amazonaws.com',
  });
  for (const [query, signature] of [
    ['?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
    ['?lifecycle=', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ] as const) {
    it(`are Amazon's for ${query}`, () => {
      const headers = signRequest(
        {
          method: 'GET',
          url: new URL(`https://examplebucket.s3.amazonaws.com/${query}`),
          headers: {},
          body: new Uint8Array(0),
        },
        settings,
        new Date('2013-05-24T00:00:00Z'),
      );
      assert.match(headers['authorization'] ?? '', new RegExp(`Signature=${signature}$`));
    });
  }
});

describe('Requests to S3', () => {
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' };

  it('lists page after page, and decodes keys', async () => {
    answer = (request, response) => {
      const second = request.url?.includes('continuation-token=next%2F1') === true;
      response.end(
        `<ListBucketResult><IsTruncated>${!second}</IsTruncated>${second ? '' : '<NextContinuationToken>next/1</NextContinuationToken>'}` +
          `<Contents><Key>p/${second ? 'b' : 'a &amp; &#xFC;'}.csv</Key><Size>7</Size><ETag>&quot;e&quot;</ETag>` +
          '<LastModified>2024-01-02T03:04:05.000Z</LastModified></Contents>' +
          '<Contents><Key>p/folder/</Key><Size>0</Size></Contents></ListBucketResult>',
      );
    };
    const files = await createS3Storage('bucket', 'p', { ...keys, endpoint }).list();
    assert.deepEqual(
      files.map(({ path, size, modifiedMs }) => [path, size, modifiedMs]),
      [
        ['a & ü.csv', 7, Date.UTC(2024, 0, 2, 3, 4, 5)],
        ['b.csv', 7, Date.UTC(2024, 0, 2, 3, 4, 5)],
      ],
    );
    assert.match(asked[0] ?? '', /^GET \/bucket\?list-type=2&prefix=p%2F/);
  });

  it('tries again when the server is busy', async () => {
    answer = (_request, response) => {
      response.statusCode = asked.length < 3 ? 503 : 200;
      response.end('content');
    };
    const bytes = await createS3Client('bucket', { ...keys, endpoint }).get('k');
    assert.equal(new TextDecoder().decode(bytes), 'content');
    assert.equal(asked.length, 3);
  });

  it('has a limit of time for each try, and says so', async () => {
    const started: number[] = [];
    let buckets = 0;
    let bucket = '';
    answer = (request, response) => {
      if (request.url?.split(/[/?]/)[1] === bucket) started.push(performance.now());
      // Sends a part of the answer, and then nothing.
      if (request.method === 'GET') response.write('con');
    };
    type Client = ReturnType<typeof createS3Client>;
    const asks = [(s3: Client) => s3.get('k'), (s3: Client) => s3.head('k'), (s3: Client) => s3.list('', 10)];
    for (const ask of asks) {
      // On a busy machine a try may be over before the server hears of it: then with more time, and in another bucket,
      // so that what it hears too late is not counted among the next tries.
      for (let requestTimeoutMs = 50; started.length !== 3; requestTimeoutMs *= 2) {
        started.length = 0;
        bucket = `bucket-${(buckets += 1)}`;
        await assert.rejects(
          ask(createS3Client(bucket, { ...keys, endpoint, requestTimeoutMs })),
          (error) =>
            error instanceof FlightUnavailableError &&
            /cannot be reached.*(?:timeout|aborted)/i.test(error.message),
        );
        assert.ok(started.length <= 3, `${started.length} tries`);
      }
      started.length = 0;
    }
    server.closeAllConnections();
  });

  it('ends the uploads of writers that are gone, in every dataset and in none', async () => {
    const own = newPartName('.parquet');
    const dead = own.replace(/\.\d+\./, '.4194303.');
    const foreign = own.replace(/-[0-9a-f]{12}\./, '-0123456789ab.');
    const old = new Date(Date.now() - bucketOrphanLifeMs - 60_000).toISOString();
    const uploads = [
      ['p/a.peregrine', dead, new Date().toISOString(), true],
      ['p/b.peregrine', own, old, false],
      ['p/b.peregrine', foreign, new Date().toISOString(), false],
      ['p/c.peregrine', foreign, old, true],
      ['p/d.peregrine', 'somebody-else.parquet', old, false],
    ] as const;
    answer = (request, response) => {
      response.setHeader('date', new Date().toUTCString());
      const items = uploads.map(
        ([folder, name, initiated], i) =>
          `<Upload><Key>${folder}/${name}</Key><UploadId>u${i}</UploadId><Initiated>${initiated}</Initiated></Upload>`,
      );
      if (request.method === 'DELETE') response.statusCode = 204;
      response.end(request.url?.includes('uploads=') === true ? `<R>${items.join('')}</R>` : '<R></R>');
    };
    const end = beginWriting();
    await sweep(createS3Storage('bucket', 'p', { ...keys, endpoint }), { retainMs: 0 });
    end();
    assert.deepEqual(
      asked.filter((each) => each.startsWith('DELETE')).map((each) => /uploadId=(.*)/.exec(each)?.[1]),
      ['u0', 'u3'],
    );
  });

  it('writes where nothing is, also on servers that know no conditions', async () => {
    const client = createS3Client('bucket', { ...keys, endpoint });
    answer = (request, response) => {
      assert.equal(request.headers['if-none-match'], '*');
      response.statusCode = 412;
      response.end();
    };
    assert.equal(await client.putNew('k', new Uint8Array(1)), false);
    asked = [];
    answer = (request, response) => {
      if (request.headers['if-none-match'] !== undefined) response.statusCode = 501;
      else if (request.method === 'HEAD') response.statusCode = 404;
      response.end();
    };
    assert.equal(await client.putNew('k', new Uint8Array(1)), true);
    assert.deepEqual(asked, ['PUT /bucket/k', 'HEAD /bucket/k', 'PUT /bucket/k']);
  });

  it('reads an object in ranges, of the version that was opened, and says when it was replaced', async () => {
    const content = Buffer.alloc(20 << 20, 'abcdefg');
    const ranges: string[] = [];
    let version: string | undefined = 'v1';
    answer = (request, response) => {
      response.setHeader('etag', '"e"');
      if (version !== undefined) response.setHeader('x-amz-version-id', version);
      response.setHeader('last-modified', 'Tue, 02 Jan 2024 03:04:05 GMT');
      if (request.method === 'HEAD') {
        response.setHeader('content-length', content.length);
        response.end();
        return;
      }
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      assert.equal(request.headers['if-match'], '"e"');
      ranges.push(`${from}-${to} ${new URL(request.url ?? '', endpoint).searchParams.get('versionId')}`);
      response.statusCode = 206;
      response.end(content.subarray(Number(from), Number(to) + 1));
    };
    const opened = await createS3Storage('bucket', 'p', { ...keys, endpoint }).open('k.arrow');
    assert.equal(opened.size, content.length);
    const read = await opened.read(3, 18 << 20);
    assert.ok(content.subarray(3, 3 + (18 << 20)).equals(read));
    assert.deepEqual(ranges.sort(), ['16777219-18874370 v1', '3-8388610 v1', '8388611-16777218 v1']);
    assert.equal((await opened.read(5, 0)).length, 0);

    version = undefined;
    const unversioned = await createS3Storage('bucket', 'p', { ...keys, endpoint }).open('k.arrow');
    assert.notEqual(unversioned.tag, opened.tag);
    answer = (_request, response) => {
      response.statusCode = 412;
      response.end('<Error><Code>PreconditionFailed</Code></Error>');
    };
    await assert.rejects(unversioned.read(0, 10), /ABORTED.*replaced or removed while it was read/);
    answer = (_request, response) => {
      response.statusCode = 206;
      response.end('short');
    };
    await assert.rejects(unversioned.read(0, 10), /UNAVAILABLE.*gave 5 bytes/);
    answer = (_request, response) => {
      response.statusCode = 404;
      response.end();
    };
    await assert.rejects(createS3Storage('bucket', 'p', { ...keys, endpoint }).open('gone.arrow'), {
      code: 'NOT_FOUND',
    });
  });

  it('says what is wrong and what to do', async () => {
    const fail = (status: number, code: string): void => {
      answer = (_request, response) => {
        response.statusCode = status;
        response.end(`<Error><Code>${code}</Code><Message>Told so.</Message></Error>`);
      };
    };
    const client = createS3Client('bucket', { ...keys, endpoint });
    fail(404, 'NoSuchBucket');
    await assert.rejects(client.list('', 1), /NOT_FOUND.*there is no bucket bucket/);
    fail(403, 'SignatureDoesNotMatch');
    await assert.rejects(client.list('', 1), /UNAUTHORIZED.*Told so.*check keys/);
    fail(301, 'PermanentRedirect');
    await assert.rejects(client.list('', 1), /another region/);
    fail(400, 'Odd');
    await assert.rejects(client.remove('k'), /UNAVAILABLE.*cannot be removed: Odd/);
  });

  it('takes what other S3 tools read from the environment, but for variables that are empty', () => {
    const names = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_DEFAULT_REGION'];
    const kept = names.map((name) => [name, process.env[name]] as const);
    try {
      for (const name of names) process.env[name] = '';
      assert.equal(s3Settings({}).endpoint.href, 'https://s3.us-east-1.amazonaws.com/');
      process.env['AWS_DEFAULT_REGION'] = 'eu-west-1';
      assert.equal(s3Settings({}).endpoint.href, 'https://s3.eu-west-1.amazonaws.com/');
      process.env['AWS_ENDPOINT_URL'] = 'http://x:9000';
      assert.equal(s3Settings({}).endpoint.href, 'http://x:9000/');
    } finally {
      for (const [name, value] of kept) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  it('refuses an endpoint that is no address, as a setting is', () => {
    for (const endpoint of ['', 'http//x:9000', 'ftp://x', 'http://a b', 'x?y']) {
      assert.throws(() => s3Settings({ endpoint }), {
        name: 'FlightInvalidArgumentError',
        message: `[INVALID_ARGUMENT] the S3 endpoint ${endpoint} is no address of a server: say http://127.0.0.1:9000 or minio.example.com:9000`,
      });
    }
  });

  it('puts the bucket into path or host', () => {
    assert.equal(s3Settings({ endpoint: 'minio:9000' }).endpoint.href, 'https://minio:9000/');
    assert.equal(s3Settings({ endpoint: 'http://x' }).urlStyle, 'path');
    assert.match(
      secretSql('n', "s3://b'/p", { ...keys, endpoint: 'http://x:1', region: 'r' }),
      /^CREATE OR REPLACE SECRET "n" \(TYPE s3, SCOPE 's3:\/\/b''\/p', REGION 'r', KEY_ID 'a', SECRET 'b', ENDPOINT 'x:1', URL_STYLE 'path', USE_SSL false\)$/,
    );
  });

  it('decodes what XML encodes', () => {
    assert.equal(elementText('<A x="1">&lt;&#65;&#x42;&unknown;&amp;lt;</A>', 'A'), '<AB&unknown;&lt;');
    assert.equal(elementText('<B/>', 'A'), undefined);
  });
});

describe('httpfs', () => {
  it('is found in a folder, that of the right version first', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-httpfs-'));
    try {
      await assert.rejects(findHttpfs(folder, 'v1.5.5'), /duckdb-extension-httpfs of version v1\.5\.5/);
      for (const version of ['v1.0.0', 'v1.5.5']) {
        await mkdir(join(folder, 'extensions', version), { recursive: true });
        await writeFile(join(folder, 'extensions', version, 'httpfs.duckdb_extension'), '');
      }
      const found = await findHttpfs(folder, 'v1.5.5');
      assert.equal(found, join(folder, 'extensions', 'v1.5.5', 'httpfs.duckdb_extension'));
      assert.equal(await findHttpfs(found, 'v1.5.5'), found);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
