/** Names of `pyarrow.flight`, between semicolons: `Class`, `Class.member`, `method(parameter, …)`. */

/** What `dir()` finds in version 26; conformance/python/surface.py tells it. */
const found = `
Action(action_type, buf); Action.__eq__; Action.body; Action.deserialize(serialized); Action.serialize; Action.type
ActionType(type, description); ActionType.description; ActionType.make_action(buf); ActionType.type
BasicAuth(username, password); BasicAuth.__eq__; BasicAuth.deserialize(serialized); BasicAuth.password;
BasicAuth.serialize; BasicAuth.username
CallInfo(method); CallInfo.method
CertKeyPair(cert, key); CertKeyPair.cert; CertKeyPair.key
ClientAuthHandler; ClientAuthHandler.authenticate(outgoing, incoming); ClientAuthHandler.get_token
ClientMiddleware; ClientMiddleware.call_completed(exception); ClientMiddleware.received_headers(headers);
ClientMiddleware.sending_headers
ClientMiddlewareFactory; ClientMiddlewareFactory.start_call(info)
DescriptorType; DescriptorType.CMD; DescriptorType.PATH; DescriptorType.UNKNOWN
FlightCallOptions(timeout, write_options, headers, read_options); FlightCallOptions.headers;
FlightCallOptions.read_options; FlightCallOptions.timeout; FlightCallOptions.write_options
FlightCancelledError(message, extra_info)
FlightClient(location, tls_root_certs, cert_chain, private_key, override_hostname, middleware,
write_size_limit_bytes, disable_server_verification, generic_options); FlightClient.__enter__;
FlightClient.as_async; FlightClient.authenticate(auth_handler, options);
FlightClient.authenticate_basic_token(username, password, options); FlightClient.close;
FlightClient.connect(location, tls_root_certs, cert_chain, private_key, override_hostname,
disable_server_verification); FlightClient.do_action(action, options); FlightClient.do_exchange(descriptor,
options); FlightClient.do_get(ticket, options); FlightClient.do_put(descriptor, schema, options);
FlightClient.get_flight_info(descriptor, options); FlightClient.get_schema(descriptor, options);
FlightClient.list_actions(options); FlightClient.list_flights(criteria, options); FlightClient.supports_async;
FlightClient.wait_for_available(timeout)
FlightDataStream
FlightDescriptor; FlightDescriptor.__eq__; FlightDescriptor.command; FlightDescriptor.descriptor_type;
FlightDescriptor.deserialize(serialized); FlightDescriptor.for_command(command); FlightDescriptor.for_path(path);
FlightDescriptor.path; FlightDescriptor.serialize
FlightEndpoint(ticket, locations, expiration_time, app_metadata); FlightEndpoint.__eq__;
FlightEndpoint.app_metadata; FlightEndpoint.deserialize(serialized); FlightEndpoint.expiration_time;
FlightEndpoint.locations; FlightEndpoint.serialize; FlightEndpoint.ticket
FlightError(message, extra_info)
FlightInfo(schema, descriptor, endpoints, total_records, total_bytes, ordered, app_metadata); FlightInfo.__eq__;
FlightInfo.app_metadata; FlightInfo.descriptor; FlightInfo.deserialize(serialized); FlightInfo.endpoints;
FlightInfo.ordered; FlightInfo.schema; FlightInfo.serialize; FlightInfo.total_bytes; FlightInfo.total_records
FlightInternalError(message, extra_info)
FlightMetadataReader; FlightMetadataReader.read
FlightMetadataWriter; FlightMetadataWriter.write(message)
FlightMethod; FlightMethod.DO_ACTION; FlightMethod.DO_EXCHANGE; FlightMethod.DO_GET; FlightMethod.DO_PUT;
FlightMethod.GET_FLIGHT_INFO; FlightMethod.GET_SCHEMA; FlightMethod.HANDSHAKE; FlightMethod.INVALID;
FlightMethod.LIST_ACTIONS; FlightMethod.LIST_FLIGHTS
FlightServerBase(location, auth_handler, tls_certificates, verify_client, root_certificates, middleware);
FlightServerBase.__enter__; FlightServerBase.do_action(context, action); FlightServerBase.do_exchange(context,
descriptor, reader, writer); FlightServerBase.do_get(context, ticket); FlightServerBase.do_put(context, descriptor,
reader, writer); FlightServerBase.get_flight_info(context, descriptor); FlightServerBase.get_schema(context,
descriptor); FlightServerBase.list_actions(context); FlightServerBase.list_flights(context, criteria);
FlightServerBase.port; FlightServerBase.run; FlightServerBase.serve; FlightServerBase.shutdown;
FlightServerBase.wait
FlightServerError(message, extra_info)
FlightStreamChunk; FlightStreamChunk.__iter__; FlightStreamChunk.app_metadata; FlightStreamChunk.data
FlightStreamReader; FlightStreamReader.__iter__; FlightStreamReader.__next__; FlightStreamReader.cancel;
FlightStreamReader.read_all; FlightStreamReader.read_chunk; FlightStreamReader.read_pandas;
FlightStreamReader.schema; FlightStreamReader.stats; FlightStreamReader.to_reader
FlightStreamWriter; FlightStreamWriter.__enter__; FlightStreamWriter.begin(schema, options);
FlightStreamWriter.close; FlightStreamWriter.done_writing; FlightStreamWriter.stats;
FlightStreamWriter.write(table_or_batch); FlightStreamWriter.write_batch(batch);
FlightStreamWriter.write_metadata(buf); FlightStreamWriter.write_table(table, max_chunksize);
FlightStreamWriter.write_with_metadata(batch, buf)
FlightTimedOutError(message, extra_info)
FlightUnauthenticatedError(message, extra_info)
FlightUnauthorizedError(message, extra_info)
FlightUnavailableError(message, extra_info)
FlightWriteSizeExceededError(message, limit, actual)
GeneratorStream(schema, generator, options)
Location(uri); Location.__eq__; Location.equals(other); Location.for_grpc_tcp(host, port);
Location.for_grpc_tls(host, port); Location.for_grpc_unix(path); Location.uri
MetadataRecordBatchReader; MetadataRecordBatchReader.__iter__; MetadataRecordBatchReader.__next__;
MetadataRecordBatchReader.read_all; MetadataRecordBatchReader.read_chunk; MetadataRecordBatchReader.read_pandas;
MetadataRecordBatchReader.schema; MetadataRecordBatchReader.stats; MetadataRecordBatchReader.to_reader
MetadataRecordBatchWriter; MetadataRecordBatchWriter.__enter__; MetadataRecordBatchWriter.begin(schema, options);
MetadataRecordBatchWriter.close; MetadataRecordBatchWriter.stats; MetadataRecordBatchWriter.write(table_or_batch);
MetadataRecordBatchWriter.write_batch(batch); MetadataRecordBatchWriter.write_metadata(buf);
MetadataRecordBatchWriter.write_table(table, max_chunksize); MetadataRecordBatchWriter.write_with_metadata(batch,
buf)
RecordBatchStream(data_source, options)
Result(buf); Result.__eq__; Result.body; Result.deserialize(serialized); Result.serialize
SchemaResult(schema); SchemaResult.__eq__; SchemaResult.deserialize(serialized); SchemaResult.schema;
SchemaResult.serialize
ServerAuthHandler; ServerAuthHandler.authenticate(outgoing, incoming); ServerAuthHandler.is_valid(token)
ServerCallContext; ServerCallContext.add_header(key, value); ServerCallContext.add_trailer(key, value);
ServerCallContext.get_middleware(key); ServerCallContext.is_cancelled; ServerCallContext.peer;
ServerCallContext.peer_identity
ServerMiddleware; ServerMiddleware.call_completed(exception); ServerMiddleware.sending_headers
ServerMiddlewareFactory; ServerMiddlewareFactory.start_call(info, headers)
Ticket(ticket); Ticket.__eq__; Ticket.deserialize(serialized); Ticket.serialize; Ticket.ticket
TracingServerMiddlewareFactory; TracingServerMiddlewareFactory.start_call(info, headers)
connect(location)
`;

