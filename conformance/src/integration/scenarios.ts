import { appMetadata } from './app-metadata.ts';
import { authBasicProto } from './auth-basic-proto.ts';
import { doExchangeEcho } from './do-exchange-echo.ts';
import { expirationCancel, expirationDoGet, expirationListActions, expirationRenew } from './expiration.ts';
import { flightSqlIngestion } from './flight-sql-ingestion.ts';
import { flightSql, flightSqlExtension } from './flight-sql.ts';
import { locationReuseConnection } from './location-reuse-connection.ts';
import { middleware } from './middleware.ts';
import { ordered } from './ordered.ts';
import { pollFlightInfo } from './poll-flight-info.ts';
import type { Scenario } from './scenario.ts';
import { sessionOptions } from './session-options.ts';

/** Arrow's scenarios, in the order of its driver. */
export const scenarios: readonly Scenario[] = [
  authBasicProto,
  middleware,
  ordered,
  expirationDoGet,
  expirationListActions,
  expirationCancel,
  expirationRenew,
  doExchangeEcho,
  locationReuseConnection,
  sessionOptions,
  pollFlightInfo,
  appMetadata,
  flightSql,
  flightSqlExtension,
  flightSqlIngestion,
];

/** @throws Error for a name that is not known, with those that are */
export function findScenario(name: string): Scenario {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario !== undefined) return scenario;
  throw new Error(`no scenario ${name}; there are: ${scenarios.map((each) => each.name).join(', ')}`);
}
