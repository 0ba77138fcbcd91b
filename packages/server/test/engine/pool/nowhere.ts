import type { OperationArguments } from '../../../src/engine/worker/messages.ts';

/** A database of a driver that is not there: opening it fails. */
export const nowhere: OperationArguments<'open'> = {
  path: '/nowhere/driver.so',
  entrypoint: undefined,
  options: [],
  helper: undefined,
};
