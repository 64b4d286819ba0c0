//! A proxy before PostgreSQL's socket that holds every message to the server back for a while.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

const SOCKET: &str = ".s.PGSQL.5432";

/// A directory with a socket through which a server's messages come late.
pub struct Proxy {
    directory: tempfile::TempDir,
}

impl Proxy {
    /// Stands before the socket in a directory.
    pub fn before(server: &Path, delay: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let listener = UnixListener::bind(directory.path().join(SOCKET)).unwrap();
        let target = server.join(SOCKET);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                serve(client, target.clone(), delay);
            }
        });
        Self { directory }
    }

    /// Where its socket is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn serve(client: UnixStream, target: PathBuf, delay: Duration) {
    let server = UnixStream::connect(target).unwrap();
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || carry(from, to, delay));
    thread::spawn(move || carry(server, client, Duration::ZERO));
}

fn carry(mut from: UnixStream, mut to: UnixStream, delay: Duration) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _gone = to.shutdown(std::net::Shutdown::Both);
}
