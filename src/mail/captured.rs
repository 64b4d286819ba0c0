//! Mail that stays on this machine: each message as a file, and beside it what is shown of it.

use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::compose::Outgoing;
use crate::kernel::{Error, Result};

/// Messages that are listed at most.
const LISTED_MAX: usize = 200;

/// What is shown of a captured message.
#[derive(Serialize, Deserialize, Debug)]
pub struct Captured {
    /// Its file's name without the extension.
    #[serde(default)]
    pub id: String,
    /// To whom.
    pub to: String,
    /// About what.
    pub subject: String,
    /// How it looks, as HTML.
    pub page: String,
}

/// Keeps a message. Written beside and renamed, so that whoever looks sees whole messages only.
pub(super) async fn keep(directory: &Path, id: &str, outgoing: Outgoing) -> Result<()> {
    let path = directory.join(format!("{id}.eml"));
    let directory = directory.to_owned();
    let Outgoing { message, to, subject, page } = outgoing;
    let shown = Captured { id: String::new(), to, subject, page };
    let shown = serde_json::to_vec(&shown).map_err(Error::internal)?;
    let write = move || {
        std::fs::create_dir_all(&directory)?;
        for (path, bytes) in [(path.with_extension("json"), shown), (path, message.formatted())] {
            let beside = path.with_extension("part");
            std::fs::write(&beside, bytes)?;
            std::fs::rename(&beside, &path)?;
        }
        Ok::<(), std::io::Error>(())
    };
    let wrote = tokio::task::spawn_blocking(write).await.map_err(Error::internal)?;
    wrote.map_err(Error::internal)
}

/// The captured messages, newest first.
pub fn list(directory: &Path) -> Vec<Captured> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<(SystemTime, String)> = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let message = path.extension().is_some_and(|extension| extension == "eml");
        let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        if let (true, Some(name), Ok(changed)) = (message, name, changed) {
            files.push((changed, name));
        }
    }
    files.sort_unstable_by(|a, b| b.cmp(a));
    let names = files.into_iter().take(LISTED_MAX).map(|(_, name)| name);
    names.filter_map(|name| read(directory, &name)).collect()
}

/// A captured message by its name, which is nothing but letters, digits and `_`.
pub fn read(directory: &Path, id: &str) -> Option<Captured> {
    if !is_name(id) {
        return None;
    }
    let bytes = std::fs::read(directory.join(format!("{id}.json"))).ok()?;
    let captured: Captured = serde_json::from_slice(&bytes).ok()?;
    Some(Captured { id: id.to_owned(), ..captured })
}

/// The message itself, as it would have been sent.
pub fn source(directory: &Path, id: &str) -> Option<Vec<u8>> {
    is_name(id).then(|| std::fs::read(directory.join(format!("{id}.eml"))).ok()).flatten()
}

fn is_name(id: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !id.is_empty() && id.len() <= 64 && id.chars().all(letter)
}
