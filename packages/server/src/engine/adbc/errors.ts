import {
  createFlightError,
  type FlightError,
  type FlightErrorCode,
  FlightInternalError,
} from '@peregrine/flight/errors';
import { driverStatus } from './status.ts';

/** What a worker tells of a failure. */
export interface EngineFailure {
  /** AdbcStatusCode, or undefined for an error of our own. */
  readonly status: number | undefined;
  /** Code of our own errors. */
  readonly code: FlightErrorCode | undefined;
  readonly message: string;
  /** Which of the rows that were bound did not fit, from 1. Default: not known. */
  readonly row?: number | undefined;
}

const codesOfStatus: Readonly<Record<number, FlightErrorCode>> = {
  [driverStatus.notImplemented]: 'UNIMPLEMENTED',
  [driverStatus.notFound]: 'NOT_FOUND',
  [driverStatus.alreadyExists]: 'ALREADY_EXISTS',
  [driverStatus.invalidArgument]: 'INVALID_ARGUMENT',
  [driverStatus.invalidState]: 'FAILED_PRECONDITION',
  [driverStatus.invalidData]: 'INVALID_ARGUMENT',
  [driverStatus.integrity]: 'INVALID_ARGUMENT',
  [driverStatus.internal]: 'INTERNAL',
  [driverStatus.io]: 'UNAVAILABLE',
  [driverStatus.cancelled]: 'CANCELLED',
  [driverStatus.timeout]: 'TIMED_OUT',
  [driverStatus.unauthenticated]: 'UNAUTHENTICATED',
  [driverStatus.unauthorized]: 'UNAUTHORIZED',
};

/** DuckDB's driver gives its statuses without system; the kind of error stands before its words. */
const codesOfKind: readonly (readonly [RegExp, FlightErrorCode])[] = [
  [/^INTERRUPT/i, 'CANCELLED'],
  [/^(Catalog|Binder) Error: .*already exists/is, 'ALREADY_EXISTS'],
  [/^Catalog Error: .*does not exist/is, 'NOT_FOUND'],
  [/^Catalog Error: (Schema|Table|View|Type|Sequence|Index).*(not found|not exist)/is, 'NOT_FOUND'],
  [
    /^(Parser|Binder|Catalog|Conversion|Invalid Input|Syntax|Invalid|Mismatch Type|Parameter Not Resolved|Invalid type|Settings|Parameter Not Allowed|Invalid Configuration) Error/i,
    'INVALID_ARGUMENT',
  ],
  [/^Out of Range Error/i, 'OUT_OF_RANGE'],
  [/^Constraint Error/i, 'INVALID_ARGUMENT'],
  [/^(Not implemented|Missing Extension|Autoload) Error/i, 'UNIMPLEMENTED'],
  [/^Out of Memory Error/i, 'RESOURCE_EXHAUSTED'],
  [/^Permission Error/i, 'UNAUTHORIZED'],
  [/^TransactionContext Error: .*conflict/is, 'ABORTED'],
  [/^(Transaction|TransactionContext|Dependency|Sequence) Error/i, 'FAILED_PRECONDITION'],
  [/^FATAL Error/i, 'UNAVAILABLE'],
  [/^HTTP Error: .*returned HTTP 40[13]\b/is, 'UNAUTHORIZED'],
  [/^HTTP Error: .*returned HTTP 404\b/is, 'NOT_FOUND'],
  // A server that does not answer, or breaks off.
  [/^IO Error: .*\bfor HTTP [A-Z]+ to\b/s, 'UNAVAILABLE'],
  [/^IO Error: Parquet files do not support/i, 'UNIMPLEMENTED'],
  [/^IO Error: .*(no space left on device|disk quota exceeded)/is, 'RESOURCE_EXHAUSTED'],
  // What does not fit into memory has no place: the folder is gone, or nobody may write there.
  [/^IO Error: (failed to create directory|.*\bduckdb_temp_storage)/is, 'UNAVAILABLE'],
  [/^IO Error: .*(permission denied|access is denied)/is, 'UNAUTHORIZED'],
  [/^IO Error: .*\bis a directory\b/is, 'FAILED_PRECONDITION'],
  [
    /^IO Error: .*(no files found|does not exist|cannot open file|no such file|extension "[^"]*" not found)/is,
    'NOT_FOUND',
  ],
  [/^(HTTP|Connection|Network) Error/i, 'UNAVAILABLE'],
  [/^IO Error/i, 'INTERNAL'],
  // A value that does not fit the column that it is ingested into.
  [/^type mismatch in AppendDataChunk/i, 'INVALID_ARGUMENT'],
  // SQLite's driver, whose statuses differ by the step that fails.
  [/^(\[SQLite\] )?failed to [a-z ]+: database (table )?is locked/i, 'UNAVAILABLE'],
  [/^(\[SQLite\] )?failed to [a-z ]+: [a-z ]+ constraint failed/i, 'INVALID_ARGUMENT'],
  // Flight SQL's driver, which has no status for what fails while rows come: gRPC's stands at the end.
  [/^\[FlightSQL\] .* \(InvalidArgument; [^()]*\)$/is, 'INVALID_ARGUMENT'],
  [/^\[FlightSQL\] .* \(ResourceExhausted; [^()]*\)$/is, 'RESOURCE_EXHAUSTED'],
  [/^\[FlightSQL\] .* \(DeadlineExceeded; [^()]*\)$/is, 'TIMED_OUT'],
];

