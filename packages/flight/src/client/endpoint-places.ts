import { FlightInvalidArgumentError } from '../errors.ts';
import type { FlightEndpoint } from '../model/flight-endpoint.ts';
import type { Location } from '../model/location.ts';

/** Where the data of an endpoint can be had. */
export type EndpointPlace =
  /** The service that the FlightInfo came from. */
  | { readonly kind: 'same' }
  /** Another Flight service. */
  | { readonly kind: 'grpc'; readonly location: Location }
  /** An Arrow IPC stream for a plain GET. */
  | { readonly kind: 'http'; readonly url: URL };

/**
 * The places of an endpoint, in its order. No location at all, an empty one and `arrow-flight-reuse-connection://?`
 * all mean the same service. Locations of schemes that are not known are left out.
 *
 * @param endpoint - as the server gave it
 * @param own - location of the service that it came from
 * @throws FlightInvalidArgumentError when there is no place that can be used
 */
export function endpointPlaces(endpoint: FlightEndpoint, own: Location): readonly EndpointPlace[] {
  if (endpoint.locations.length === 0) return [{ kind: 'same' }];
  const places = endpoint.locations
    .map((location) => placeOf(location, own))
    .filter((place) => place !== undefined);
  if (places.length === 0) {
    // the query of a presigned URI is a secret
    const uris = endpoint.locations.map(({ uri }) => uri.replace(/\?.*/s, '?…')).join(', ');
    throw new FlightInvalidArgumentError(
      `none of the endpoint's locations can be used: ${uris}; known are grpc, grpc+tcp, grpc+tls, grpc+unix, http and https`,
    );
  }
  return places;
}

function placeOf(location: Location, own: Location): EndpointPlace | undefined {
  if (location.equals(own)) return { kind: 'same' };
  switch (location.kind) {
    case 'reuse-connection':
      return { kind: 'same' };
    case 'tcp':
    case 'tls':
    case 'unix':
      return { kind: 'grpc', location };
    case 'http':
      return URL.canParse(location.uri) ? { kind: 'http', url: new URL(location.uri) } : undefined;
    case 'unknown':
      return undefined;
  }
}
