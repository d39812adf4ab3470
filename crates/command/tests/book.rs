//! The commands of the book and of the README: each page's blocks of `sh` are run by a shell, in their order and in a
//! directory of the page's own.
//!
//! They are run word for word, by programs of their names that are built already: `cargo` starts the example or command
//! that it is asked for, and the examples are given less to do, by fewer images, updates, trials or seeds.

// The commands want bash and the tools of GNU.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tempfile::TempDir;

/// What is not run here, by how it begins, and what runs it.
const ELSEWHERE: [(&str, &str); 5] = [
    ("cargo test --workspace", "this test is run by it"),
    ("mdbook ", "`.ci/book` builds the book"),
    (
        "TMPDIR=/dev/shm python3 benches/kills.py",
        "hours; the same by `benches/kill.py` is run",
    ),
    (
        "cargo run --profile fuzz",
        "hours; the test of `fuzz` tries some inputs of each target",
    ),
    (
        "$kill --kills 100 -- ./mnist_step --checkpoint-every",
        "fails if no kill comes within an epoch, which takes many; `resume::within` stops a run after every batch",
    ),
];

/// Files of MNIST with the bytes of a header and of an item, and how many items are left.
const MNIST: [(&str, usize, usize, u32); 4] = [
    ("train-images-idx3-ubyte.gz", 16, 784, 128),
    ("train-labels-idx1-ubyte.gz", 8, 1, 128),
    ("t10k-images-idx3-ubyte.gz", 16, 784, 64),
    ("t10k-labels-idx1-ubyte.gz", 8, 1, 64),
];

/// Starts what `cargo` would have built.
const CARGO: &str = r#"#!/usr/bin/env bash
set -eu
case $1 in
    build) exit ;;
    run) shift ;;
    *) echo "there is no cargo $1 here" >&2; exit 64 ;;
esac
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        --release) ;;
        --features) shift ;;
        --example) program=target/release/examples/$2; shift ;;
        --bin) program=bin/$2; shift ;;
        *) echo "there is no $1 here" >&2; exit 64 ;;
    esac
    shift
done
[ $# -eq 0 ] || shift
exec "$program" "$@"
"#;

/// Starts an example with less to do: `SMALL` holds options for those that were not given.
const LESS: &str = r#"#!/usr/bin/env bash
set -eu
given=() before=
for word in "$@"; do
    case $before in
        --trials) word=4 ;;
        --kills) word=2 ;;
        --max-updates) word=12 ;;
        --seeds) word=$(cut -d, -f1,2 <<< "$word") ;;
        --hold-out) word=32 ;;
        # Which candidate a search finds depends on the images.
        --model) [ -e "$word" ] || word=$(compgen -G "artifacts/find/trials/[0-9]*/seed-10/final.bpk") ;;
    esac
    given+=("$word")
    before=$word