/** What DuckDB puts before the reason when a query fails after its first rows. */
const lateWrapper =
  /^Invalid Input Error: Attempting to execute an unsuccessful or closed pending query result\s+Error: (?=[A-Z][\w ]* Error: )/;

/** The error of the family that fits what the engine said, in the engine's own words. */
export function toFlightError(failure: EngineFailure): FlightError {
  const message = withRemedy(plainMessage(failure.message).replace(lateWrapper, ''));
  const told =
    failure.row === undefined
      ? message
      : message.replace(/$/m, ` (row ${failure.row} of those that are bound)`);
  return createFlightError(failure.code ?? codeOf(failure.status, message), told);
}

/** DuckDB says what is disabled or gone, and not who can mend it. */
function withRemedy(message: string): string {
  return message
    .replace(
      /^(Permission Error: .*disabled (?:by|through) configuration)$/m,
      '$1: SQL keeps to what the server serves, unless it is started with --external-access',
    )
    .replace(
      /^(IO Error: Cannot open file "(?!.*\bduckdb_temp_storage).*": (?:Permission denied|Access is denied\.?\s*))$/m,
      '$1: the user as whom the server runs may not open it',
    )
    .replace(
      /^(IO Error: .*\bduckdb_temp_storage\w*-\d+\.tmp": (?:No such file or directory|The system cannot find the path specified\.?.*))$/m,
      '$1: the folder for what does not fit into memory (--temp-dir) was removed; the server makes it again within seconds: run the statement again',
    );
}

/** Whether the engine says that its database can no longer be used: anchored, because statements choose texts of their own. */
export function isFatal(message: string): boolean {
  return /^FATAL Error/i.test(message);
}

/**
 * The error for an interruption that nobody asked for, or undefined where it is none. When one of DuckDB's threads
 * fails, it interrupts the others, and now and then one of these is heard first; the reason is lost then. CANCELLED
 * would say that it was the caller's doing.
 */
export function lostReason(error: FlightError): FlightError | undefined {
  if (error.code !== 'CANCELLED' || !/^INTERRUPT/i.test(error.rawMessage)) return undefined;
  return new FlightInternalError(
    "the statement failed on one of the engine's threads, and the engine told of the interruption of the others instead of the reason; run it again to see the reason",
    { cause: error },
  );
}

function codeOf(status: number | undefined, message: string): FlightErrorCode {
  for (const [pattern, code] of codesOfKind) if (pattern.test(message)) return code;
  return status === undefined ? 'INTERNAL' : (codesOfStatus[status] ?? 'UNKNOWN');
}

/** Exceptions that DuckDB's driver passes on are JSON: kind and message are taken out. */
function plainMessage(message: string): string {
  // The JSON is one line; what failed after it, because of it, may follow.
  const [first = ''] = message.split('\n', 1);
  if (!first.startsWith('{"exception_type"')) return message;
  try {
    const parsed: unknown = JSON.parse(first);
    if (typeof parsed === 'object' && parsed !== null && 'exception_message' in parsed) {
      const kind = 'exception_type' in parsed ? `${String(parsed.exception_type)} Error: ` : '';
      return `${kind}${String(parsed.exception_message)}`;
    }
  } catch {
    // Not JSON after all: the text as it is.
  }
  return message;
}
