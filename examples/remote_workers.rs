//! The experiment on devices of other processes, or of other machines: StepLR and a sum of gradients
//! as on several devices of one machine.
//!
//! Two workers on this machine, which are started and stopped with the run:
//!
//! ```sh
//! cargo run --release --features remote --example remote_workers
//! ```
//!
//! On machines `one` and `two` of a trusted network, and then on this one:
//!
//! ```sh
//! cargo run --release --features remote --example remote_workers -- --serve 0.0.0.0:3000
//! cargo run --release --features remote --example remote_workers -- --connect ws://one:3000,ws://two:3000
//! ```
//!
//! WebSocket is neither encrypted nor does this example ask for a password. Burn's `RemoteHost::iroh`
//! and `IrohTransport` are, for networks that are not to be trusted.

mod experiment;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};

use burn::remote::RemoteHost;
use burn::server::{RemoteServer, WebSocketTransport};
use burn::tensor::Device;
use burn_lr::scheduler::StepLr;
use burn_lr::training::device::Backend;
use clap::Parser;

type Error = Box<dyn std::error::Error>;

/// Train a 784-128-10 network on MNIST over devices of other processes
///
/// Every device takes its share of every batch; the first one sums the gradients and updates the
/// weights. Prints what mnist_step prints. --backend and --devices are those of a worker.
///
/// Exits with 0 after a completed run, with 1 if it failed, with 2 if an option is wrong, and with 130 if
/// it was stopped by Ctrl-C.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    experiment: experiment::Options,

    /// Serve the devices of --backend at this address, until Ctrl-C, instead of training
    #[arg(long, value_name = "ADDRESS:PORT")]
    serve: Option<SocketAddr>,

    /// Train on the devices that are served there, as ws://host:port [default: two workers that are
    /// started on this machine]
    #[arg(
        long,
        value_name = "URL",
        value_delimiter = ',',
        conflicts_with_all = ["serve", "backend", "devices"]
    )]
    connect: Vec<String>,

    /// Stop serving when standard input ends, as it does when the process at its other end dies
    #[arg(long, hide = true, requires = "serve")]
    attended: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    experiment::exit(match options.serve {
        Some(address) => serve(address, &options),
        None => train(options),
    })
}

fn serve(address: SocketAddr, options: &Options) -> Result<(), Error> {
    let devices = options.experiment.devices as usize;
    let devices = options.experiment.backend.devices(devices)?;
    let listener = TcpListener::bind(address)?;
    println!("serving at ws://{}", listener.local_addr()?);
    if options.attended {
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    RemoteServer::new(devices).serve(WebSocketTransport::from_listener(listener))?;
    Ok(())
}

fn train(mut options: Options) -> Result<(), Error> {
    let mut own = Workers(Vec::new());
    if options.connect.is_empty() {
        let (backend, devices) = (options.experiment.backend, options.experiment.devices);
        // What is wrong with them is better said here than by a worker.
        backend.devices(devices as usize)?;
        for _ in 0..2 {
            options.connect.push(own.start(backend, devices)?);
        }
    }
    let experiment = &mut options.experiment;
    for url in &options.connect {
        experiment.workers.extend(connect(url)?);
    }
    // Every operation crosses the network: a few thousand images show it all.
    experiment.train_samples.get_or_insert(4000);
    let schedule = StepLr::new(experiment.lr, 1).with_gamma(0.5);
    let epochs = experiment.epochs.unwrap_or(3);
    experiment::run("remote_workers", schedule, epochs, experiment)
}

/// All devices that are served at `url`.
fn connect(url: &str) -> Result<Vec<Device>, Error> {
    let devices = RemoteHost::websocket(url).devices();
    let devices = devices.map_err(|error| format!("{url}: {error}"))?;
    Ok(devices.into_vec())
}

/// Workers on this machine; they stop when this is dropped, or if the process is killed.
struct Workers(Vec<Child>);

impl Workers {
    /// Starts one, and gives its URL.
    fn start(&mut self, backend: Backend, devices: u32) -> Result<String, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--serve", "127.0.0.1:0", "--attended"])
            .args(["--backend", &backend.to_string()])
            .args(["--devices", &devices.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "warn");
        }
        // Ctrl-C is for the run, which still needs its workers to finish the iteration.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("a worker without output")?;
        self.0.push(process);
        let mut lines = BufReader::new(output).lines();
        let first = lines.next().ok_or("a worker stopped at once")??;
        let url = first.rsplit(' ').next().unwrap_or_default().to_owned();
        let name = url.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                eprintln!("{name}: {line}");
            }
        });
        Ok(url)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // All at once: Burn's server panics when one that it exchanges tensors with goes away.
        for process in &mut self.0 {
            let _ = process.kill();
        }
        for process in &mut self.0 {
            let _ = process.wait();
        }
    }
}
