//! What needs a process of its own, to be killed or limited: this test binary, run again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Names the directory to a child, in its environment.
const DIRECTORY: &str = "BURN_LR_TEST_CHECKPOINTS";

fn policy() -> KeepPolicy {
    KeepPolicy::last(2).with_best(Best::min(valid("loss")))
}

/// A loss that jumps, so that the best changes now and then.
fn loss(epoch: usize) -> f64 {
    (epoch as f64 * 12.9898).sin() - epoch as f64 * 1e-3
}

fn open_run(run: &Path) -> CheckpointStore {
    open(&run.join("checkpoint"))
        .with_keep(policy())
        .with_best_copy(MODEL, run.join("best.bpk"))
        .unwrap()
}

/// Parts of about the size of a small network's.
fn large(epoch: usize, part: &str) -> Vec<u8> {
    let times = match part {
        MODEL => 200,
        OPTIM => 400,
        _ => 1,
    };
    content(epoch, part).repeat(times)
}

fn save_large(store: &CheckpointStore, epoch: usize) -> Result<(), TrainingError> {
    store.set_metrics(epoch, &Metrics::new(), &metrics(loss(epoch)))?;
    std::thread::scope(|scope| {
        let threads = PARTS
            .map(|part| scope.spawn(move || store.save_part(epoch, part, &large(epoch, part))));
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap())
    })
}

/// Not a test by itself: what the children do.
#[test]
fn child_that_saves_until_it_is_killed() {
    let Some(run) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = open_run(run.as_ref());
    let start = store.newest_complete().0.map_or(0, |c| c.epoch);
    for epoch in start + 1..start + 10_000 {
        if let Err(error) = save_large(&store, epoch) {
            println!("\nfailed: {error}");
            return;
        }
        println!("\nsaved {epoch}");
    }
}

fn child(run: &Path, mut command: Command) -> Child {
    command
        .env(DIRECTORY, run)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The command that runs the child, after `prelude` of a shell.
fn command(prelude: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{prelude} exec \"$0\" --exact \"$1\" --nocapture --test-threads=1");
    command
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .arg("processes::child_that_saves_until_it_is_killed");
    command
}

/// What the child has printed since it started.
fn lines(child: &mut Child) -> Vec<String> {
    let output = BufReader::new(child.stdout.take().unwrap());
    output.lines().map(Result::unwrap).collect()
}

fn last_saved(lines: &[String]) -> Option<usize> {
    let mut saved = lines.iter().filter_map(|line| line.strip_prefix("saved "));
    saved.next_back()?.parse().ok()
}

#[test]
fn a_kill_at_any_moment_costs_no_complete_checkpoint() {
    let run = TempDir::new().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(42);
    let mut newest = 0;
    let mut skips = 0;
    // How long a child may live: as long as this machine needs, that may be slow or busy, for some to be killed before
    // their first checkpoint, and others after many.
    let mut longest = Duration::from_millis(150);
    for kill in 0..50 {
        let before = newest;
        let mut child = child(run.path(), command(""));
        std::thread::sleep(longest.mul_f64(random.random_range(0.03..1.0)));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = last_saved(&lines(&mut child)).unwrap_or(newest);

        // The copy of the best is never torn, and may only be behind by the last epoch.
        let copy = fs::read(run.path().join("best.bpk")).ok();
        let store = open(&run.path().join("checkpoint")).with_keep(policy());
        let (checkpoint, skipped) = store.newest_complete();
        skips += skipped.len();
        assert!(said >= newest);
        let Some(checkpoint) = checkpoint else {
            assert_eq!(said, 0, "kill {kill}: nothing complete");
            longest = longest.mul_f64(1.2);
            continue;
        };
        newest = checkpoint.epoch;
        longest = longest.mul_f64(match newest - before {
            0 => 1.2,
            1..=20 => 1.0,
            _ => 0.8,
        });
        assert!(
            newest == said || newest == said + 1,
            "{newest} after {said}"
        );
        for part in PARTS {
            assert!(checkpoint.parts[part] == large(newest, part), "{part}");
        }
        // None is damaged: those that are skipped were not complete.
        for skipped in skipped {
            assert!(matches!(skipped.damage, Damage::Incomplete { .. }));
            assert_eq!(skipped.epoch, newest + 1);
        }
        let best_until = |last: usize| {
            (1..=last)
                .min_by(|a, b| loss(*a).total_cmp(&loss(*b)))
                .unwrap()
        };
        let best = best_until(newest);
        assert_eq!(store.best(), Some((best, loss(best))));
        let best_before = (newest > 1).then(|| large(best_until(newest - 1), MODEL));
        assert!(copy.as_ref() == Some(&large(best, MODEL)) || copy == best_before);
        open_run(run.path());
        let copy = fs::read(run.path().join("best.bpk")).unwrap();
        assert!(
            copy == large(best, MODEL),
            "kill {kill}: the best is not epoch {best}"
        );
    }
    println!("{newest} epochs, {skips} kills while one was written");
    assert!(newest > 0);
}

