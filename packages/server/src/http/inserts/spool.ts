import { type FileHandle, open, rm } from 'node:fs/promises';
import type { HttpContext } from '../context.ts';
import { type TempFile, createTempFile, explainTempError } from '../temp-file.ts';

/** Writes bytes to a file that is gone after use. If they break off, the file is gone as well. */
export async function spool(
  context: HttpContext,
  source: AsyncIterable<Uint8Array>,
  ending: string,
): Promise<TempFile> {
  const temp = await createTempFile(context.tempDirectory, ending);
  let file: FileHandle | undefined;
  try {
    // Only this user may read what somebody sent.
    file = await open(temp.path, 'wx', 0o600).catch(refuse);
    for await (const piece of source) {
      for (let at = 0; at < piece.byteLength; )
        at += (await file.write(piece, at).catch(refuse)).bytesWritten;
    }
    // Shares tell only now what they could not write.
    await file.close().catch(refuse);
    return temp;
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(temp.path, { force: true });
    throw error;
  }
}

/** What goes wrong with the file is told as such; what goes wrong with the bytes stays what it is. */
function refuse(error: unknown): never {
  throw explainTempError(error);
}
