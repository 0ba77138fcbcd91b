// Our client against pyarrow.flight's server: every feature of the client that pyarrow has.
import { checkCalls } from './client-against-pyarrow/calls.ts';
import { checkConnections } from './client-against-pyarrow/connections.ts';
import { checkEndings } from './client-against-pyarrow/endings.ts';
import { checkLarge } from './client-against-pyarrow/large.ts';
import { checkSecurity } from './client-against-pyarrow/security.ts';
import { checkStreams } from './client-against-pyarrow/streams.ts';

checkCalls();
checkStreams();
checkEndings();
checkLarge();
checkSecurity();
checkConnections();
