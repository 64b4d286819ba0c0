//! The machine: cores, flush, and whether it is quiet.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Options;
use crate::report::{MARK, Row};

/// Above this share of all cores somebody else is busy, and figures would lie.
const BUSY_MAX: f64 = 0.10;
/// Added to every flush in the settings that are named so.
const SLOW_FLUSH_MICROS: u32 = 2000;

/// What figures are worth nothing without.
pub struct Machine {
    cores: usize,
    flush: Duration,
    commit: String,
    when: String,
}

impl Machine {
    /// Measures the flush; ends the program when the machine is not quiet.
    pub fn look(although_busy: bool) -> Self {
        let busy = busy_share();
        assert!(
            busy < BUSY_MAX || although_busy,
            "other processes keep {:.0} % of the cores busy: no figures today",
            busy * 100.0
        );
        let git = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().unwrap();
        Self {
            cores: std::thread::available_parallelism().unwrap().get(),
            flush: flush(),
            commit: String::from_utf8_lossy(&git.stdout).trim().to_owned(),
            when: chrono::Utc::now().format("%Y-%m-%d").to_string(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, flush, commit, when } = self;
        write!(f, "{when}, commit {commit}, {cores} cores, a flush takes {flush:.1?}")
    }
}

/// The median of 200 appends with fdatasync.
pub fn flush() -> Duration {
    let mut file = tempfile::tempfile().unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            file.write_all(&[7; 8192]).unwrap();
            let begun = Instant::now();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// The share of all cores that was in use during a second in which we did nothing.
fn busy_share() -> f64 {
    let read = || {
        let stat = std::fs::read_to_string("/proc/stat").unwrap();
        let fields = stat.lines().next().unwrap().split_whitespace().skip(1);
        let ticks: Vec<f64> = fields.map(|field| field.parse().unwrap()).collect();
        (ticks.iter().sum::<f64>(), ticks[3] + ticks[4])
    };
    let (all, idle) = read();
    std::thread::sleep(Duration::from_secs(1));
    let (all_later, idle_later) = read();
    1.0 - (idle_later - idle) / (all_later - all)
}

/// Runs a setting in a process of its own: what is preloaded is preloaded from the start, also
/// into the PostgreSQL server that it starts.
pub fn run_in_child(setting: &str, options: &Options) -> Vec<Row> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--setting", setting, "--only", &options.only]);
    command.args(["--seconds", &options.seconds.to_string()]);
    let clients: Vec<String> = options.clients.iter().map(ToString::to_string).collect();
    command.args(["--clients", &clients.join(",")]);
    command.args(["--payments", &options.payments.to_string()]);
    let library = setting.contains("2 ms").then(slow_flush_library);
    if let Some((_, library)) = &library {
        command.env("LD_PRELOAD", library);
        command.env("SLOW_FLUSH_MICROS", SLOW_FLUSH_MICROS.to_string());
    }
    let output = command.stderr(std::process::Stdio::inherit()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{setting}: {text}");
    let rows = text.lines().find_map(|line| line.strip_prefix(MARK)).expect("no rows");
    serde_json::from_str(rows).unwrap()
}

fn slow_flush_library() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    // The server runs as another user.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let library = directory.path().join("slow_flush.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/sales/slow_flush.c");
    let built = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([library.as_os_str(), source.as_ref(), "-ldl".as_ref()])
        .status()
        .unwrap();
    assert!(built.success());
    (directory, library)
}