#[test]
fn a_file_size_limit_leaves_the_previous_checkpoint() {
    let run = TempDir::new().unwrap();
    save_large(&open_run(run.path()), 1).unwrap();
    let before = tree(&run.path().join("checkpoint/epoch-0001"));
    // The model fits, the optimizer does not. Not to be killed, but to get an error.
    let model = large(2, MODEL).len();
    assert!(large(2, OPTIM).len() > model * 3 / 2);
    let blocks = model / 512 * 5 / 4;
    // A block is 1024 bytes to some shells. To those with 512 the model does not fit either.
    let prelude = format!("trap '' XFSZ; ulimit -f {};", blocks / 2);
    let mut child = child(run.path(), command(&prelude));
    let lines = lines(&mut child);
    assert!(child.wait().unwrap().success());
    let failed = lines.iter().find(|line| line.starts_with("failed: "));
    let failed = failed.unwrap_or_else(|| panic!("it did not fail: {lines:?}"));
    assert!(failed.contains("epoch-0002.tmp"), "{failed}");

    assert_eq!(tree(&run.path().join("checkpoint/epoch-0001")), before);
    let store = open_run(run.path());
    assert_eq!(store.newest_complete().0.unwrap().epoch, 1);
    save_large(&store, 2).unwrap();
    assert_eq!(store.newest_complete().0.unwrap().epoch, 2);
}

#[test]
fn a_full_disk_leaves_the_previous_checkpoint() {
    let mount = TempDir::new().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "none"])
        .arg(mount.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        println!("skipped: no file system of a small size can be mounted here");
        return;
    }
    let full = std::panic::catch_unwind(|| {
        let run = mount.path();
        save_large(&open_run(run), 1).unwrap();
        let mut filled = 0;
        // Each time a little more room: every write fails once.
        for room in (0..40).map(|i| i * 100_000) {
            fill(&run.join("filler"), run, room);
            let store = open_run(run);
            let newest = store.newest_complete().0.unwrap().epoch;
            match save_large(&store, newest + 1) {
                Ok(()) => assert_eq!(store.newest_complete().0.unwrap().epoch, newest + 1),
                Err(TrainingError::File { source, path, .. }) => {
                    filled += 1;
                    assert_eq!(source.kind(), ErrorKind::StorageFull);
                    assert!(path.starts_with(run));
                    let checkpoint = store.newest_complete().0.unwrap();
                    assert!(checkpoint.epoch >= newest);
                    assert!(checkpoint.parts[MODEL] == large(checkpoint.epoch, MODEL));
                }
                Err(other) => panic!("{other}"),
            }
        }
        fs::remove_file(run.join("filler")).unwrap();
        let store = open_run(run);
        let newest = store.newest_complete().0.unwrap().epoch;
        save_large(&store, newest + 1).unwrap();
        assert_eq!(store.newest_complete().0.unwrap().epoch, newest + 1);
        filled
    });
    let unmounted = Command::new("umount").arg(mount.path()).status().unwrap();
    assert!(unmounted.success());
    let filled = full.unwrap();
    assert!(filled > 3, "the disk was full {filled} times only");
}

/// Fills the file system at `run` up to `room` bytes.
fn fill(filler: &Path, run: &Path, room: usize) {
    use std::io::Write;

    let _ = fs::remove_file(filler);
    // What a failed attempt has left would be replaced by the next.
    for entry in fs::read_dir(run.join("checkpoint")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let mut file = fs::File::create(filler).unwrap();
    let mut length = 0_u64;
    while file.write_all(&[1; 4096]).is_ok() {
        length += 4096;
    }
    file.set_len(length.saturating_sub(room as u64)).unwrap();
}