/** What document 003, a reference of pyarrow, has besides. */
const documented = `
connect(tls_certificates, cert_chain, private_key, auth_handler, call_options, tls_root_certs, tls_override_hostname,
middleware, write_size_limit_bytes, disable_server_verification, generic_options)
ActionType.__eq__; ClientMiddleware.received_trailers; FlightDataStream.schema; FlightDataStream.__iter__;
FlightDescriptor.__hash__; FlightInfo.for_table; FlightStreamReader.read_next; FlightStreamWriter.schema;
Location.__str__; ServerCallContext.method
`;

/** The names in a text, a parameter as `name(parameter=)`. */
export function namesIn(text: string): string[] {
  return text
    .split(/;|\n(?=[A-Z]|connect)/)
    .map((name) => name.trim().replaceAll(/\s+/g, ' '))
    .filter((name) => name !== '')
    .flatMap((name) => {
      const [, base = name, parameters = ''] = /^([\w.]+)\((.*)\)$/.exec(name) ?? [];
      const each = parameters.split(', ').filter((parameter) => parameter !== '');
      return [base, ...each.map((parameter) => `${base}(${parameter.replace(/=$/, '')}=)`)];
    });
}

/** Everything that a user of `pyarrow.flight` can name. */
export const pyarrowNames: ReadonlySet<string> = new Set([...namesIn(found), ...namesIn(documented)]);
