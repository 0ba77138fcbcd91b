//! arrow-rs, which is tonic over h2, as a plain Flight peer.
//!
//! `flight-peer server [--tls CERT KEY] [--client-ca PEM] [--gzip] [--unix PATH]` prints its port and serves.
//! `flight-peer client URI [--ca PEM --cert PEM --key PEM]` prints "ok NAME" or "failed NAME: why" for each check.

mod client;
mod data;
mod server;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The value behind an option of the command line.
pub fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let at = args.iter().position(|each| each == name)?;
    args.get(at + 1).map(String::as_str)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("server") => server::serve(&args[1..]).await,
        Some("client") => client::check(&args[1], &args[2..]).await,
        _ => Err("flight-peer server|client".into()),
    }
}
