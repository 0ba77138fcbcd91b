//! The client: checks against the server of src/pyarrow-client/test-handlers.ts.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_flight::encode::{DictionaryHandling as Dictionaries, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::{Action, FlightClient, FlightData, FlightDescriptor, Ticket};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{DictionaryHandling, IpcWriteOptions};
use futures::stream::{self, TryStreamExt};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};

use crate::data::{ints, large, numbers, texts, words};
use crate::{Failure, option};

type Outcome = Result<(), Failure>;

fn expect<T: PartialEq + std::fmt::Debug>(actual: T, expected: T) -> Outcome {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{actual:?} instead of {expected:?}").into())
    }
}

fn status_of(error: FlightError) -> Result<Status, Failure> {
    match error {
        FlightError::Tonic(status) => Ok(*status),
        other => Err(format!("no status: {other}").into()),
    }
}

async fn ask(
    channel: &Channel,
    kind: &str,
    body: impl Into<Vec<u8>>,
) -> Result<Vec<String>, FlightError> {
    let action = Action::new(kind.to_owned(), body.into());
    let answers: Vec<_> = FlightClient::new(channel.clone())
        .do_action(action)
        .await?
        .try_collect()
        .await?;
    Ok(answers
        .iter()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect())
}

/// Sends messages under a name; the answers' metadata.
async fn put(
    channel: &Channel,
    name: &str,
    builder: FlightDataEncoderBuilder,
    batches: Vec<RecordBatch>,
) -> Result<Vec<String>, Failure> {
    let descriptor = FlightDescriptor::new_path(vec![name.to_owned()]);
    let messages = builder
        .with_flight_descriptor(Some(descriptor))
        .build(stream::iter(batches.into_iter().map(Ok)))
        .map_ok(|message| message.with_app_metadata("m"));
    let answers: Vec<_> = FlightClient::new(channel.clone())
        .do_put(messages)
        .await?
        .try_collect()
        .await?;
    Ok(answers
        .iter()
        .map(|each| String::from_utf8_lossy(&each.app_metadata).into_owned())
        .collect())
}

async fn get(channel: &Channel, ticket: &str) -> Result<Vec<RecordBatch>, FlightError> {
    FlightClient::new(channel.clone())
        .do_get(Ticket::new(ticket.to_owned()))
        .await?
        .try_collect()
        .await
}

