import type { FlightHandlers, FlightServerOptions } from '@peregrine/flight';

/** What a scenario's server is made of. */
export interface ScenarioServer {
  readonly handlers: FlightHandlers;
  readonly options?: FlightServerOptions;
}

/** One scenario of Arrow's integration protocol for Flight: what the server does, and what the client expects of it. */
export interface Scenario {
  readonly name: string;
  /** A new server for each run: scenarios have state. */
  server(): ScenarioServer;
  /** Resolves when the server at the location did all that the scenario asks for. */
  client(location: string): Promise<void>;
}
