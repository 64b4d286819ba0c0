//! Somebody who follows a feed while everything happens, and what he must have seen at the end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::support::TestApp;

/// A reader of one tenant's feed, stretch after stretch.
pub struct Follower<'a> {
    app: &'a TestApp,
    key: String,
    /// Where this stretch begins.
    begin: RefCell<Option<String>>,
    /// Where reading has got to.
    cursor: RefCell<Option<String>>,
    /// What has been read of this stretch.
    seen: RefCell<Vec<Value>>,
    /// The digests of what was read in the stretches before.
    before: RefCell<Vec<u64>>,
    /// Each object's last change.
    last: RefCell<BTreeMap<String, i64>>,
    stopped: Cell<bool>,
}

impl<'a> Follower<'a> {
    pub fn new(app: &'a TestApp, key: &str) -> Self {
        Self {
            app,
            key: key.to_owned(),
            begin: RefCell::new(None),
            cursor: RefCell::new(None),
            seen: RefCell::new(Vec::new()),
            before: RefCell::new(Vec::new()),
            last: RefCell::new(BTreeMap::new()),
            stopped: Cell::new(false),
        }
    }

    /// Reads until told to stop, waiting at the end of the feed.
    pub async fn follow(&self) {
        self.stopped.set(false);
        while !self.stopped.get() {
            self.read("&wait=1").await;
        }
    }

    /// No more than what is being read.
    pub fn stop(&self) {
        self.stopped.set(true);
    }

    async fn read(&self, wait: &str) -> bool {
        let after = self.cursor.borrow().as_ref().map(|cursor| format!("&after={cursor}"));
        let path = format!("/v1/changes?limit=100{wait}{}", after.unwrap_or_default());
        let page = self.app.get(&self.key, &path).await;
        let rows = page.data(200).as_array().unwrap().clone();
        *self.cursor.borrow_mut() =
            page.body["pagination"]["next_cursor"].as_str().map(str::to_owned);
        self.seen.borrow_mut().extend(rows);
        page.body["pagination"]["has_more"].as_bool().unwrap()
    }

    /// Reads the rest of this stretch and returns it; the next begins. What was followed is what a
    /// new reader is given; each object's changes come in order, without a gap and once.
    pub async fn check(&self) -> Vec<Value> {
        self.app.drain().await;
        while self.read("").await {}
        let seen = self.seen.take();
        let begin = self.begin.replace(self.cursor.borrow().clone());
        let fresh = self.app.changes_after(&self.key, begin.as_deref()).await;
        assert_eq!(seen.len(), fresh.len());
        assert_eq!(seen, fresh, "what was followed differs from what is read afterwards");
        let mut last = self.last.borrow_mut();
        for change in &seen {
            let object = change["data"]["object"]["_id"].as_str().unwrap();
            let sequence = change["sequence"].as_i64().unwrap();
            let before = last.insert(object.to_owned(), sequence).unwrap_or(0);
            assert_eq!(sequence, before + 1, "{change}");
        }
        self.before.borrow_mut().extend(seen.iter().map(digest));
        seen
    }

    /// At the end, whoever reads from the feed's start is given what was followed, each change once.
    pub async fn check_all(self) {
        self.check().await;
        let all = self.app.changes(&self.key).await;
        let ids: BTreeSet<&str> = all.iter().map(|change| change["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), all.len(), "a change came twice");
        let all: Vec<u64> = all.iter().map(digest).collect();
        assert!(all == self.before.into_inner(), "what was followed differs from the whole feed");
    }
}

fn digest(change: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    change.to_string().hash(&mut hasher);
    hasher.finish()
}