done
small=(SMALL)
[[ " $* " != *" --find "* ]] || small+=(--trials 4)
for ((i = 0; i < ${#small[@]}; i += 2)); do
    [[ " $* " = *" ${small[i]} "* ]] || given+=("${small[@]:i:2}")
done
exec PROGRAM "${given[@]}"
"#;

/// Options that make an example's run short; `MNIST` is where its few images are.
fn small(example: &str) -> &'static str {
    match example {
        "mnist_step" | "mnist_plateau" | "predict" => "--data-dir MNIST",
        "compare_schedules" => "--data-dir MNIST --epochs 2",
        "find_lr" => "--train-samples 640 --updates 20",
        "cnn" => "--samples 128",
        "language_model" => "--samples 4000",
        "lstm_loop" => "--samples 200",
        "cooldowns" => "--updates 20 --seeds 1 --train-samples 200",
        _ => "",
    }
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// The README and the pages of the book.
fn pages() -> Vec<PathBuf> {
    let book = fs::read_dir(root().join("docs/book/src")).unwrap();
    let pages = book.map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = pages
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .chain([root().join("README.md")])
        .collect();
    pages.sort();
    pages
}

/// The commands of a page's blocks, each with the number of its first line. A command may go over several
/// lines, by a backslash or as a loop.
fn commands(page: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(page).unwrap();
    let mut commands: Vec<(usize, String)> = Vec::new();
    let (mut inside, mut open) = (false, false);
    for (number, line) in text.lines().enumerate() {
        if line == "```sh" || inside && line == "```" {
            (inside, open) = (!inside, false);
        } else if inside {
            match commands.last_mut() {
                Some((_, command)) if open => *command += &format!("\n{line}"),
                _ => commands.push((number + 1, line.to_owned())),
            }
            let command = &commands.last().unwrap().1;
            let is_loop = command.starts_with("for ") && !command.ends_with("\ndone");
            open = line.ends_with('\\') || is_loop;
        }
    }
    commands
}

/// The first items of each of MNIST's files.
fn write_mnist(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for (name, header, item, items) in MNIST {
        let all = fs::File::open(root().join("data/mnist").join(name)).unwrap();
        let mut bytes = vec![0; header + item * items as usize];
        GzDecoder::new(all).read_exact(&mut bytes).unwrap();
        bytes[4..8].copy_from_slice(&items.to_be_bytes());
        let file = fs::File::create(directory.join(name)).unwrap();
        let mut file = GzEncoder::new(file, Compression::fast());
        file.write_all(&bytes).unwrap();
        file.finish().unwrap();
    }
}

/// Held while programs are written or started: a process that is just being started has open what another thread
/// writes, and what somebody has open to write cannot be run.
static PROGRAMS: Mutex<()> = Mutex::new(());

fn programs() -> MutexGuard<'static, ()> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Writes a program that starts `program` with less to do.
fn write_less(path: &Path, program: &Path, small: &str) {
    let program = format!("'{}'", program.display());
    let text = LESS.replace("PROGRAM", &program).replace("SMALL", small);
    write_program(path, &text);
}

/// A checkout as far as the pages' commands see one.
fn checkout() -> TempDir {
    let _alone = programs();
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    write_mnist(&path("data/mnist"));
    for name in ["examples", "crates"] {
        symlink(root().join(name), path(name)).unwrap();
    }
    write_program(&path("bin/cargo"), CARGO);
    let command = Path::new(env!("CARGO_BIN_EXE_burn-lr"));
    symlink(command, path("bin/burn-lr")).unwrap();
    // It is a program in Python, which need not be there.
    let python = Command::new("python3").arg("--version").output();
    let kill = match python {
        Ok(_) => root().join("benches/kill.py"),
        Err(_) => PathBuf::from("true"),
    };
    write_less(&path("benches/kill.py"), &kill, "");
    let built = command.parent().unwrap().join("examples");
    let examples = fs::read_dir(&built).unwrap_or_else(|_| {
        panic!("the examples are not built: cargo test --workspace, or cargo build --workspace --examples")
    });
    for entry in examples {
        let program = entry.unwrap().path();
        let name = program.file_name().unwrap().to_str().unwrap();
        // Beside each are its dependencies and those of its name with a hash.
        if !name.contains(['.', '-']) {
            let mnist = format!("'{}'", path("data/mnist").display());
            let small = small(name).replace("MNIST", &mnist);
            write_less(
                &path("target/release/examples").join(name),
                &program,
                &small,
            );
        }
    }
    directory
}

/// Runs what `wanted` leaves of the commands of a page, and gives how many those are.
fn run(page: &Path, wanted: impl Fn(&str) -> bool) -> usize {
    let elsewhere = |command: &str| {
        let mut all = ELSEWHERE.iter();
        all.any(|(begin, _)| command.starts_with(begin))
    };
    let all = commands(page).into_iter();
    let all = all.filter(|(_, command)| !elsewhere(command) && wanted(command));
    let all: Vec<(usize, String)> = all.collect();
    if all.is_empty() {
        return 0;
    }
    let mut script = "set -euo pipefail\n".to_owned();
    for (line, command) in &all {
        script += &format!("echo '== line {line}' >&2\n{command}\n");
    }
    let directory = checkout();
    let path = std::env::var("PATH").unwrap();
    // What is written there is the page's own too.
    let temporary = directory.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = Command::new("bash");
    command
        .args(["-c", &script])
        .current_dir(directory.path())
        .env("PATH", format!("{}/bin:{path}", directory.path().display()))
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let alone = programs();
    let started = command.spawn().unwrap();
    drop(alone);
    let output = started.wait_with_output().unwrap();
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let page = page.display();
    assert!(output.status.success(), "{page}: {out}\n{error}");
    all.len()
}

fn needs_features(command: &str) -> bool {
    command.contains(" --features ")
}

#[test]
fn the_commands_of_each_page_succeed() {
    let pages = pages();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let run_all = || {
        let mut ran = 0;
        while let Some(page) = pages.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let started = std::time::Instant::now();
            let commands = run(page, |command| !needs_features(command));
            println!(
                "{}: {commands} commands, {:.1} s",
                page.display(),
                started.elapsed().as_secs_f64()
            );
            ran += commands;
        }
        ran
    };
    let ran: usize = std::thread::scope(|scope| {
        let threads = [(), ()].map(|()| scope.spawn(run_all));
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert!(ran > 50, "{ran} commands");
}

#[test]
#[ignore = "needs the features that the commands ask for"]
fn the_commands_with_features_succeed() {
    let ran: usize = pages().iter().map(|page| run(page, needs_features)).sum();
    assert!(ran > 0);
}