async fn information(channel: Channel) -> Outcome {
    let mut client = FlightClient::new(channel.clone());
    let info = client
        .get_flight_info(FlightDescriptor::new_cmd("everything"))
        .await?;
    expect(info.endpoint.len(), 2)?;
    expect(info.ordered, true)?;
    expect(info.total_bytes, 1 << 40)?;
    expect(&info.app_metadata[..], b"info metadata")?;
    expect(
        info.endpoint[0].location[1].uri.as_str(),
        "grpc+tls://b.example:2",
    )?;
    expect(
        info.endpoint[0]
            .expiration_time
            .map(|time| (time.seconds, time.nanos)),
        Some((1_700_000_000, 123_456_000)),
    )?;
    put(
        &channel,
        "rust-info",
        FlightDataEncoderBuilder::new(),
        vec![numbers(&[1])],
    )
    .await?;
    let path = FlightDescriptor::new_path(vec!["rust-info".to_owned()]);
    expect(client.get_schema(path).await?.field(0).name().as_str(), "n")?;
    let flights: Vec<_> = client
        .list_flights("rust-info")
        .await?
        .try_collect()
        .await?;
    expect(flights.len(), 1)?;
    let actions: Vec<_> = client.list_actions().await?.try_collect().await?;
    expect(actions[0].r#type.as_str(), "echo")
}

async fn metadata_of_batches(channel: Channel) -> Outcome {
    let mut inner = FlightClient::new(channel).into_inner();
    let messages: Vec<FlightData> = inner
        .do_get(Ticket::new("numbered"))
        .await?
        .into_inner()
        .try_collect()
        .await?;
    let seen: Vec<&[u8]> = messages
        .iter()
        .skip(1)
        .map(|message| &message.app_metadata[..])
        .collect();
    expect(seen, vec![&b"0"[..], b"", b"alone", b"2"])
}

async fn put_and_get(channel: Channel) -> Outcome {
    let batches = vec![numbers(&[1, 2]), numbers(&[3])];
    let answers = put(&channel, "rust", FlightDataEncoderBuilder::new(), batches).await?;
    expect(
        answers.iter().all(|answer| answer == "ack m") && answers.len() >= 2,
        true,
    )?;
    let values: Result<Vec<_>, _> = get(&channel, "rust").await?.iter().map(ints).collect();
    expect(values?.concat(), vec![1, 2, 3])
}

async fn dictionaries(channel: Channel) -> Outcome {
    let growing = || {
        vec![
            words(&["a", "b"], &[0, 1, 0]),
            words(&["a", "b", "c"], &[2, 1]),
            words(&["a", "b", "c", "d"], &[3, 0]),
        ]
    };
    let changing = vec![
        words(&["a", "b"], &[0, 1, 0]),
        words(&["c", "b"], &[0, 1]),
        words(&["d", "a"], &[0, 1]),
    ];
    let cases = [
        ("delta", DictionaryHandling::Delta, growing()),
        ("resend", DictionaryHandling::Resend, growing()),
        ("replaced", DictionaryHandling::Resend, changing),
    ];
    for (name, handling, batches) in cases {
        let options = IpcWriteOptions::default().with_dictionary_handling(handling);
        let builder = FlightDataEncoderBuilder::new()
            .with_options(options)
            .with_dictionary_handling(Dictionaries::Resend);
        put(&channel, name, builder, batches).await?;
        let seen: Result<Vec<_>, _> = get(&channel, name).await?.iter().map(texts).collect();
        expect(seen?.concat().join(""), "abacbda".to_owned())
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

async fn compressed_bodies(channel: Channel) -> Outcome {
    for (name, codec) in [
        ("lz4", CompressionType::LZ4_FRAME),
        ("zstd", CompressionType::ZSTD),
    ] {
        let options = IpcWriteOptions::default().try_with_compression(Some(codec))?;
        let builder = FlightDataEncoderBuilder::new().with_options(options);
        put(&channel, name, builder, (0..4).map(large).collect()).await?;
        let rows = get(&channel, name).await?;
        expect(arrow_rows(&rows), 4 * 131_072)?;
        expect(
            rows[0].column(0).slice(0, 9) == large(0).column(0).slice(0, 9),
            true,
        )?;
    }
    Ok(())
}

fn arrow_rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// Messages of more than 4 MiB are none of tonic's: ours are below, without an option.
async fn large_stream(channel: Channel) -> Outcome {
    let mebibytes: usize = std::env::var("PEREGRINE_FOREIGN_MIB")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(256);
    let wanted = mebibytes * 16_384;
    let mut data = FlightClient::new(channel)
        .do_get(Ticket::new("flood"))
        .await?;
    let mut rows = 0;
    while rows < wanted {
        rows += data.try_next().await?.ok_or("ended early")?.num_rows();
    }
    Ok(())
}

/// Nothing is read before everything that windows and kernels take is written.
async fn exchange_with_a_slow_reader(channel: Channel) -> Outcome {
    const COUNT: usize = 192;
    let written = Arc::new(AtomicUsize::new(0));
    let counter = written.clone();
    let batches = stream::iter((0..COUNT as i64).map(move |index| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(large(index))
    }));
    let messages = FlightDataEncoderBuilder::new()
        .with_flight_descriptor(Some(FlightDescriptor::new_cmd("echo")))
        .build(batches);
    let mut answers = FlightClient::new(channel).do_exchange(messages).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = written.load(Ordering::SeqCst);
    if before == COUNT {
        return Err("all of it was taken though nobody read".into());
    }
    let mut rows = 0;
    while let Some(batch) = answers.try_next().await? {
        rows += batch.num_rows();
        if rows % (131_072 * 64) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    expect(rows, COUNT * 131_072)
}

async fn cancelled_streams(channel: Channel) -> Outcome {
    let mut data = FlightClient::new(channel.clone())
        .do_get(Ticket::new("stuck"))
        .await?;
    data.try_next().await?;
    drop(data);
    while ask(&channel, "running", "stuck").await? != ["0"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn errors(channel: Channel) -> Outcome {
    let cases = [
        ("INTERNAL", Code::Internal),
        ("NOT_FOUND", Code::NotFound),
        ("UNAUTHENTICATED", Code::Unauthenticated),
    ];
    for (name, code) in cases {
        let error = ask(&channel, "fail-with-info", name)
            .await
            .err()
            .ok_or("no error")?;
        let status = status_of(error)?;
        expect(status.code(), code)?;
        expect(
            status.message().contains(&format!("failed with {name}")),
            true,
        )?;
        expect(status.details(), &[0, b'i', b'n', b'f', b'o', 255][..])?;
    }
    let status = status_of(get(&channel, "breaks").await.err().ok_or("no error")?)?;
    expect(status.message().contains("broke half-way"), true)?;
    expect(status.details(), b"half")
}

async fn headers(channel: Channel) -> Outcome {
    let mut client = FlightClient::new(channel).into_inner();
    let mut request = Request::new(Action::new("headers", ""));
    request.metadata_mut().append("x-test", "one".parse()?);
    request.metadata_mut().append("x-test", "two".parse()?);
    request.metadata_mut().insert_bin(
        "x-test-bin",
        tonic::metadata::MetadataValue::from_bytes(&[0, 255]),
    );
    let seen = client
        .do_action(request)
        .await?
        .into_inner()
        .try_next()
        .await?
        .ok_or("no answer")?;
    let seen = String::from_utf8_lossy(&seen.body).into_owned();
    expect(seen.contains(r#""x-test":["one","two"]"#), true)?;
    expect(seen.contains(r#""x-test-bin":["00ff"]"#), true)?;
    let answer = client.do_action(Action::new("add-headers", "")).await?;
    expect(
        answer
            .metadata()
            .get("x-handler")
            .map(|value| value.as_bytes()),
        Some(&b"header"[..]),
    )?;
    let mut results = answer.into_inner();
    while results.try_next().await?.is_some() {}
    let trailers = results.trailers().await?.ok_or("no trailers")?;
    expect(
        trailers
            .get("x-handler-trailer")
            .map(|value| value.as_bytes()),
        Some(&b"trailer"[..]),
    )
}

async fn deadlines(channel: Channel) -> Outcome {
    let mut request = Request::new(Action::new("sleep", ""));
    request.set_timeout(Duration::from_millis(200));
    let outcome = async {
        let mut results = FlightClient::new(channel)
            .into_inner()
            .do_action(request)
            .await?
            .into_inner();
        results.try_next().await
    };
    let status: Status = outcome.await.err().ok_or("no error")?;
    // tonic keeps the time itself too, and calls that CANCELLED
    expect(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        true,
    )
}

async fn compressed_messages(channel: Channel) -> Outcome {
    let inner = FlightClient::new(channel).into_inner();
    let mut client = inner
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let body = vec![7_u8; 1 << 20];
    let answer = client.do_action(Action::new("echo", body.clone())).await?;
    let encoding = answer.metadata().get("grpc-encoding").cloned();
    let got = answer.into_inner().try_next().await?.ok_or("no answer")?;
    expect(got.body.len(), body.len())?;
    if let Some(encoding) = encoding {
        println!("# our server answers in {encoding:?}");
    }
    Ok(())
}

async fn many_streams(channel: Channel) -> Outcome {
    let calls = (0..200).map(|_| get(&channel, "source:generator"));
    for batches in futures::future::join_all(calls).await {
        expect(arrow_rows(&batches?), 3)?;
    }
    Ok(())
}

async fn keepalive(channel: Channel) -> Outcome {
    tokio::time::sleep(Duration::from_millis(500)).await;
    expect(
        ask(&channel, "echo", "still there").await?,
        vec!["still there".to_owned()],
    )
}

/// The server stops while a stream runs: it comes to its end, and no call after it is taken.
async fn drain(channel: Channel) -> Outcome {
    expect(arrow_rows(&get(&channel, "drain").await?), 200)?;
    let code = status_of(ask(&channel, "echo", "").await.err().ok_or("taken")?)?.code();
    expect(
        matches!(code, Code::Unavailable | Code::Unknown | Code::Cancelled),
        true,
    )
}

async fn identity(channel: Channel) -> Outcome {
    expect(
        ask(&channel, "identity", "").await?,
        vec!["alice".to_owned()],
    )
}

async fn bearer(channel: Channel) -> Outcome {
    let refused = ask(&channel, "identity", "").await.err().ok_or("taken")?;
    expect(status_of(refused)?.code(), Code::Unauthenticated)?;
    let mut request = Request::new(stream::empty());
    // alice:secret
    request
        .metadata_mut()
        .insert("authorization", "Basic YWxpY2U6c2VjcmV0".parse()?);
    let mut client = FlightClient::new(channel);
    let answer = client.inner_mut().handshake(request).await?;
    let token = answer
        .metadata()
        .get("authorization")
        .ok_or("no token")?
        .to_str()?
        .to_owned();
    client.add_header("authorization", &token)?;
    let answers: Vec<_> = client
        .do_action(Action::new("identity", ""))
        .await?
        .try_collect()
        .await?;
    expect(&answers[0][..], b"alice")
}

async fn connect(uri: &str, args: &[String]) -> Result<Channel, Failure> {
    if let Some(path) = uri.strip_prefix("grpc+unix://") {
        let path = path.to_owned();
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        return Ok(Endpoint::try_from("http://localhost")?
            .connect_with_connector(connector)
            .await?);
    }
    let address = uri.replace("grpc+tls", "https").replace("grpc+tcp", "http");
    let mut endpoint = Endpoint::from_shared(address)?
        .http2_keep_alive_interval(Duration::from_millis(50))
        .keep_alive_while_idle(true);
    if option(args, "--adaptive").is_some() {
        endpoint = endpoint.http2_adaptive_window(true);
    }
    if let Some(ca) = option(args, "--ca") {
        let mut tls =
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(std::fs::read(ca)?));
        if let (Some(cert), Some(key)) = (option(args, "--cert"), option(args, "--key")) {
            tls = tls.identity(Identity::from_pem(
                std::fs::read(cert)?,
                std::fs::read(key)?,
            ));
        }
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint.connect().await?)
}

async fn run(name: &str, check: impl Future<Output = Outcome>) {
    match tokio::time::timeout(Duration::from_secs(240), check).await {
        Ok(Ok(())) => println!("ok {name}"),
        Ok(Err(error)) => println!("failed {name}: {}", error.to_string().replace('\n', " ")),
        Err(_) => println!("failed {name}: it does not end"),
    }
}

pub async fn check(uri: &str, args: &[String]) -> Result<(), Failure> {
    let channel = connect(uri, args).await?;
    let again = || channel.clone();
    match option(args, "--group").unwrap_or("all") {
        "bearer" => run("logs in by a header", bearer(again())).await,
        "certificates" => run("is known by its certificate", identity(again())).await,
        "drain" => run("is let finish by a server that stops", drain(again())).await,
        "unix" => run("puts and gets", put_and_get(again())).await,
        _ => {
            run("asks for information", information(again())).await;
            run("reads metadata of batches", metadata_of_batches(again())).await;
            run("puts and gets", put_and_get(again())).await;
            run(
                "sends and reads dictionaries that change",
                dictionaries(again()),
            )
            .await;
            run(
                "sends and reads compressed bodies",
                compressed_bodies(again()),
            )
            .await;
            run(
                "reads a large stream in messages below its limit",
                large_stream(again()),
            )
            .await;
            run(
                "exchanges with a slow reader",
                exchange_with_a_slow_reader(again()),
            )
            .await;
            run("cancels streams", cancelled_streams(again())).await;
            run("sees codes and details of errors", errors(again())).await;
            run("sends and sees headers and trailers", headers(again())).await;
            run("has deadlines kept", deadlines(again())).await;
            run("compresses messages", compressed_messages(again())).await;
            run("runs many streams at once", many_streams(again())).await;
            run("may ping as it likes", keepalive(again())).await;
        }
    }
    Ok(())
}
