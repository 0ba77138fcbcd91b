// Apart from the driver, because threads that load no native code read it.

/** AdbcStatusCode NOT_IMPLEMENTED, INVALID_STATE, CANCELLED… */
export const driverStatus = {
  ok: 0,
  unknown: 1,
  notImplemented: 2,
  notFound: 3,
  alreadyExists: 4,
  invalidArgument: 5,
  invalidState: 6,
  invalidData: 7,
  integrity: 8,
  internal: 9,
  io: 10,
  cancelled: 11,
  timeout: 12,
  unauthenticated: 13,
  unauthorized: 14,
} as const;
