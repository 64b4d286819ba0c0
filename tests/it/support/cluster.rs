//! A PostgreSQL for the tests: `TEST_DATABASE_URL`, else a private cluster of the installed
//! binaries, on a socket only, flushing as in production.
//!
//! The cluster's life hangs on a pipe: when the test process ends, however it ends, the pipe
//! closes, the server stops and its files are removed.

use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rialto::db::{DatabaseUrl, migrate};

const TEMPLATE: &str = "rialto_template";
/// What a private server says, in its home.
const LOG: &str = "log";
/// A private server is up, or down, within this.
const UP_MAX: Duration = Duration::from_secs(30);

/// A PostgreSQL server with a migrated template database.
pub struct Cluster {
    base: Base,
    life: Option<Mutex<Child>>,
}

enum Base {
    Socket(PathBuf),
    Url(String),
}

/// The cluster of this process, or why there is none.
pub fn cluster() -> Result<&'static Cluster, &'static str> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start).as_ref().map_err(String::as_str)
}

impl Cluster {
    fn start() -> Result<Self, String> {
        let cluster = match std::env::var("TEST_DATABASE_URL") {
            Ok(url) => Self { base: Base::Url(url), life: None },
            Err(_) => Self::private(&[])?,
        };
        cluster.make_template();
        Ok(cluster)
    }

