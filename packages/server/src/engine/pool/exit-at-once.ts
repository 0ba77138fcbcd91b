/**
 * Ends the process without a wait for the engine's threads. `process.exit` joins them, so a statement that runs for an
 * hour keeps the process for an hour; a signal does nothing where the process is the first of its container.
 *
 * @param code - the exit code
 */
export async function exitAtOnce(code: number): Promise<void> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
    library.func('_exit', 'void', ['int'])(code);
  } catch {
    // Without native calls there is no thread to wait for either.
    process.exit(code);
  }
}
