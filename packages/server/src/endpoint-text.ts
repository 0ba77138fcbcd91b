/**
 * Where a server of `s3://` addresses is. Throws an Error whose message goes on after the text.
 *
 * ```
 * endpoint = [ ( "http" | "https" ) "://" ] host [ ":" port ] [ "/" path ]      ; https where it does not say
 * ```
 */
export function parseEndpoint(text: string): URL {
  const address = text.includes('://') ? text : `https://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isPlain = /^https?:\/\/[^\s?#@]+$/i.test(address);
  // `http//host` would be a host that is called http.
  if (url === undefined || !isPlain || url.hostname === '' || url.pathname.includes('//'))
    throw new Error('is no address of a server: say http://127.0.0.1:9000 or minio.example.com:9000');
  return url;
}
