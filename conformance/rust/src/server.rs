//! The server: whatever src/foreign/server-checks.ts asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo,
    HandshakeRequest, HandshakeResponse, IpcMessage, PollInfo, PutResult, SchemaAsIpc,
    SchemaResult, Ticket,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{DictionaryHandling, IpcWriteOptions};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::data::{large, large_schema, numbers, numbers_schema, words, words_schema};
use crate::{Failure, option};

type Answer<T> = Result<Response<T>, Status>;
type Batches = BoxStream<'static, Result<RecordBatch, FlightError>>;

#[derive(Clone, Default)]
struct Peer {
    /// Streams that run without an end.
    running: Arc<AtomicI64>,
    /// Told to take no more calls.
    stop: Arc<Notify>,
}

/// Counts down when a stream goes.
struct Running(Arc<AtomicI64>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn failed(name: &str) -> Status {
    let text = format!("broke {name}");
    Status::with_details(Code::Internal, text, bytes_of("details").into())
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn encoded(
    builder: FlightDataEncoderBuilder,
    batches: Batches,
) -> BoxStream<'static, Result<FlightData, Status>> {
    builder
        .build(batches)
        .map(|each| each.map_err(Status::from))
        .boxed()
}

fn all(batches: Vec<RecordBatch>) -> Batches {
    stream::iter(batches.into_iter().map(Ok)).boxed()
}

impl Peer {
    fn run(&self) -> Running {
        self.running.fetch_add(1, Ordering::SeqCst);
        Running(self.running.clone())
    }

    fn info(&self, descriptor: FlightDescriptor) -> Result<FlightInfo, Status> {
        let name = descriptor.path.first().cloned().unwrap_or_default();
        if name == "none" {
            return Err(Status::not_found("there is no none"));
        }
        let endpoint = FlightEndpoint::new()
            .with_ticket(Ticket::new(name))
            .with_app_metadata("of endpoint");
        FlightInfo::new()
            .try_with_schema(&numbers_schema())
            .map(|info| {
                info.with_descriptor(descriptor)
                    .with_endpoint(endpoint)
                    .with_total_records(3)
                    .with_total_bytes(-1)
                    .with_ordered(true)
                    .with_app_metadata("of info")
            })
            .map_err(|error| Status::internal(error.to_string()))
    }
}

#[tonic::async_trait]
impl FlightService for Peer {
    type HandshakeStream = BoxStream<'static, Result<HandshakeResponse, Status>>;
    type ListFlightsStream = BoxStream<'static, Result<FlightInfo, Status>>;
    type DoGetStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoPutStream = BoxStream<'static, Result<PutResult, Status>>;
    type DoActionStream = BoxStream<'static, Result<arrow_flight::Result, Status>>;
    type ListActionsStream = BoxStream<'static, Result<ActionType, Status>>;
    type DoExchangeStream = BoxStream<'static, Result<FlightData, Status>>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Answer<Self::HandshakeStream> {
        let answers = request.into_inner().map(|each| {
            each.map(|HandshakeRequest { payload, .. }| HandshakeResponse {
                protocol_version: 0,
                payload,
            })
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Answer<Self::ListFlightsStream> {
        let names = ["numbers", "metadata"]
            .map(|name| self.info(FlightDescriptor::new_path(vec![name.to_owned()])));
        Ok(Response::new(stream::iter(names).boxed()))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Answer<FlightInfo> {
        self.info(request.into_inner()).map(Response::new)
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Answer<PollInfo> {
        let info = self.info(request.into_inner())?;
        Ok(Response::new(
            PollInfo::new()
                .with_info(info)
                .try_with_progress(1.0)
                .map_err(|_| failed("poll"))?,
        ))
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Answer<SchemaResult> {
        let schema = numbers_schema();
        let IpcMessage(schema) = SchemaAsIpc::new(&schema, &IpcWriteOptions::default())
            .try_into()
            .map_err(|_| failed("schema"))?;
        Ok(Response::new(SchemaResult { schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Answer<Self::DoGetStream> {
        let ticket = text(&request.into_inner().ticket);
        let (name, what) = ticket.split_once(':').unwrap_or((&ticket, ""));
        let builder = FlightDataEncoderBuilder::new();
        let data = match name {
            "numbers" => encoded(builder, all(vec![numbers(&[1, 2, 3])])),
            "metadata" => {
                let batches = (0..3).map(|index| numbers(&[index])).collect();
                // the schema comes first, then a message for each batch
                let numbered =
                    encoded(builder, all(batches))
                        .enumerate()
                        .map(|(index, message)| {
                            message.map(|message| match index {
                                0 => message,
                                _ => message.with_app_metadata((index - 1).to_string()),
                            })
                        });
                numbered.boxed()
            }
            "large" => {
                let count: i64 = what.parse().unwrap_or(1);
                let batches = stream::iter((0..count).map(|index| Ok(large(index)))).boxed();
                encoded(builder.with_schema(large_schema()), batches)
            }
            "compressed" => {
                let codec = if what == "zstd" {
                    CompressionType::ZSTD
                } else {
                    CompressionType::LZ4_FRAME
                };
                let options = IpcWriteOptions::default()
                    .try_with_compression(Some(codec))
                    .map_err(|_| failed("codec"))?;
                let batches = all((0..4).map(large).collect());
                encoded(
                    builder.with_schema(large_schema()).with_options(options),
                    batches,
                )
            }
            "dictionary" => {
                let handling = if what == "delta" {
                    DictionaryHandling::Delta
                } else {
                    DictionaryHandling::Resend
                };
                // each is a continuation of the one before, so that it may go as a delta
                let batches = vec![
                    words(&["a", "b"], &[0, 1, 0]),
                    words(&["a", "b", "c"], &[2, 1]),
                    words(&["a", "b", "c", "d"], &[3, 0]),
                ];
                let options = IpcWriteOptions::default().with_dictionary_handling(handling);
                let builder = builder
                    .with_options(options)
                    .with_dictionary_handling(arrow_flight::encode::DictionaryHandling::Resend);
                encoded(builder.with_schema(words_schema()), all(batches))
            }
            "midway" => {
                let first = encoded(builder, all(vec![numbers(&[1, 2])]));
                first.chain(stream::iter([Err(failed("midway"))])).boxed()
            }
            "endless" | "silent" => {
                let running = self.run();
                let silent = name == "silent";
                let batches = stream::unfold((running, 0), move |(running, index)| async move {
                    if silent && index > 0 {
                        std::future::pending::<()>().await;
                    }
                    Some((Ok(large(index)), (running, index + 1)))
                });
                encoded(builder.with_schema(large_schema()), batches.boxed())
            }
            // takes no more calls after its first batch, and goes on to its end
            "drain" => {
                let stop = self.stop.clone();
                let batches = stream::iter(0..200).then(move |index| {
                    let stop = stop.clone();
                    async move {
                        if index == 1 {
                            stop.notify_one();
                        }
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        Ok(numbers(&[index]))
                    }
                });
                encoded(builder.with_schema(numbers_schema()), batches.boxed())
            }
            _ => return Err(Status::not_found(format!("no ticket {ticket}"))),
        };
        Ok(Response::new(data))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Answer<Self::DoPutStream> {
        let mut slow = false;
        let results = request.into_inner().then(move |message| {
            if let Ok(FlightData {
                flight_descriptor: Some(descriptor),
                ..
            }) = &message
            {
                slow = descriptor.path.first().is_some_and(|name| name == "slow");
            }
            async move {
                if slow {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                message.map(
                    |FlightData {
                         data_body,
                         app_metadata,
                         ..
                     }| PutResult {
                        app_metadata: format!("{}:{}", data_body.len(), text(&app_metadata)).into(),
                    },
                )
            }
        });
        Ok(Response::new(results.boxed()))
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Answer<Self::DoExchangeStream> {
        Ok(Response::new(request.into_inner().boxed()))
    }

    async fn do_action(&self, request: Request<Action>) -> Answer<Self::DoActionStream> {
        let metadata = request.metadata().clone();
        let identity = request.peer_certs().map(|certs| certs.len()).unwrap_or(0);
        let Action { r#type, body } = request.into_inner();
        let answers: Vec<Vec<u8>> = match r#type.as_str() {
            "echo" => vec![body.to_vec()],
            "count" => (0..text(&body).parse().unwrap_or(0))
                .map(|n: u32| bytes_of(&n.to_string()))
                .collect(),
            "running" => vec![bytes_of(&self.running.load(Ordering::SeqCst).to_string())],
            "certificates" => vec![bytes_of(&identity.to_string())],
            "headers" => {
                let all = metadata.get_all("x-test");
                all.iter().map(|value| value.as_bytes().to_vec()).collect()
            }
            "binary" => match metadata.get_bin("x-test-bin").map(|value| value.to_bytes()) {
                Some(Ok(bytes)) => vec![bytes.to_vec()],
                _ => vec![],
            },
            "fail" => {
                let code: i32 = text(&body).parse().unwrap_or(2);
                let mut status = Status::with_details(
                    Code::from_i32(code),
                    "failed as asked",
                    vec![1, 0, 255].into(),
                );
                status
                    .metadata_mut()
                    .insert("x-why", "asked".parse().map_err(|_| failed("header"))?);
                return Err(status);
            }
            _ => return Err(Status::unimplemented(format!("no action {}", r#type))),
        };
        let results = answers
            .into_iter()
            .map(|body| Ok(arrow_flight::Result { body: body.into() }));
        let mut answer = Response::new(stream::iter(results).boxed() as Self::DoActionStream);
        answer
            .metadata_mut()
            .insert("x-answer", "tonic".parse().map_err(|_| failed("header"))?);
        Ok(answer)
    }

    async fn list_actions(&self, _: Request<Empty>) -> Answer<Self::ListActionsStream> {
        let echo = ActionType {
            r#type: "echo".into(),
            description: "gives the body back".into(),
        };
        Ok(Response::new(stream::iter([Ok(echo)]).boxed()))
    }
}

pub async fn serve(args: &[String]) -> Result<(), Failure> {
    let peer = Peer::default();
    let stop = peer.stop.clone();
    let mut service = FlightServiceServer::new(peer);
    if args.iter().any(|each| each == "--gzip") {
        service = service
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
    }
    let mut server = Server::builder().http2_keepalive_interval(Some(Duration::from_millis(200)));
    if let (Some(cert), Some(key)) = (option(args, "--cert"), option(args, "--key")) {
        let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(
            std::fs::read(cert)?,
            std::fs::read(key)?,
        ));
        if let Some(ca) = option(args, "--client-ca") {
            tls = tls.client_ca_root(Certificate::from_pem(std::fs::read(ca)?));
        }
        server = server.tls_config(tls)?;
    }
    let router = server.add_service(service);
    let stopped = async move { stop.notified().await };
    if let Some(path) = option(args, "--unix") {
        let listener = UnixListener::bind(path)?;
        println!("listening on 0");
        router
            .serve_with_incoming_shutdown(UnixListenerStream::new(listener), stopped)
            .await?;
    } else {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on {}", listener.local_addr()?.port());
        router
            .serve_with_incoming_shutdown(TcpIncoming::from(listener), stopped)
            .await?;
    }
    Ok(())
}
