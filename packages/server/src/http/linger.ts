import type { IncomingMessage } from 'node:http';

/**
 * Takes what is left of a request's body, and drops it, before the connection is closed behind the answer. Most clients
 * look for an answer only when they have sent everything: of a connection that is closed before they see nothing but that
 * (RFC 9112, section 9.6).
 *
 * @param request - of which nothing is read any more, and whose answer says `Connection: close`
 * @param longestMs - how long that may take, in milliseconds
 */
export function lingerForBody(request: IncomingMessage, longestMs: number): void {
  const { socket } = request;
  // It was given up while it was read: there is nothing to wait for.
  if (request.destroyed) return;
  const close = socket.destroySoon.bind(socket);
  // What Node calls when the answer is sent.
  socket.destroySoon = () => {
    socket.destroySoon = close;
    const timer = setTimeout(done, longestMs).unref();
    function done(): void {
      clearTimeout(timer);
      request.off('end', done);
      socket.off('close', done);
      close();
    }
    request.once('end', done);
    socket.once('close', done);
    request.resume();
  };
}
