import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { checkUnixPath } from '../../src/grpc/unix-path.ts';
import { Location } from '../../src/model/index.ts';

describe('the path of a Unix socket', () => {
  it('names a pipe on Windows, as its error tells', () => {
    const pipe = String.raw`\\.\pipe\flight`;
    for (const path of [pipe, String.raw`\\?\pipe\flight`, '//./pipe/flight']) checkUnixPath(path, 'win32');
    for (const path of ['/tmp/flight.sock', String.raw`C:\flight.sock`, String.raw`\\.\pipe` + '\\']) {
      assert.throws(() => checkUnixPath(path, 'win32'), FlightInvalidArgumentError, path);
    }
    assert.equal(Location.forGrpcUnix(pipe).uri, 'grpc+unix:%5C%5C.%5Cpipe%5Cflight');
    assert.equal(new Location('grpc+unix:%5C%5C.%5Cpipe%5Cflight').path, pipe);
  });

  it('is any path elsewhere', () => {
    checkUnixPath('/tmp/flight.sock', 'linux');
    checkUnixPath('relative.sock', 'darwin');
  });
});