    /// A server of its own, with an environment, which may be killed.
    pub fn with(environment: &[(String, String)]) -> Result<&'static Self, String> {
        let cluster = Self::private(environment)?;
        cluster.make_template();
        Ok(Box::leak(Box::new(cluster)))
    }

    fn make_template(&self) {
        let name = self.template();
        let mut admin = self.admin();
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        migrate(&DatabaseUrl::Postgres(self.url(&name))).unwrap();
    }

    fn private(environment: &[(String, String)]) -> Result<Self, String> {
        let binaries = binaries().ok_or("no PostgreSQL binaries were found")?;
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let home = std::env::temp_dir().join(format!("rialto-pg-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let owner = owner_for_root()?;
        if let Some((uid, gid)) = owner {
            chown(&home, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let data = home.join("data");
        let as_owner = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&home);
            if let Some((uid, gid)) = owner {
                command.uid(uid).gid(gid);
            }
            command
        };
        let made = as_owner(&binaries.join("initdb"))
            .args(["-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .map_err(|error| error.to_string())?;
        if !made.success() {
            return Err("initdb failed".to_owned());
        }
        let script = r#"
            trap '' INT HUP
            start() {
                "$1" -D "$2" -c listen_addresses= -c unix_socket_directories="$3" \
                    -c max_connections=400 -c log_min_messages=fatal >>"$3/log" 2>&1 &
                server=$!
            }
            start "$@"
            while read -r again; do wait "$server"; start "$@"; done
            kill -QUIT "$server"; wait "$server"; rm -rf "$3"
        "#;
        let life = as_owner(Path::new("/bin/sh"))
            .arg("-c")
            .arg(script)
            .arg("cluster")
            .arg(binaries.join("postgres"))
            .arg(&data)
            .arg(&home)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| error.to_string())?;
        let cluster = Self { base: Base::Socket(home), life: Some(Mutex::new(life)) };
        cluster.wait_until_up()?;
        Ok(cluster)
    }

    fn wait_until_up(&self) -> Result<(), String> {
        let deadline = Instant::now() + UP_MAX;
        while let Err(error) = PgConnection::establish(&self.url("postgres")) {
            if Instant::now() > deadline {
                let Base::Socket(home) = &self.base else { return Err(error.to_string()) };
                let said = std::fs::read_to_string(home.join(LOG)).unwrap_or_default();
                return Err(format!("the private PostgreSQL did not start: {error}\n{said}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// What a private server has said.
    pub fn log(&self) -> String {
        let Base::Socket(home) = &self.base else { panic!("not ours to read") };
        std::fs::read_to_string(home.join(LOG)).unwrap()
    }

    /// Kills every process of a private server at once, as a loss of power does, and starts it
    /// again.
    pub fn kill_and_start(&self) {
        let Base::Socket(home) = &self.base else { panic!("not ours to kill") };
        let file = std::fs::read_to_string(home.join("data/postmaster.pid")).unwrap();
        let server: u32 = file.lines().next().unwrap().parse().unwrap();
        // Stopped first, and seen to be: it would go on to have children that nobody kills, or
        // begin to recover while they die.
        signal("STOP", server);
        wait_until(|| Process::read(server).is_none_or(|server| server.state == 'T'));
        let children = children_of(server);
        children.iter().for_each(|child| signal("KILL", *child));
        // One that is still dying holds the shared memory, and the next server refuses to start.
        wait_until(|| children.iter().all(|child| Process::read(*child).is_none_or(Process::dead)));
        signal("KILL", server);
        let mut life = self.life.as_ref().unwrap().lock().unwrap();
        life.stdin.as_mut().unwrap().write_all(b"again\n").unwrap();
        self.wait_until_up().unwrap();
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        match &self.base {
            Base::Socket(path) => {
                format!("postgres:///{database}?host={}&user=postgres", path.display())
            }
            Base::Url(url) => {
                let mut url = url::Url::parse(url).expect("TEST_DATABASE_URL is not an address");
                url.set_path(&format!("/{database}"));
                url.to_string()
            }
        }
    }

    fn template(&self) -> String {
        match &self.base {
            Base::Socket(_) => TEMPLATE.to_owned(),
            Base::Url(_) => format!("{TEMPLATE}_{}", std::process::id()),
        }
    }

    fn admin(&self) -> PgConnection {
        PgConnection::establish(&self.url("postgres")).unwrap()
    }

    /// Runs a statement as the administrator.
    pub fn execute(&self, statement: &str) {
        self.admin().batch_execute(statement).unwrap();
    }

    /// A new database, a copy of the template.
    pub fn create(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("rialto_{}_{count}", std::process::id());
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {}", self.template()));
        name
    }

    /// A new database with nothing in it.
    pub fn create_empty(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("rialto_empty_{}_{count}", std::process::id());
        self.execute(&format!("CREATE DATABASE {name}"));
        name
    }

    /// Removes a database and whoever is still connected to it.
    pub fn remove(&self, name: &str) {
        self.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }
}

/// What Linux says of a process.
struct Process {
    state: char,
    parent: u32,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state parent ...`, and a name may contain anything.
        let mut fields = stat.rsplit(')').next()?.split_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Self { state, parent: fields.next()?.parse().ok()? })
    }

    fn dead(self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    pids.filter(|pid| Process::read(*pid).is_some_and(|process| process.parent == parent)).collect()
}

/// Somebody may have ended by himself meanwhile, which is no fault.
fn signal(name: &str, pid: u32) {
    let script = format!("kill -{name} {pid}");
    Command::new("/bin/sh").arg("-c").arg(script).stderr(Stdio::null()).status().unwrap();
}

fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + UP_MAX;
    while !condition() {
        assert!(Instant::now() < deadline, "a process of PostgreSQL does not do as it is told");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The newest installed binaries.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        found.push((version, entry.path().join("bin")));
    }
    for path in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        found.push((0, path));
    }
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let whole = |path: &PathBuf| path.join("initdb").exists() && path.join("postgres").exists();
    found.into_iter().map(|(_, path)| path).find(whole)
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`.
fn owner_for_root() -> Result<Option<(u32, u32)>, String> {
    // SAFETY-free way to ask who we are: the owner of our own process directory.
    let me = std::fs::metadata("/proc/self").map_err(|error| error.to_string())?;
    if std::os::unix::fs::MetadataExt::uid(&me) != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<&str> = line.ok_or("there is no user postgres")?.split(':').collect();
    let id = |index: usize| fields[index].parse().map_err(|_| "the user postgres has no id");
    Ok(Some((id(2)?, id(3)?)))
}
